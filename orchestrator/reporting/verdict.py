"""What a report amounts to in tones and counts; the same for every format."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.reporting.model import Finding, Report, Severity, Step, StepState, Verdict
from orchestrator.reporting.seen import PolicyFigures
from orchestrator.reporting.tone import SEVERITIES, Tone

WORDS: dict[Tone, str] = {Tone.GOOD: "healthy", Tone.BAD: "not healthy", Tone.UNKNOWN: "not verified"}
EXIT_MEANINGS: dict[int, str] = {
    0: "done, nothing found",
    1: "findings",
    2: "bad input or environment, nothing touched",
    3: "a tool or a host failed",
    4: "waiting for approval",
    130: "interrupted",
}
STATE_TONES: dict[str, Tone] = {
    "done": Tone.GOOD,
    "failed": Tone.BAD,
    "skipped": Tone.UNKNOWN,
    "stopped": Tone.ATTENTION,
    "pass": Tone.GOOD,
    "fail": Tone.BAD,
    "waived": Tone.ATTENTION,
    "baselined": Tone.ATTENTION,
    "not_applicable": Tone.UNKNOWN,
    "unknown": Tone.UNKNOWN,
    "error": Tone.BAD,
    "not_run": Tone.UNKNOWN,
}


@dataclass(frozen=True)
class Numbers:
    """The four numbers of the first screen; servers and backups are counted against the whole fleet."""

    servers_healthy: int
    servers: int
    findings: dict[Severity, int]
    blocking: int
    backups_inside: int
    backups_looked_at: int
    backups: int


@dataclass(frozen=True)
class PolicyCounts:
    """How many (rule, subject) pairs ended in which state; the states always add up to `pairs`."""

    rules: int
    subjects: int
    pairs: int
    states: dict[str, int]
    complete: bool
    """Whether every rule met every subject once, so that rules × subjects is a true claim."""


def exit_code(findings: Sequence[Finding], steps: Sequence[Step]) -> int:
    """The exit code a run earns: a stop or a failed tool outranks findings; only blocking ones count."""
    states = {step.state for step in steps}
    if StepState.STOPPED in states:
        return 130
    if StepState.FAILED in states or any(f.source in ("host", "run") and f.blocking for f in findings):
        return 3
    return 1 if any(f.blocking for f in findings) else 0


def server_tones(report: Report) -> dict[str, Tone]:
    """How each server stands: healthy needs a converged host and checks that all gave a good answer."""
    hosts = {host.name: host for host in report.hosts}
    answers: dict[str, set[Verdict]] = {}
    for check in report.checks:
        answers.setdefault(check.server, set()).add(check.verdict)
    tones = {}
    for server in report.servers:
        host = hosts.get(server.name)
        verdicts = answers.get(server.name, set())
        if (host and (host.unreachable or host.failed)) or Verdict.FAIL in verdicts:
            tones[server.name] = Tone.BAD
        elif Verdict.PASS in verdicts and Verdict.UNKNOWN not in verdicts:
            tones[server.name] = Tone.GOOD
        else:
            tones[server.name] = Tone.UNKNOWN
    return tones


def numbers(report: Report) -> Numbers:
    """Counts for the first screen; `backups_inside` counts what arrived in the vault only."""
    counted = [backup for backup in report.backups if backup.verdict is not Verdict.NOT_APPLICABLE]
    tones = server_tones(report)
    found = Counter(finding.severity for finding in report.findings)
    return Numbers(
        servers_healthy=sum(tone is Tone.GOOD for tone in tones.values()),
        servers=max(len(tones), len(report.fleet_servers)),
        findings={severity: found[severity] for severity in SEVERITIES},
        blocking=sum(finding.blocking for finding in report.findings),
        backups_inside=sum(backup.verdict is Verdict.PASS for backup in report.backups),
        backups_looked_at=sum(backup.looked_at for backup in counted),
        backups=len(counted),
    )


def policy_counts(report: Report) -> PolicyCounts:
    """The figures of the run's policy report, or where it has none, of what the rules said row by row.

    Nothing is folded into pass.
    """
    if report.policy_figures is not None:
        return _figures(report.policy_figures)
    pairs = {(result.rule, result.urn or result.subject) for result in report.policies}
    rules, subjects = {rule for rule, _ in pairs}, {subject for _, subject in pairs}
    every = {(rule, subject) for rule in rules for subject in subjects}
    return PolicyCounts(
        rules=len(rules),
        subjects=len(subjects),
        pairs=len(report.policies),
        states=dict(sorted(Counter(result.state for result in report.policies).items(), key=_state_order)),
        complete=pairs == every and len(pairs) == len(report.policies),
    )


def _figures(found: PolicyFigures) -> PolicyCounts:
    states = {state: count for state, count in found.counts.items() if count}
    return PolicyCounts(
        rules=found.rules,
        subjects=found.subjects,
        pairs=found.rules * found.subjects,
        states=dict(sorted(states.items(), key=_state_order)),
        complete=True,
    )


def _state_order(item: tuple[str, int]) -> int:
    order = ("pass", "fail", "error", "unknown", "not_run", "waived", "baselined", "not_applicable")
    return order.index(item[0])


def check_counts(report: Report) -> dict[str, int]:
    """How many checks ended in which verdict, all four always named."""
    found = Counter(check.verdict.value for check in report.checks)
    return {verdict.value: found[verdict.value] for verdict in Verdict}


def tone(report: Report) -> Tone:
    """How the run stands as a whole; anything not known keeps it from being good."""
    if report.exit_code in (1, 2, 3) or any(f.blocking for f in report.findings):
        return Tone.BAD
    if report.exit_code != 0 or not report.complete or unjudged(report):
        return Tone.UNKNOWN
    if report.verb in ("plan", "drift"):
        return Tone.ATTENTION if report.findings else Tone.GOOD
    if report.restore:
        return Tone.ATTENTION if report.findings else Tone.GOOD
    if not report.servers_looked_at:
        return Tone.UNKNOWN
    counted = numbers(report)
    all_healthy = 0 < counted.servers == counted.servers_healthy
    proven = all_healthy and counted.backups_inside == counted.backups
    return Tone.ATTENTION if report.findings or not proven else Tone.GOOD


def unjudged(report: Report) -> bool:
    """Whether a run that asks the rules has no answer of theirs at all."""
    return report.verb in ("plan", "up") and not report.policies


def headline(report: Report) -> str:
    """The verdict in two or three words, for the eye that reads no further."""
    standing = tone(report)
    if report.verb == "plan" and standing is Tone.GOOD:
        return "Ready to apply" if report.planned else "Nothing to change"
    if report.verb == "drift" and standing is Tone.GOOD:
        return "No drift"
    if unjudged(report) and standing is Tone.UNKNOWN:
        return "Policies not judged"
    return {
        Tone.GOOD: "All good",
        Tone.ATTENTION: "Worth a look",
        Tone.BAD: "Action needed",
        Tone.UNKNOWN: "Not complete",
    }[standing]


def servers_note(report: Report) -> str:
    """What the number of healthy servers rests on; only what was looked at is claimed."""
    counted = numbers(report)
    if not report.servers_looked_at:
        return "servers were not looked at in this run"
    if not report.servers:
        return "no server exists"
    if not report.checks:
        return "no check was run"
    if counted.servers_healthy < counted.servers:
        return f"{counted.servers - counted.servers_healthy} not proven healthy"
    verdicts = {check.verdict for check in report.checks}
    answered = "every check passed" if verdicts == {Verdict.PASS} else "every check that applies passed"
    return f"no failed task, {answered}" if report.hosts else answered


def backups_note(report: Report) -> str:
    """What the number of backups rests on."""
    counted = numbers(report)
    if not counted.backups:
        return "none is planned" if report.verb == "up" else "no backup was looked at"
    if counted.backups_looked_at < counted.backups:
        return f"{counted.backups_looked_at} of {counted.backups} looked at"
    if counted.backups_inside == counted.backups:
        return "each arrived in the vault"
    return f"{counted.backups - counted.backups_inside} outside or not known"
