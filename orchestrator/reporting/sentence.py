"""The verdict in one sentence, worst news first; it claims only what the run looked at."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.reporting.findings import ranked
from orchestrator.reporting.humanise import duration, listed, plural
from orchestrator.reporting.model import Host, Report, Step, StepState
from orchestrator.reporting.plan_words import planned
from orchestrator.reporting.seen import Restore
from orchestrator.reporting.tone import Tone
from orchestrator.reporting.verdict import numbers, server_tones, tone, unjudged


def sentence(report: Report) -> str:
    """The whole verdict; formats print it as it is."""
    return report.stack + (_not_begun(report) or _ended_early(report) or _came_to_its_end(report)) + "."


def _not_begun(report: Report) -> str:
    if report.exit_code == 2 and not _written(report):
        return f": nothing was touched, because {_reason(report)}"
    if report.exit_code == 4:
        return " waits for an approval; nothing is applied until it is given"
    return ""


def _ended_early(report: Report) -> str:
    down = [host for host in report.hosts if host.failed or host.unreachable]
    broken = [
        step
        for step in report.steps
        if step.state in (StepState.FAILED, StepState.STOPPED) and not (down and step.phase == "configure")
    ]
    if not report.complete and not broken and _refusals(report):
        return f": {_refused(report)}"
    if broken:
        return f" {_broken(report, broken[0], down)}"
    if down:
        return f" is not ready: {_down(report, down)}{_urgent(report)}"
    if report.exit_code in (3, 130) or not report.complete:
        why = f" ({report.problem.rstrip('.')})" if report.problem else ""
        return f": the run ended early{why}, so what follows is not the whole picture"
    return ""


def _came_to_its_end(report: Report) -> str:
    if report.verb == "plan":
        return f" plan: {planned(report.planned, report.host_plans)}, nothing was applied{_besides(report)}"
    if report.restore and not report.findings:
        return f": {_restored(report.restore)}"
    if report.verb == "drift" and not report.findings:
        return " is as it was made: no host and no resource drifted"
    return f" {_found(report) if report.findings else _proven(report)}"


def _restored(restore: Restore) -> str:
    compared = f"{plural(restore.files, 'file')} and {plural(restore.tables, 'table')} are as they were saved"
    allowed = f"in {duration(restore.seconds)} of the {duration(restore.rto_seconds)} its RTO allows"
    whose = f"a predecessor of {restore.server}" if restore.predecessor else restore.server
    return f"{restore.plan} of {whose} was restored {allowed}, and {compared}"


def _written(report: Report) -> bool:
    return any(step.effect == "write" for step in report.steps)


def _reason(report: Report) -> str:
    first = next((f.observed or f.title for f in ranked(report.findings) if f.source == "run"), "")
    return (report.problem or first or "the input or the environment is wrong").rstrip(".")


def _refusals(report: Report) -> list[str]:
    return [
        f"{finding.rule or finding.source} on {finding.subject}"
        for finding in ranked(report.findings)
        if finding.source in ("policy", "cost") and finding.blocking
    ]


def _refused(report: Report) -> str:
    first, *others = _refusals(report)
    more = f" and {plural(len(others), 'other finding')}" if others else ""
    changed = "nothing was changed" if not _written(report) else "see below what was changed before"
    announced = f"; the plan was {planned(report.planned)}" if report.planned else ""
    return f"blocked by {first}{more}; {changed}{announced}"


def _broken(report: Report, first: Step, down: Sequence[Host]) -> str:
    ended = "failed" if first.state is StepState.FAILED else "was stopped"
    where = f" on {listed([host.name for host in down])}" if down else ""
    known = "nothing was changed" if not _written(report) else ""
    known = known if report.changes_known else "what it changed is not known"
    head = "" if report.verb == "plan" else "is not ready: "
    told = f"{first.name} {ended}{where} after {duration(first.duration_seconds)}"
    return f"{head}{told}{f'; {known}' if known else ''}{_urgent(report)}"


def _down(report: Report, down: Sequence[Host]) -> str:
    words = [
        f"{host.name} was not reachable"
        if host.unreachable
        else f"{host.name} failed at {host.failed_task or 'a task that was not named'}"
        for host in down
    ]
    others = len(report.hosts) - len(down)
    rest = f"; the other {'host was' if others == 1 else 'hosts were'} configured" if others else ""
    return listed(words) + rest


def _urgent(report: Report) -> str:
    urgent = sum(f.blocking and f.severity == "critical" and f.source != "run" for f in report.findings)
    return f"; {plural(urgent, 'critical finding')} besides" if urgent else ""


def _besides(report: Report) -> str:
    if unjudged(report):
        return "; policies: not judged"
    return f"; {_worst(report)}" if report.findings else ""


def _worst(report: Report) -> str:
    worst = ranked(report.findings)[0]
    blocking = sum(finding.blocking for finding in report.findings)
    count = plural(len(report.findings), "finding") + (f", {blocking} blocking" if blocking else "")
    return f"{count}; the worst is {worst.severity}, on {worst.subject}: {worst.title.rstrip('.')}"


def _found(report: Report) -> str:
    blocking = any(finding.blocking for finding in report.findings)
    return f"needs action: {_worst(report)}" if blocking else f"is worth a look: {_worst(report)}"


def _proven(report: Report) -> str:
    if not report.servers_looked_at:
        return "ended well, but servers were not looked at in this run" + _not_judged(report)
    if not report.servers:
        return "has no servers" + _not_judged(report)
    parts = [_healthy(report), _saved(report)]
    good = tone(report) is Tone.GOOD
    tail = "and nothing needs action" if good else "and the rest is not known"
    up = all(standing is Tone.GOOD for standing in server_tones(report).values())
    return f"{'is up' if up else 'ended well'}: {', '.join(parts)}, {tail}{_not_judged(report)}"


def _not_judged(report: Report) -> str:
    return "; policies: not judged" if unjudged(report) else ""


def _healthy(report: Report) -> str:
    counted = numbers(report)
    if not report.checks:
        return "no server was verified in this run"
    if counted.servers_healthy < counted.servers:
        return f"{counted.servers_healthy} of {counted.servers} servers are proven healthy"
    one = counted.servers == 1
    return f"{'the' if one else 'all'} {plural(counted.servers, 'server')} {'is' if one else 'are'} healthy"


def _saved(report: Report) -> str:
    counted = numbers(report)
    inside, looked, total = counted.backups_inside, counted.backups_looked_at, counted.backups
    if not total:
        return "no backup is planned" if report.verb == "up" else "no backup was looked at"
    if not looked:
        return f"none of {plural(total, 'backup')} was looked at"
    if looked < total:
        within = "inside RPO" if inside == looked else f"{inside} of them inside RPO"
        return f"{looked} of {total} backups looked at, {within}"
    if inside == total:
        return "every backup is inside its RPO"
    return f"{inside} of {total} backups arrived in the vault inside their RPO"
