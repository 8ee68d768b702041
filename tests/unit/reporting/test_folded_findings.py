"""What could not be judged is one finding a rule, so that one cause does not hide all else."""

from __future__ import annotations

from orchestrator.reporting.findings import collect
from orchestrator.reporting.model import Finding, PolicyResult


def row(subject: str, state: str = "unknown", enforcement: str = "advisory", **changed: str) -> PolicyResult:
    values = {
        "rule": "patches.lists-fresh", "severity": "high", "state": state, "enforcement": enforcement,
        "subject": subject, "kind": "host", "observed": "unknown", "message": f"{subject}: no date",
    }  # fmt: skip
    return PolicyResult.model_validate({**values, **changed})


def found(*rows: PolicyResult) -> list[Finding]:
    return collect(rows, (), (), (), ())


def test_rows_that_stop_nothing_are_one_with_their_names_and_their_common_cause() -> None:
    (one,) = found(*(row(f"web-{number}") for number in range(1, 8)))
    assert one.subject == "web-1, web-2, web-3, web-4 and 3 more"
    assert one.title == "patches.lists-fresh could not be judged on 7 subjects"
    assert (one.observed, one.blocking) == ("no date", False)


def test_different_causes_are_not_told_as_one() -> None:
    (one,) = found(row("a"), row("b", message="b: refused"))
    assert one.observed == "first: no date"


def test_two_gaps_of_one_subject_are_one_subject() -> None:
    (one,) = found(row("a"), row("a"))
    assert one.title == "patches.lists-fresh could not be judged on 1 subject"


def test_failures_what_stops_and_other_rules_stay_apart() -> None:
    rows = [row("a"), row("b", "fail"), row("c", enforcement="mandatory"), row("d", rule="patches.held")]
    assert [(each.subject, each.rule) for each in found(*rows)] == [
        ("c", "patches.lists-fresh"),
        ("b", "patches.lists-fresh"),
        ("a", "patches.lists-fresh"),
        ("d", "patches.held"),
    ]
