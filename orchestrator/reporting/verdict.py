"""What a report amounts to: a sentence, a few counts, and what to do next; the same for every format."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from orchestrator.reporting.findings import SEVERITIES, ranked
from orchestrator.reporting.humanise import duration, listed, plural
from orchestrator.reporting.model import Finding, Report, Severity, Step, StepState, Verdict


class Tone(StrEnum):
    """How a thing stands. Formats pair each with a symbol and a word, so colour never carries it alone."""

    GOOD = "good"
    ATTENTION = "attention"
    BAD = "bad"
    UNKNOWN = "unknown"


SYMBOLS: dict[Tone, str] = {Tone.GOOD: "✓", Tone.ATTENTION: "!", Tone.BAD: "✕", Tone.UNKNOWN: "?"}
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
    """The four numbers of the first screen, with what each is counted against."""

    servers_healthy: int
    servers: int
    findings: dict[Severity, int]
    blocking: int
    backups_inside: int
    backups: int


@dataclass(frozen=True)
class PolicyCounts:
    """How many (rule, subject) pairs ended in which state; the states always add up to `pairs`."""

    rules: int
    subjects: int
    pairs: int
    states: dict[str, int]

    @property
    def complete(self) -> bool:
        """Whether every rule met every subject, so that rules × subjects is a true claim."""
        return self.rules * self.subjects == self.pairs


@dataclass(frozen=True)
class NextStep:
    """One thing to do; `command` can be copied, and is empty where a person has to think first."""

    action: str
    command: str
    reason: str = ""
    severity: Severity | None = None


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
    tones = {}
    for server in report.servers:
        host = hosts.get(server.name)
        verdicts = {check.verdict for check in report.checks if check.server == server.name}
        if (host and (host.unreachable or host.failed)) or Verdict.FAIL in verdicts:
            tones[server.name] = Tone.BAD
        elif Verdict.PASS in verdicts and Verdict.UNKNOWN not in verdicts:
            tones[server.name] = Tone.GOOD
        else:
            tones[server.name] = Tone.UNKNOWN
    return tones


def numbers(report: Report) -> Numbers:
    """Counts for the first screen; `backups_inside` counts proven ones only."""
    tones = server_tones(report)
    found = Counter(finding.severity for finding in report.findings)
    return Numbers(
        servers_healthy=sum(tone is Tone.GOOD for tone in tones.values()),
        servers=len(tones),
        findings={severity: found[severity] for severity in SEVERITIES},
        blocking=sum(finding.blocking for finding in report.findings),
        backups_inside=sum(backup.verdict is Verdict.PASS for backup in report.backups),
        backups=sum(backup.verdict is not Verdict.NOT_APPLICABLE for backup in report.backups),
    )


def policy_counts(report: Report) -> PolicyCounts:
    """The population the rules were run over; nothing is folded into pass."""
    return PolicyCounts(
        rules=len({result.rule for result in report.policies}),
        subjects=len({result.urn or result.subject for result in report.policies}),
        pairs=len(report.policies),
        states=dict(sorted(Counter(result.state for result in report.policies).items(), key=_state_order)),
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
    if report.exit_code != 0 or not report.complete:
        return Tone.UNKNOWN
    counted = numbers(report)
    proven = counted.servers_healthy == counted.servers and counted.backups_inside == counted.backups
    return Tone.ATTENTION if report.findings or not proven else Tone.GOOD


def sentence(report: Report) -> str:
    """The verdict in one sentence, worst news first."""
    stack = report.stack
    if report.exit_code == 2:
        reason = report.findings[0].title if report.findings else "the input or the environment is wrong"
        return f"{stack}: nothing was touched, because {reason.rstrip('.')}."
    if report.exit_code == 4:
        return f"{stack} waits for an approval; nothing is applied until it is given."
    broken = [step for step in report.steps if step.state in (StepState.FAILED, StepState.STOPPED)]
    if broken or report.exit_code in (3, 130) or not report.complete:
        return _broken(report, broken)
    if report.findings:
        return f"{stack} {_found(report)}"
    return f"{stack} {_proven(report)}"


def _broken(report: Report, broken: Sequence[Step]) -> str:
    if not broken:
        return f"{report.stack}: the run ended early, so what follows is not the whole picture."
    first = broken[0]
    ended = "failed" if first.state is StepState.FAILED else "was stopped"
    skipped = sum(step.state is StepState.SKIPPED for step in report.steps)
    rest = f", and {plural(skipped, 'later step')} did not run" if skipped else ""
    down = [host.name for host in report.hosts if host.failed or host.unreachable]
    where = f" on {listed(down)}" if down else ""
    took = duration(first.duration_seconds)
    urgent = sum(f.blocking and f.severity == "critical" and f.source != "run" for f in report.findings)
    besides = f"; {plural(urgent, 'critical finding')} besides" if urgent else ""
    return f"{report.stack} is not ready: {first.name} {ended}{where} after {took}{rest}{besides}."


def _found(report: Report) -> str:
    worst = ranked(report.findings)[0]
    blocking = sum(finding.blocking for finding in report.findings)
    count = plural(len(report.findings), "finding")
    head = f"needs action: {count}, {blocking} blocking" if blocking else f"is up, with {count} to look at"
    return f"{head}; the worst is {worst.severity}, on {worst.subject}: {worst.title.rstrip('.')}."


def _proven(report: Report) -> str:
    counted = numbers(report)
    if not counted.servers:
        return "has no servers."
    if counted.servers_healthy == counted.servers:
        verb = "is" if counted.servers == 1 else "are"
        parts = [
            f"{'the' if counted.servers == 1 else 'all'} {plural(counted.servers, 'server')} {verb} healthy"
        ]
    else:
        parts = [f"{counted.servers_healthy} of {counted.servers} servers are proven healthy"]
    if not counted.backups:
        parts.append("no backup was looked at")
    elif counted.backups_inside == counted.backups:
        parts.append("every backup is inside its RPO")
    else:
        parts.append(f"{counted.backups_inside} of {counted.backups} backups are proven inside their RPO")
    tail = "and nothing needs action" if tone(report) is Tone.GOOD else "and the rest is not known"
    return f"is up: {', '.join(parts)}, {tail}."


def next_steps(report: Report, *, most: int = 5) -> list[NextStep]:
    """What to do, most urgent first; with nothing found, what a careful owner does anyway."""
    found = ranked(report.findings)
    steps = [
        NextStep(f"{finding.subject}: {finding.title}", finding.fix, finding.observed, finding.severity)
        for finding in found[:most]
    ]
    if len(found) > most:
        steps.append(NextStep(f"Then the other {len(found) - most} findings, listed below", ""))
    fleet = shlex.quote(report.fleet_file)
    if steps:
        again = f"steward {report.verb} --fleet {fleet}"
        return [
            *steps,
            NextStep("Run again and compare", again, "steps that are already done change nothing"),
        ]
    silent = [name for name, standing in server_tones(report).items() if standing is not Tone.GOOD]
    checked = [NextStep(f"Verify {listed(silent)}: no proof of health", f"steward verify --fleet {fleet}")]
    return [
        *(checked if silent else []),
        NextStep("Look at every server again", f"steward verify --fleet {fleet}"),
        NextStep(
            "Read a backup back into a scratch folder", f"steward backup restore --fleet {fleet} --help"
        ),
    ]
