"""An explanation names everything that bears on one pair."""

from __future__ import annotations

import pytest

from orchestrator.errors import InputError
from orchestrator.reporting.policy.explain import explain
from orchestrator.reporting.policy.lookup import Lookup
from orchestrator.reporting.policy.model import LETTERS, PolicyReport, ReportedSteps
from tests.unit.reporting.policy import sample


def pair(report: PolicyReport, state: str, rule: str = "") -> tuple[str, str]:
    """The first pair in a state, as (rule, id of the subject)."""
    return next(
        (name, report.subjects[place].id)
        for name, line in report.matrix.items()
        for place, letter in enumerate(line)
        if LETTERS[letter] == state and rule in ("", name)
    )


def test_a_waived_pair_tells_all_there_is() -> None:
    report = sample.refused()
    rule, subject = pair(report, "waived")
    text = explain(report, rule, subject, sample.earlier())
    fields = {line[:13].strip(): line[13:] for line in text.splitlines() if not line.startswith(" ")}
    assert text.splitlines()[0] == "network.ssh-not-public on ssh-not-public-fail-web-1: waived"
    assert fields["at"] == "rules[0].source"
    assert fields["observed"] == "anywhere"
    assert fields["expected"].startswith("a server group or a range")
    assert fields["parameters"].endswith("(profile demo)")
    assert "widest_prefix_ipv4" in fields["parameters"]
    assert fields["waiver"].startswith("W-7 is active; until 2026-12-24 UTC, 25 days left; owner erika")
    assert "control      NIST SP 800-53 SC-7 Boundary protection" in text
    history = [line[13:] for line in text.splitlines() if "01KBX" in line]
    assert [line.split("  ")[1] for line in history] == [f"01KBX{n}" for n in (2, 3, 4, 5, 1, 7)]
    assert history[-2:] == [
        "2026-11-28 09:30 UTC  01KBX1  fail",
        "2026-11-29 09:30 UTC  01KBX7  waived (this report)",
    ]


@pytest.mark.parametrize(
    "state", ["pass", "fail", "baselined", "not_applicable", "unknown", "error", "not_run"]
)
def test_each_state_is_explained(state: str) -> None:
    report = sample.refused()
    rule, subject = pair(report, state)
    lines = explain(report, rule, subject).splitlines()
    assert lines[0].split(": ")[-1].removesuffix(", blocks") == state.replace("_", " ")
    assert any(line.startswith(("said", "observed")) for line in lines)
    assert any(line.startswith("witness") for line in lines)
    assert any(line.startswith("mend") for line in lines)


def test_what_no_result_speaks_of_is_explained_by_what_is_known() -> None:
    report = sample.refused()
    lookup = Lookup(report)
    odd = next(each for each in report.subjects if each.id == "urn:odd")
    assert lookup.unsaid(report.rules[0], odd, "not_run") == "no rule can read the type aws:ec2:Strange"
    off = report.rules[0].model_copy(update={"enforcement": {odd.profile: "disabled"}})
    assert lookup.unsaid(off, odd, "not_run") == f"profile {odd.profile} disables this rule"
    record = next(each for each in report.rules if each.kind == "backup_record")
    assert lookup.unsaid(record, odd, "not_applicable") == "judges backup record; this is resource"
    keys = record.model_copy(
        update={
            "kind": "step",
            "types": ("step",),
            "steps": ReportedSteps(types=("key",), operations=("delete",)),
        }
    )
    step = odd.model_copy(
        update={"kind": "step", "type": "step", "step_type": "server", "operation": "create"}
    )
    why = "judges what deletes a key; this creates a server"
    assert lookup.unsaid(keys, step, "not_applicable") == why


def test_a_name_that_two_have_is_asked_back() -> None:
    report = sample.refused()
    first, second = report.subjects[:2]
    twin = report.model_copy(
        update={"subjects": (first, second.model_copy(update={"name": first.name}), *report.subjects[2:])}
    )
    with pytest.raises(InputError, match="2 subjects have that name") as raised:
        explain(twin, sample.SSH, first.name)
    assert first.id in raised.value.next_step
    assert explain(twin, sample.SSH, first.id).startswith(f"{sample.SSH} on {first.name}")


@pytest.mark.parametrize(
    ("rule", "kind"),
    [(sample.SSH, "resource"), ("recovery.last-run-succeeded", "backup_record")],
)
def test_a_name_that_many_have_means_the_subject_of_the_rules_kind_that_it_applies_to(
    rule: str, kind: str
) -> None:
    """A server, its firewall, its facts, its steps and its backups share a name on every real run."""
    report = sample.refused()
    line = report.matrix[rule]
    meant = next(place for place, letter in enumerate(line) if letter not in "nx")
    others = [place for place, letter in enumerate(line) if letter == "n"]
    named = {meant, *others[:3], *others[-3:]}
    subjects = tuple(
        each.model_copy(update={"name": "web-1"}) if place in named else each
        for place, each in enumerate(report.subjects)
    )
    assert report.subjects[meant].kind == kind
    assert {report.subjects[place].kind for place in named} > {kind}
    text = explain(report.model_copy(update={"subjects": subjects}), rule, "web-1")
    assert report.subjects[meant].id in text


def test_of_several_that_a_rule_applies_to_only_these_are_asked_back() -> None:
    report = sample.refused()
    line = report.matrix[sample.SSH]
    first, second, *_ = [place for place, letter in enumerate(line) if letter not in "nx"]
    other = line.index("n")
    subjects = tuple(
        each.model_copy(update={"name": "web-1"}) if place in (first, second, other) else each
        for place, each in enumerate(report.subjects)
    )
    with pytest.raises(InputError, match=r"2 subjects of those that .* reads have that name") as raised:
        explain(report.model_copy(update={"subjects": subjects}), sample.SSH, "web-1")
    assert report.subjects[other].id not in raised.value.next_step


def test_what_is_not_there_is_named_with_what_is() -> None:
    report = sample.refused()
    with pytest.raises(InputError) as raised:
        explain(report, "network.ssh-not-publik", report.subjects[0].id)
    assert sample.SSH in raised.value.next_step
    with pytest.raises(InputError) as raised:
        explain(report, sample.SSH, report.subjects[0].name[:-1])
    assert report.subjects[0].name in raised.value.next_step


def test_a_rule_that_changed_since_says_so() -> None:
    report = sample.refused()
    rule, subject = pair(report, "fail")
    [old] = sample.earlier()
    rules = tuple(each.model_copy(update={"version": 99}) for each in old.rules)
    text = explain(report, rule, subject, [old.model_copy(update={"rules": rules})])
    assert "(by version 99 of the rule)" in text
    gone = old.model_copy(update={"rules": old.rules[:0], "matrix": {}})
    assert "not judged: the rule or the subject was not there" in explain(report, rule, subject, [gone])
