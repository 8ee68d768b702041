"""Sections of the page: differences, cost, what many share, and lists that end early."""

from __future__ import annotations

from decimal import Decimal

import pytest

from orchestrator.reporting.budget import budget
from orchestrator.reporting.html import to_html
from orchestrator.reporting.markdown import to_markdown
from orchestrator.reporting.model import Change, Report, Verdict
from orchestrator.reporting.page import MOST_FINDINGS, MOST_SERVER_ROWS, backups, told
from orchestrator.reporting.planning import Cost, CostLine, DataLoss, Interruption, PropertyChange
from orchestrator.reporting.strips import MOST_STRIPS
from tests.unit.reporting import sample
from tests.unit.reporting.test_formats import parsed

MEMORY = PropertyChange(path="memoryGib", how="change", old="2", new="4")
CHANGED = Change(op="update", kind="server", name="db-1", urn="u1", properties=(MEMORY,),
                 interrupts=(Interruption(service="shop", window="Sun 02:00-04:00"),))  # fmt: skip
LOST = Change(op="delete", kind="volume", name="db-1-old", urn="u2", loses=DataLoss(subject="db-1-old"))


def words(report: Report) -> str:
    return " ".join("".join(parsed(to_html(report)).text).split())


def cost(**changed: object) -> Cost:
    line = CostLine(urn="u", kind="server", name="web-1", existed=True, exists=True, after=Decimal("44.90"))
    free = line.model_copy(update={"name": "app", "kind": "network", "after": None})
    return Cost.model_validate(
        {"currency": "EUR", "book": "rate card", "before": Decimal("38.20"), "after": Decimal("44.90"),
         "unpriced": 1, "lines": (line, free), "budget": Decimal(250), "budget_currency": "EUR",
         "used_percent": 17, "verdict": "unknown", **changed}
    )  # fmt: skip


def test_a_difference_is_told_with_old_and_new_and_what_it_costs_others() -> None:
    text = words(sample.demo(changes=(CHANGED, LOST)))
    assert "~ memory was 2 now 4" in text
    assert "in place; interrupts shop (window Sun 02:00-04:00)" in text
    assert "DATA LOSS: no snapshot is known" in text
    assert "memory 2 → 4 GiB" in to_markdown(sample.demo(changes=(CHANGED,)))


def test_making_things_needs_no_column_for_what_it_costs_others() -> None:
    assert "costs others" not in words(sample.demo())


def test_what_has_no_price_is_unpriced_and_the_sum_a_lower_bound() -> None:
    report = sample.demo(cost=cost(), budget="250 EUR/month")
    assert (budget(report).shown, budget(report).note) == ("≥ 17 %", "44.90 EUR/month, 1 unpriced")
    text = words(report)
    assert "38.20 → 44.90 EUR/month (+6.70)" in text
    assert to_html(report).count("<span>unpriced</span>") == 3
    assert "lower bound" in text


@pytest.mark.parametrize("found", [None, cost(book="", used_percent=None)])
def test_without_a_price_book_no_cost_is_claimed(found: Cost | None) -> None:
    report = sample.demo(cost=found, budget="250 EUR/month")
    assert budget(report).shown == "no price known"
    assert "so nothing is claimed. The agreed budget is 250 EUR/month." in words(report)
    assert "no price known" in to_markdown(report)


def test_what_many_subjects_share_is_told_once() -> None:
    [first, *_] = sample.failing().findings
    many = [first.model_copy(update={"subject": f"s-{i}", "fix": f"steward mend {i}"}) for i in range(9)]
    [group] = told(many)
    assert (len(group.subjects), group.same_fix, group.same_seen) == (9, False, True)
    text = words(sample.failing().model_copy(update={"findings": tuple(many)}))
    assert "s-0, s-1, s-2, s-3, s-4, s-5, s-6, s-7 and 1 more" in text
    assert "This is for s-0; for the others it differs, see report.json." in text


def test_long_lists_end_early_and_say_how_much_more_there_is() -> None:
    [first, *_] = sample.failing().findings
    many = [first.model_copy(update={"title": f"finding {i:04d}"}) for i in range(500)]
    text = words(sample.thousand().model_copy(update={"findings": tuple(many)}))
    assert f"{500 - MOST_FINDINGS} more, all in report.json." in text
    assert text.count(f"{1000 - MOST_SERVER_ROWS} more, all in report.json.") == 2
    assert f"{1000 - MOST_STRIPS} servers more, all in report.json." in text
    assert "What was checked, over 1000 servers" in text


def test_of_many_backups_those_that_are_not_inside_their_rpo_come_first() -> None:
    report = sample.thousand()
    late = report.backups[-1].model_copy(update={"verdict": Verdict.FAIL})
    found = backups(report.model_copy(update={"backups": (*report.backups[:-1], late)}))
    assert (found[0].server, len(found)) == (late.server, 1000)
