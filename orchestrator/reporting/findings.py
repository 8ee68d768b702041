"""Gathers what a person must act on from everything that judged, worst first."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from orchestrator.reporting.humanise import age, duration, plural
from orchestrator.reporting.model import (
    Backup,
    Check,
    Finding,
    Host,
    PolicyResult,
    Probe,
    Step,
    StepState,
    Verdict,
)
from orchestrator.reporting.seen import Restore, Unrestored
from orchestrator.reporting.tone import SEVERITIES, SEVERITY_SYMBOLS, SYMBOLS, Tone
from policies.messages import problem_in

_Judged = TypeVar("_Judged", Check, Backup, Probe)
UNJUDGED = ("unknown", "error", "not_run")
_NAMED = 4
_KEPT = "/var/lib/steward/restore"
"""Where a copy that is kept lies on its server, unless a person says otherwise."""
# A failed step whose own hosts, checks, backups or rules already say why is not told twice.
_EXPLAINED_BY = {
    "configure": "host",
    "verify": "check",
    "probe": "service",
    "backup": "backup",
    "plan": "policy",
    "preview": "policy",
}


def collect(
    policies: Sequence[PolicyResult],
    checks: Sequence[Check],
    backups: Sequence[Backup],
    hosts: Sequence[Host],
    steps: Sequence[Step],
    *,
    fleet_file: str = "",
    probes: Sequence[Probe] = (),
    restore: Restore | None = None,
) -> list[Finding]:
    """Every finding, ranked by severity, then blocking ones, then by subject; unknown is never left out.

    `fleet_file` completes the commands that a fix consists of; without it they name no fleet.
    """
    found = [
        *_from_policies(policies),
        *_from_checks(checks),
        *_from_backups(backups, f" --fleet {shlex.quote(fleet_file)}" if fleet_file else ""),
        *_from_probes(probes),
        *_from_restore(restore),
        *_from_hosts(hosts),
    ]
    return ranked([*found, *_from_steps(steps, {finding.source for finding in found})])


def ranked(findings: Iterable[Finding]) -> list[Finding]:
    """Findings in the order a person should take them up; of two alike, what was seen comes first."""

    def rank(one: Finding) -> tuple[object, ...]:
        grave = SEVERITIES.index(one.severity)
        return grave, not one.blocking, one.unjudged, one.subject, one.rule, one.title

    return sorted(findings, key=rank)


def symbol(finding: Finding) -> str:
    """By severity, of what was seen; what nobody could tell has that of the unknown, however grave it is."""
    return SYMBOLS[Tone.UNKNOWN] if finding.unjudged else SEVERITY_SYMBOLS[finding.severity]


def _not_good(rows: Iterable[_Judged]) -> Iterator[tuple[_Judged, bool]]:
    """Each row to act on, with whether it failed; the others could not be judged, which is no pass."""
    for row in rows:
        if row.verdict in (Verdict.FAIL, Verdict.UNKNOWN):
            yield row, row.verdict is Verdict.FAIL


def _from_policies(results: Sequence[PolicyResult]) -> Iterable[Finding]:
    """One a row; what stops nothing is one a rule, where it is told alike or could not be judged."""
    advice: dict[tuple[str, str, str], list[PolicyResult]] = {}
    for result in results:
        if result.enforcement == "mandatory" and (result.state == "fail" or result.state in UNJUDGED):
            yield _from_policy(result)
        elif result.state == "fail":
            advice.setdefault((result.rule, "fail", _said(result)), []).append(result)
        elif result.state in UNJUDGED:
            advice.setdefault((result.rule, "unjudged", ""), []).append(result)
    for rows in advice.values():
        yield _from_policy(rows[0]) if len(rows) == 1 else _folded(rows)


def _said(result: PolicyResult) -> str:
    """The message without the name that it begins with."""
    return result.message.removeprefix(f"{result.subject}: ")


def _problem(result: PolicyResult) -> str:
    """What is wrong, without what a finding has fields of its own for."""
    told = problem_in(_said(result), expected=result.expected, remediation=result.remediation)
    return told or result.rule


def _from_policy(result: PolicyResult) -> Finding:
    failed, blocks = result.state == "fail", result.enforcement == "mandatory"
    not_judged = f"{result.rule} could not be judged ({result.state.replace('_', ' ')})"
    seen = result.observed if failed or result.observed != "unknown" else result.message
    return Finding(
        source="policy",
        severity=result.severity,
        blocking=blocks,
        subject=result.subject,
        title=_problem(result) if failed else not_judged,
        observed=seen or ("" if failed else result.message),
        expected=result.expected,
        fix=result.remediation,
        rule=result.rule,
        unjudged=not failed,
    )


def _folded(rows: Sequence[PolicyResult]) -> Finding:
    """Several rows of one rule; the first says what was not known, and the names say of what."""
    first, names = rows[0], list(dict.fromkeys(row.subject for row in rows))
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    subject = f"{', '.join(names[:_NAMED])}{more}"
    counted = plural(len(names), "subject")
    if first.state == "fail":
        told = {"title": f"{_problem(first)} ({counted})"}
    else:
        said = [_said(row) for row in rows]
        alike = "" if set(said) == {said[0]} else "first: "
        told = {
            "title": f"{first.rule} could not be judged on {counted}",
            "observed": f"{alike}{said[0] or first.observed}",
        }
    return _from_policy(first).model_copy(update={"subject": subject, **told})


def _from_checks(checks: Sequence[Check]) -> Iterable[Finding]:
    for check, failed in _not_good(checks):
        yield Finding(
            source="check",
            severity="high" if failed else "medium",
            blocking=True,
            subject=check.server,
            title=f"Check failed: {check.title}" if failed else f"Could not be checked: {check.title}",
            observed=check.observed,
            expected=check.expected,
            rule=check.check,
            unjudged=not failed,
        )


def _from_backups(backups: Sequence[Backup], fleet: str) -> Iterable[Finding]:
    for backup, failed in _not_good(backup for backup in backups if backup.looked_at):
        if backup.unrestored is not None:
            yield _unrestored(backup, backup.unrestored, fleet)
            continue
        told = (
            "Backup outside its RPO"
            if failed
            else "Not known whether a backup arrived in the vault inside its RPO"
        )
        yield Finding(
            source="backup",
            severity="critical" if failed else "high",
            blocking=True,
            subject=f"{backup.plan}/{backup.server}",
            title=told + (f": {backup.message}" if backup.message else ""),
            observed=f"newest {age(backup.age_seconds)}"
            if backup.age_seconds is not None
            else "no snapshot seen",
            expected=f"at most {duration(backup.rpo_seconds)} old",
            fix=f"steward backup run{fleet} --plan {shlex.quote(backup.plan)}",
            unjudged=not failed,
        )


def restore_command(fleet: str, server: str, plan: str, snapshot: str) -> str:
    """The command that keeps a copy of a snapshot on its server; `fleet` is ` --fleet FILE`, or ''."""
    short = snapshot[:8]
    pair = f"--host {shlex.quote(server)} --plan {shlex.quote(plan)} --snapshot {short}"
    return f"steward backup restore{fleet} {pair} --target {shlex.quote(f'{_KEPT}/{plan}-{short}')}"


def _unrestored(backup: Backup, lost: Unrestored, fleet: str) -> Finding:
    """A young snapshot of a server that began empty is no proof that its data are safe."""
    return Finding(
        source="backup",
        severity="critical",
        blocking=True,
        subject=f"{backup.plan}/{backup.server}",
        title=f"Not restored: {backup.message}",
        observed=f"newest of before {lost.newest_at:%Y-%m-%d %H:%M:%S} UTC, snapshot {lost.snapshot[:8]}",
        expected="put back, or accepted with steward backup accept",
        fix=restore_command(fleet, backup.server, backup.plan, lost.snapshot),
    )


def _from_probes(probes: Sequence[Probe]) -> Iterable[Finding]:
    for probe, failed in _not_good(probes):
        yield Finding(
            source="service",
            severity="high" if failed else "medium",
            blocking=failed,
            subject=f"{probe.service} on {probe.server}",
            title="Service does not answer as promised" if failed else "Service could not be asked",
            observed=f"{probe.observed} from {probe.url}" if probe.url else probe.observed,
            expected=probe.expected,
            unjudged=not failed,
        )


def _from_restore(restore: Restore | None) -> Iterable[Finding]:
    late = restore is not None and restore.seconds > restore.rto_seconds
    if restore is not None and (late or not restore.ok):
        same = "" if restore.ok else f"{restore.message or 'it differs'}; {restore.differences} differences"
        yield Finding(
            source="backup",
            severity="high" if restore.ok else "critical",
            blocking=True,
            subject=f"{restore.plan}/{restore.server}",
            title="Restore took longer than the RTO allows"
            if restore.ok
            else "Restore is not what was saved",
            observed=same or f"restored in {duration(restore.seconds)}",
            expected=f"the same, within {duration(restore.rto_seconds)}",
        )


def _from_hosts(hosts: Sequence[Host]) -> Iterable[Finding]:
    for host in hosts:
        if host.unreachable or host.failed:
            yield Finding(
                source="host",
                severity="high",
                blocking=True,
                subject=host.name,
                title=f"Not reachable{f' ({host.failed_task})' if host.failed_task else ''}"
                if host.unreachable
                else f"Task failed: {host.failed_task or 'not named'}",
                observed=host.message,
                expected="every task succeeds",
                fix=host.retry,
            )


def _from_steps(steps: Sequence[Step], told: set[str]) -> Iterable[Finding]:
    for step in steps:
        ended_early = step.state in (StepState.FAILED, StepState.STOPPED)
        if ended_early and _EXPLAINED_BY.get(step.phase) not in told:
            failed = step.state is StepState.FAILED
            yield Finding(
                source="run",
                severity="high" if failed else "medium",
                blocking=True,
                subject=step.name,
                title="Step failed" if failed else "Step was stopped",
                observed=" ".join(step.message.split()),
                expected="the step ends by itself",
            )
