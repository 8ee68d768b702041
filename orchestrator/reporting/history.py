"""One row per run of a stack, and the file that keeps them: what trends and the index page are drawn from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from orchestrator.reporting.model import Report, Severity
from orchestrator.reporting.record import Record
from orchestrator.reporting.replace import replace_file
from orchestrator.reporting.sentence import sentence
from orchestrator.reporting.tone import Tone
from orchestrator.reporting.verdict import headline, numbers, tone

MOST_RUNS = 2_000
"""Rows that are kept; older runs still have their own reports."""


class RunRow(Record):
    """What the index says of one run; counts that the run did not come to are None.

    `looks` are (answered, asked) of each service. `reported` is false for a run that left no report.
    """

    run: str
    verb: str
    started_at: datetime
    duration_seconds: float | None
    exit_code: int | None
    tone: Tone
    headline: str
    sentence: str = ""
    changes: int | None = None
    planned: int = 0
    hosts_changed: int | None = None
    findings: dict[Severity, int] = Field(default_factory=dict)
    blocking: int = 0
    servers: tuple[int, int] | None = None
    backups: tuple[int, int] | None = None
    newest_backup_age_seconds: float | None = None
    restore_seconds: float | None = None
    looks: dict[str, tuple[int, int]] = Field(default_factory=dict)
    reported: bool = True


def row_of(report: Report) -> RunRow:
    """The row of one report; equal reports give equal rows."""
    counted = numbers(report)
    ages = [each.age_seconds for each in report.backups if each.age_seconds is not None]
    looked = [each for each in report.backups if each.looked_at]
    return RunRow(
        run=report.run,
        verb=report.verb,
        started_at=report.started_at,
        duration_seconds=round((report.finished_at - report.started_at).total_seconds(), 3),
        exit_code=report.exit_code,
        tone=tone(report),
        headline=headline(report),
        sentence=sentence(report)[:600],
        changes=len(report.changes) if report.changes_known else None,
        planned=len(report.planned),
        hosts_changed=sum(host.changed > 0 for host in report.hosts) if report.hosts else None,
        findings={name: count for name, count in counted.findings.items() if count},
        blocking=counted.blocking,
        servers=(counted.servers_healthy, counted.servers) if report.checks else None,
        backups=(counted.backups_inside, counted.backups) if looked else None,
        newest_backup_age_seconds=min(ages, default=None),
        restore_seconds=report.restore.seconds if report.restore else None,
        looks=_looks(report),
    )


def unreported(entry: Mapping[str, Any]) -> RunRow:
    """The row of a run that is over and that only the ledger knows: killed, or of a verb without a report."""
    started, ended = (datetime.fromisoformat(entry[key]) for key in ("started_at", "ended_at"))
    good = entry["exit_code"] == 0
    return RunRow(
        run=entry["id"],
        verb=entry["verb"],
        started_at=started,
        # A killed run gets its end when the next one begins, so the time between says nothing.
        duration_seconds=(ended - started).total_seconds() if good else None,
        exit_code=entry["exit_code"],
        tone=Tone.GOOD if good else Tone.UNKNOWN,
        headline="Done" if good else "No report",
        reported=False,
    )


def _looks(report: Report) -> dict[str, tuple[int, int]]:
    looks: dict[str, tuple[int, int]] = {}
    for probe in report.probes:
        if probe.verdict in ("pass", "fail"):
            answered, asked = looks.get(probe.service, (0, 0))
            looks[probe.service] = (answered + (probe.verdict == "pass"), asked + 1)
    return looks


def merged(rows: Iterable[RunRow], more: Iterable[RunRow]) -> list[RunRow]:
    """Both, oldest first, without a run twice; `more` replaces, but never a report by its absence."""
    by_run = {row.run: row for row in rows}
    for row in more:
        if row.reported or row.run not in by_run:
            by_run[row.run] = row
    return sorted(by_run.values(), key=lambda row: row.run)[-MOST_RUNS:]


def read_rows(path: Path) -> list[RunRow] | None:
    """The rows of a file; None when there is none or a line of it cannot be read, so that it is made anew."""
    try:
        text = path.read_text(encoding="utf-8")
        return [RunRow.model_validate_json(line) for line in text.splitlines()]
    except (FileNotFoundError, UnicodeDecodeError, ValidationError):
        return None


def write_rows(path: Path, rows: Sequence[RunRow]) -> None:
    """Replace the file whole; OSError when that fails."""
    replace_file(path, "".join(row.model_dump_json(exclude_defaults=True) + "\n" for row in rows))
