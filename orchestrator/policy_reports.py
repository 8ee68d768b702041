"""Policy reports that runs of this machine left: where they are, which is the newest, and reading one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from orchestrator.errors import InputError
from orchestrator.settings import Settings

if TYPE_CHECKING:
    from orchestrator.reporting.policy.model import Deferred, PolicyReport

FILE: Final = "policy-report.json"
"""In a run's folder."""
_LOOKED_AT: Final = 200


def newest_policy_report(settings: Settings, stack: str = "") -> Path | None:
    """The file of the newest run that left a policy report of the stack ('': of any), None when none did.

    Run ids sort by time, so the newest is the last. A file that cannot be read is passed over.
    """
    return next((path for path, _ in _reports(settings, stack)), None)


def earlier_policy_reports(settings: Settings, report: PolicyReport, most: int = 10) -> list[PolicyReport]:
    """The last reports of the same stack before this one, newest first."""
    found: list[PolicyReport] = []
    for _, each in _reports(settings, report.stack):
        if len(found) == most:
            break
        if each.run != report.run and each.ended_at <= report.ended_at:
            found.append(each)
    return found


def left_by_last_up(settings: Settings, stack: str) -> Sequence[Deferred]:
    """The pairs that the stack's last `up` with a report put off; what a `plan` put off was never made."""
    found = (each for _, each in _reports(settings, stack) if tuple(each.command[1:2]) == ("up",))
    last = next(found, None)
    return last.deferred if last else ()


def read_policy_report(path: Path) -> PolicyReport:
    """The report in a file; raises InputError where it is none, is cut off, or was changed by hand."""
    from orchestrator.errors import StewardError
    from orchestrator.reporting.policy.json import LARGEST, from_json

    try:
        with path.open(encoding="utf-8") as file:
            return from_json(file.read(LARGEST + 1))
    except (OSError, ValueError, StewardError) as problem:  # what pydantic raises is a ValueError, too
        raise InputError(
            "policy report",
            "cannot be read",
            place=str(path),
            got=str(problem).splitlines()[0],
            next_step="Name another one with --report, or judge again.",
        ) from problem


def _reports(settings: Settings, stack: str) -> Iterator[tuple[Path, PolicyReport]]:
    paths = sorted((settings.home / "runs").glob(f"*/{FILE}"), reverse=True)
    for path in paths[:_LOOKED_AT]:
        try:
            report = read_policy_report(path)
        except InputError:
            continue
        if stack in ("", report.stack):
            yield path, report
