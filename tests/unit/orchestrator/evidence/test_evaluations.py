"""Evaluations that were due against those that were done: less evidence never looks like more."""

from __future__ import annotations

from orchestrator.evidence.documents import Read
from orchestrator.evidence.evaluations import evaluation_days, evaluations
from orchestrator.evidence.period import read_period
from orchestrator.evidence.record import Kind
from tests.unit.orchestrator.evidence.tables import HOST, OTHER_HOST, SERVER, SERVICE, line, report

BOTH = (SERVER, SERVICE, HOST, OTHER_HOST)


def test_a_pair_that_no_rule_reads_is_neither_due_nor_done() -> None:
    one = line(1, "2026-11-30T03:00:00.000000Z")
    (row,) = evaluations([one], [report(one, "live", {"network.ssh": "pnnn", "ssh.root": "nnpn"}, BOTH)])
    assert (row["due"], row["done"], row["missing"]) == (3, 3, 0), (
        "a reason why it does not apply is an answer"
    )


def test_what_stayed_unknown_or_broke_or_was_not_run_was_due_and_is_not_done() -> None:
    one = line(1, "2026-11-30T03:00:00.000000Z")
    told = report(one, "live", {"network.ssh": "unnn", "ssh.root": "nnex"}, BOTH, not_checked=["host web-2"])
    (row,) = evaluations([one], [told])
    assert (row["due"], row["done"]) == (3, 0)
    assert (row["unknown"], row["error"], row["not_run"], row["missing"]) == (1, 1, 1, 0)
    assert row["not_looked_at"] == "host web-2"


def test_a_host_that_was_left_out_lowers_what_was_done_and_not_what_was_due() -> None:
    whole, part = (
        line(1, "2026-11-30T03:00:00.000000Z", "verify"),
        line(2, "2026-11-30T04:00:00.000000Z", "verify"),
    )
    rows = evaluations(
        [whole, part],
        [
            report(whole, "live", {"ssh.root": "nnpp"}, BOTH),
            report(part, "live", {"ssh.root": "nnpx"}, BOTH),
        ],
    )
    assert [(row["due"], row["done"], row["not_run"]) for row in rows] == [(2, 2, 0), (2, 1, 1)]


def test_a_run_without_a_report_owes_what_the_one_before_it_owed() -> None:
    lines = [
        line(1, "2026-11-30T03:00:00.000000Z", "verify"),
        line(2, "2026-11-30T03:10:00.000000Z", "plan"),
        line(3, "2026-11-30T03:20:00.000000Z", "verify", 3),
        line(4, "2026-11-30T03:30:00.000000Z", kind=Kind.KILLED),
        line(5, "2026-11-30T03:40:00.000000Z", "backup run"),
        line(6, "2026-11-30T03:50:00.000000Z", "verify", kept="policy-report.json"),
    ]
    reports = [
        report(lines[0], "live", {"ssh.root": "nnpp"}, BOTH),
        report(lines[1], "preview", {"network.ssh": "pnnn"}, BOTH),
    ]
    rows = evaluations(lines, reports)
    assert [(row["due"], row["done"], row["missing"]) for row in rows] == [
        (2, 2, 0),
        (1, 1, 0),
        (2, 0, 2),
        (1, 0, 1),
        (0, 0, 0),
        (0, 0, 0),
    ]
    assert [row["note"] for row in rows[2:]] == [
        "no policy report; as many are due as in record 1",
        "killed before it could judge; as many are due as in record 2",
        "no policy report",
        "its policy report was erased, so nobody can count it",
    ]


def test_days_before_the_first_record_were_not_missed() -> None:
    lines = [line(1, "2026-11-28T09:00:00.000000Z"), line(2, "2026-11-30T03:00:00.000000Z")]
    reports = [
        report(lines[0], "live", {"ssh.root": "nnpp"}, BOTH),
        report(lines[1], "live", {"ssh.root": "nnxx"}, BOTH),
    ]
    days = evaluation_days(read_period("2026-Q4"), lines, reports)
    assert [(row["day"], row["due"], row["done"], row["evaluations"]) for row in days] == [
        ("2026-11-28", 1, 1, 1),
        ("2026-11-29", 1, 0, 0),
        ("2026-11-30", 1, 0, 0),
    ], "a report that judged nothing is no evaluation"
    assert evaluation_days(read_period("2026-12"), lines, reports) == []


def test_a_step_that_is_not_the_rules_own_is_not_due() -> None:
    one = line(1, "2026-11-01T10:00:00Z")
    steps = {"types": ["key"], "operations": ["delete"]}
    told = report(one, "preview", {"network.ssh": "pnnu"}, [
        {"id": f"step:{n}", "kind": "step", "type": "step", **said}
        for n, said in enumerate([
            {"step_type": "key", "operation": "delete"}, {"step_type": "key", "operation": "create"},
            {"step_type": "server", "operation": "delete"}, {"step_type": "key"},
        ])
    ])  # fmt: skip
    (rule,) = told.found["rules"]
    rule = {**rule, "kind": "step", "types": ["step"], "steps": steps}
    (row,) = evaluations([one], [Read(one, {**told.found, "rules": [rule]})])
    assert (row["due"], row["done"], row["unknown"], row["missing"]) == (2, 1, 1, 0)


def test_a_step_without_the_sides_that_a_rule_compares_is_not_due() -> None:
    one = line(1, "2026-11-01T10:00:00Z")
    sides: tuple[list[str], ...] = (["old", "new"], ["new"])
    told = report(one, "preview", {"network.ssh": "pnu"}, [
        *({"id": f"step:{each}", "kind": "step", "type": "step", "sides": each} for each in sides),
        {"id": "step:?", "kind": "step", "type": "step"},
    ])  # fmt: skip
    (rule,) = told.found["rules"]
    rule = {**rule, "kind": "step", "types": ["step"], "steps": {"sides": ["old", "new"]}}
    (row,) = evaluations([one], [Read(one, {**told.found, "rules": [rule]})])
    assert (row["due"], row["done"], row["unknown"], row["missing"]) == (2, 1, 1, 0)
