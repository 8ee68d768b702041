"""How long failures stayed: one defect is counted once, and ends when somebody saw it mended."""

from __future__ import annotations

from orchestrator.evidence.documents import Read, Row
from orchestrator.evidence.time_to_fix import time_to_fix, time_to_fix_summary
from tests.unit.orchestrator.evidence.tables import HOST, OTHER_HOST, SERVER, SERVICE, line, report

DAYS = [f"2026-11-{day:02}T00:00:00.000000Z" for day in range(1, 31)]
AT = {("network.ssh", 0): "port"}
HOST_AT = {("ssh.root", 0): "sshd"}


def on(day: int, phase: str, letter: str, verb: str = "plan", exit_code: int = 0) -> Read:
    """A report of one server on that day."""
    of = line(day, DAYS[day - 1], verb, exit_code)
    return report(of, phase, {"network.ssh": f"{letter}n"}, (SERVER, SERVICE), AT if letter == "f" else None)


def told(*reports: Read) -> list[tuple[object, ...]]:
    return [(row["phases"], row["how"], row["since"], row["until"]) for row in time_to_fix(reports)]


def test_a_defect_that_two_phases_see_is_one() -> None:
    rows = time_to_fix([on(1, "preview", "f"), on(2, "live", "f", "up"), on(4, "live", "p", "up")])
    assert [(row["rule"], row["phases"], row["how"], row["days"]) for row in rows] == [
        ("network.ssh", "preview, live", "fixed", "3.0")
    ]
    assert found(rows, "high") == (1, 1, "3.0")


def found(rows: list[Row], severity: str) -> tuple[object, object, object]:
    summary = {row["severity"]: row for row in time_to_fix_summary(rows)}[severity]
    return summary["found"], summary["fixed"], summary["median_days"]


def test_it_ends_with_the_run_that_mended_it_and_not_with_the_next_of_that_phase() -> None:
    until = told(on(1, "preview", "f"), on(2, "live", "p", "up"), on(5, "preview", "p"))
    assert until == [("preview", "fixed", DAYS[0], DAYS[1])]
    assert told(on(1, "live", "f", "verify"), on(2, "live", "p", "verify"))[0][3] == DAYS[1]


def test_what_is_there_is_not_mended_by_a_plan() -> None:
    seen = on(1, "live", "f", "verify")
    assert told(seen, on(2, "preview", "p"), on(3, "live", "f", "verify")) == [("live", "open", DAYS[0], "")]
    assert told(seen, on(2, "preview", "p", "up", 1)) == [("live", "open", DAYS[0], "")], "the up was refused"
    made = told(seen, on(2, "preview", "p", "up", 0))
    assert made == [("live", "fixed", DAYS[0], DAYS[1])], "the up found that nothing differs from that plan"
    assert told(seen, on(2, "preview", "w"))[0][1] == "open"
    assert told(seen, on(2, "live", "w", "verify"))[0][1] == "excused"


def test_what_nobody_looked_at_is_neither_mended_nor_gone() -> None:
    def hosts(day: int, phase: str, letters: str, *subjects: dict[str, str]) -> Read:
        of = line(day, DAYS[day - 1], "up", 0)
        return report(of, phase, {"ssh.root": letters}, subjects, HOST_AT if letters[0] == "f" else None)

    first = hosts(1, "live", "fp", HOST, OTHER_HOST)
    assert told(first, hosts(2, "preview", "n", SERVER))[0][1] == "open", "a plan asks no host"
    assert told(first, hosts(2, "live", "xp", HOST, OTHER_HOST))[0][1] == "open", "it was left out"
    assert told(first, hosts(2, "live", "n", SERVER))[0][1] == "open", "no host was asked"
    assert told(first, hosts(2, "live", "p", OTHER_HOST))[0][1:] == ("subject gone", DAYS[0], DAYS[1])


def test_a_failure_that_was_there_when_looking_began_is_marked_once_for_each_phase() -> None:
    rows = time_to_fix([on(1, "preview", "p"), on(2, "live", "f", "verify")])
    assert [row["from_the_start"] for row in rows] == ["yes"], "nobody had looked at what is there before"
    assert [row["from_the_start"] for row in time_to_fix([on(1, "live", "p"), on(2, "live", "f")])] == ["no"]
