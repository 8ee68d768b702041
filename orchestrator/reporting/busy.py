"""Which hosts a step was busy with, when, and how that ended there: by play, checks and backups."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from orchestrator.reporting.humanise import duration, plural
from orchestrator.reporting.model import Host, Report, Step, Verdict
from orchestrator.reporting.seen import HostTime

NEVER_READY = "ready: "
"""How the failed task of a host begins that did not pass the gate."""


@dataclass(frozen=True)
class Stretch:
    """One bar's worth: what it is told as, and the role it was spent in, if any."""

    at: datetime
    seconds: float
    told: str
    role: str = ""
    bad: bool = False


@dataclass(frozen=True)
class BusyHost:
    """One host in one step."""

    name: str
    seconds: float
    stretches: Sequence[Stretch]
    bad: bool = False
    word: str = "done"
    note: str = ""


def busy_hosts(report: Report) -> list[list[BusyHost]]:
    """For each step of the run its hosts, in the order in which they are known; none where nobody knows."""
    failing = _failing(report)
    played = {host.name for host in report.hosts if host.spans}
    found = []
    placed = False
    for step in report.steps:
        spoken = [_spoken(step, each, failing.get(step.phase, {})) for each in step.hosts]
        if step.phase == "configure" and not placed:
            placed = True
            rest = [host for host in spoken if host.name not in played]
            found.append([*(_played(host) for host in report.hosts if host.spans), *rest])
        elif step.phase == "ready":
            known = {host.name for host in spoken}
            found.append([*spoken, *_never_spoken(step, report.hosts, known)])
        else:
            found.append(spoken)
    return found


def _failing(report: Report) -> dict[str, dict[str, str]]:
    """By phase the hosts on which it did not go well, with what to say of them."""
    checks: dict[str, int] = {}
    for check in report.checks:
        if check.verdict in (Verdict.FAIL, Verdict.UNKNOWN):
            checks[check.server] = checks.get(check.server, 0) + 1
    backups = {
        row.server: row.message or "outside its RPO"
        for row in report.backups
        if row.looked_at and row.verdict is Verdict.FAIL
    }
    return {
        "ready": {host.name: host.failed_task for host in report.hosts if _is_never_ready(host)},
        "configure": {host.name: host.failed_task for host in report.hosts if _is_bad(host)},
        "backup": backups,
        "verify": {name: f"{plural(count, 'check')} not passed" for name, count in checks.items()},
    }


def _spoken(step: Step, time: HostTime, failing: dict[str, str]) -> BusyHost:
    bad = time.server in failing
    told = f"{step.name}: {duration(time.duration_seconds)}"
    stretch = Stretch(time.started_at, time.duration_seconds, told, bad=bad)
    note = failing.get(time.server, "")
    return BusyHost(
        time.server, time.duration_seconds, [stretch], bad, "not ready" if bad and step.phase == "ready" else
        "failed" if bad else "done", note,
    )  # fmt: skip


def _never_spoken(step: Step, hosts: Iterable[Host], known: set[str]) -> Iterable[BusyHost]:
    """Hosts that did not even accept a connection: the gate waited for them from its begin."""
    for host in hosts:
        if _is_never_ready(host) and host.name not in known:
            told = f"{step.name}: waited {duration(host.duration_seconds)}"
            stretch = Stretch(step.started_at, host.duration_seconds, told, bad=True)
            yield BusyHost(
                host.name, host.duration_seconds, [stretch], bad=True, word="not ready", note=host.failed_task
            )


def _played(host: Host) -> BusyHost:
    """What the playbooks did on a host, role by role."""
    stretches = [
        Stretch(
            span.started_at,
            span.duration_seconds,
            f"{span.role or 'play'}: {duration(span.duration_seconds)}, {plural(span.tasks, 'task')}, "
            f"{span.changed} changed",
            span.role,
            span.failed,
        )
        for span in host.spans
    ]
    word = "unreachable" if host.unreachable else "failed" if host.failed else "done"
    return BusyHost(host.name, host.duration_seconds, stretches, _is_bad(host), word, host.failed_task)


def _is_bad(host: Host) -> bool:
    return host.unreachable or bool(host.failed)


def _is_never_ready(host: Host) -> bool:
    return host.failed_task.startswith(NEVER_READY)
