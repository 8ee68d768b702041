"""What the auditor's page claims about sources and subjects, and what it folds on paper."""

from __future__ import annotations

import re

from orchestrator.reporting.policy.html import to_html
from orchestrator.reporting.policy.model import PolicyReport
from orchestrator.reporting.policy.page import agreement
from orchestrator.reporting.policy.paper import broken, is_calm, stands, unprinted
from orchestrator.reporting.policy.standing import standings
from tests.unit.reporting.policy import sample


def test_sources_agree_only_where_two_were_compared() -> None:
    report = sample.refused()
    assert agreement(report) == "Nothing was compared: no two sources list what is there."
    assert "agree" not in to_html(report)
    assert agreement(with_members(report, "pp")) == (
        "The lists that were compared agree about 2 members of the population."
    )
    assert agreement(with_members(report, "uu")).startswith("Nothing was compared")


def with_members(report: PolicyReport, letters: str) -> PolicyReport:
    """The report, with a rule about the population that said this of the first subjects."""
    line = letters + "n" * (len(report.subjects) - len(letters))
    return report.model_copy(update={"matrix": {**report.matrix, "population.fleet-is-made": line}})


def test_differences_are_counted_and_never_called_agreement() -> None:
    report = with_members(sample.refused(), "pf")
    population = report.population.model_copy(update={"differences": 1})
    said = agreement(report.model_copy(update={"population": population}))
    assert said == "1 difference between the sources; each is a finding."


def test_the_table_of_sources_adds_up() -> None:
    report = sample.refused()
    page = to_html(report)
    table = page.split("Where they were read from")[1].split("</table>")[0]
    cells = re.findall(r'class="number"><span>(.*?)</span>', table)
    *parts, whole = [int(each.replace(",", "").replace("−", "-")) for each in cells]
    assert sum(parts) == whole == len(report.subjects)
    assert "told by several" in table


def test_paper_folds_what_is_neither_open_nor_excused_and_counts_it() -> None:
    report = sample.refused()
    page = to_html(report)
    pairs = page.split('id="pairs"')[1].split("</section>")[0]
    columns = [
        "".join(line[place] for line in report.matrix.values()) for place in range(len(report.subjects))
    ]
    calm = sum(map(is_calm, columns))
    assert 0 < calm < len(report.subjects)
    assert pairs.count('<tr role="row" class=calm>') == calm
    assert f"{calm} of {len(report.subjects)} subjects" in unprinted(report)
    assert is_calm("pnpn")
    assert not any(is_calm(f"pn{letter}") for letter in "feuxwb")


def test_controls_are_counted_by_how_they_stand() -> None:
    for rows in standings(sample.refused()).values():
        numbers = map(int, re.findall(r"\d+", stands(rows)))
        assert sum(numbers) == len(rows)


def test_a_path_breaks_behind_its_dots() -> None:
    assert broken("new.keep.daily") == "new.<wbr>keep.<wbr>daily"
    assert broken("aws:ec2/x:<b>") == "aws:<wbr>ec2/<wbr>x:&lt;b&gt;"
