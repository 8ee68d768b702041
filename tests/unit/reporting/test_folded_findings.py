"""What could not be judged is one finding a rule, so that one cause does not hide all else.

A run that went well ends with its summary.
"""

from __future__ import annotations

from orchestrator.reporting.findings import collect
from orchestrator.reporting.model import Finding, PolicyResult
from orchestrator.reporting.terminal import findings, lists_findings, summary
from tests.unit.reporting.sample import demo


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


def test_what_could_not_be_judged_is_as_grave_as_its_rule_and_told_apart_from_what_was_seen() -> None:
    rows = [
        row("a", "fail", severity="medium"),
        row("b", severity="critical", rule="patches.no-fixable-vulnerability"),
        row("c", "fail", severity="critical", rule="network.ssh-not-public"),
    ]
    ranked = found(*rows)
    assert [(each.subject, each.severity, each.unjudged) for each in ranked] == [
        ("c", "critical", False),
        ("b", "critical", True),
        ("a", "medium", False),
    ]
    text = findings(demo(findings=ranked))
    assert "✕ critical  c network.ssh-not-public" in text
    assert "? critical  b patches.no-fixable-vulnerability" in text
    assert "· low       d" in findings(demo(findings=found(row("d", "fail", severity="low"))))


def test_a_title_leaves_out_what_a_finding_has_fields_for() -> None:
    told = {"expected": "a restore within 366 days", "remediation": "Restore it."}
    message = "a: drill: no restore was ever tried; expected a restore within 366 days. Fix: Restore it."
    (one,) = found(row("a", "fail", message=message, **told))
    assert (one.title, one.expected, one.fix) == ("drill: no restore was ever tried", *told.values())


def test_a_run_that_went_well_ends_with_its_summary_and_counts_what_stops_nothing() -> None:
    rows = [row(name, "fail", severity=name, rule=name) for name in ("critical", "high", "medium", "low")]
    well = demo(verb="up", exit_code=0, findings=found(*rows))
    assert not lists_findings(well)
    assert " findings   1 critical · 1 high · 1 medium · 1 low" in summary(well, "report.html")
    assert "none stops a run: steward report" in summary(well, "report.html")
    assert len(summary(well, "report.html").splitlines()) <= 24
    assert lists_findings(well.model_copy(update={"verb": "plan"}))
    stopped = well.model_copy(update={"findings": found(row("a", "fail", "mandatory"))})
    assert lists_findings(stopped)
    assert "none stops" not in summary(stopped, "report.html")
    assert not lists_findings(demo(verb="verify", findings=[]))


def test_a_failure_of_low_severity_has_not_the_sign_of_what_nobody_knows() -> None:
    low = found(row("shop", "fail", enforcement="mandatory", severity="low", rule="quality.says-purpose"))
    text = findings(demo(verb="verify", findings=low))
    assert "· low" in text
    assert "?" not in text
