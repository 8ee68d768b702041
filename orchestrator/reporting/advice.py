"""What to do after a run, most urgent first; the same for every format."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from orchestrator.reporting.findings import ranked
from orchestrator.reporting.humanise import listed, plural
from orchestrator.reporting.model import Finding, Report, Severity
from orchestrator.reporting.tone import Tone
from orchestrator.reporting.verdict import server_tones, tone


@dataclass(frozen=True)
class NextStep:
    """One thing to do; `command` can be copied, and is empty where a person has to think first."""

    action: str
    command: str
    reason: str = ""
    severity: Severity | None = None


def next_steps(report: Report, *, most: int = 5) -> list[NextStep]:
    """What to do, most urgent first; with nothing found, what a careful owner does anyway."""
    found = ranked(report.findings)
    # What could not be judged and stops nothing is told among the findings, but is nothing to do.
    first = [each for each in found if each.blocking or each.fix or not _is_slight(each)]
    first = first[:most]
    steps = [
        NextStep(f"{finding.subject}: {finding.title}", finding.fix, finding.observed, finding.severity)
        for finding in first
    ]
    if steps and len(found) > len(first):
        steps.append(NextStep(f"Then {plural(len(found) - len(first), 'other finding')}", ""))
    return [*steps, _afterwards(report)] if steps else _careful(report)


def _is_slight(finding: Finding) -> bool:
    return finding.unjudged or finding.severity == "low"


def _afterwards(report: Report) -> NextStep:
    """How to see that it is mended: a verb is only repeated where a repeat can end otherwise."""
    fleet = shlex.quote(report.fleet_file)
    blocking = {finding.source for finding in report.findings if finding.blocking}
    sources = blocking or {finding.source for finding in report.findings}
    if "policy" in sources:
        change = "Change the fleet file, then see what the rules say of it"
        return NextStep(change, f"steward plan --fleet {fleet}", "plan changes nothing")
    if sources == {"check"} and report.verb == "verify":
        put_back = "Put back what was changed on the servers, and look again"
        return NextStep(put_back, f"steward up --fleet {fleet}", "drift says what a hand changed there")
    if sources <= {"check", "backup"}:
        mend = "Mend what was found, then look again"
        looks = "verify" if sources == {"check"} else "backup status"
        return NextStep(mend, f"steward {looks} --fleet {fleet}", "this only looks")
    if report.verb == "repin":  # its own refusal says with which options it is to be repeated
        return NextStep("Look at every server", f"steward verify --fleet {fleet}", "this only looks")
    mend = "When the cause is mended, run again"
    return NextStep(
        mend, f"steward {report.verb} --fleet {fleet}", "steps that are already done change nothing"
    )


def _careful(report: Report) -> list[NextStep]:
    fleet = shlex.quote(report.fleet_file)
    if report.verb == "plan":
        due = any(host.state == "change" for host in report.host_plans)
        if not (report.planned or due) or tone(report) is not Tone.GOOD:
            return [NextStep("Look at every server", f"steward verify --fleet {fleet}")]
        return [NextStep("Apply the plan once it is what you want", f"steward up --fleet {fleet}")]
    if report.verb == "drift":
        return [NextStep("Look at every server", f"steward verify --fleet {fleet}")]
    silent = [name for name, standing in server_tones(report).items() if standing is not Tone.GOOD]
    checked = [NextStep(f"Verify {listed(silent)}: no proof of health", f"steward verify --fleet {fleet}")]
    unseen = any(not backup.looked_at for backup in report.backups)
    status = [NextStep("Look at the backups that were left out", f"steward backup status --fleet {fleet}")]
    return [
        *(checked if silent else []),
        *(status if unseen else []),
        *([] if silent else [NextStep("Look at every server again", f"steward verify --fleet {fleet}")]),
        *_read_back(report, fleet),
    ]


def _read_back(report: Report, fleet: str) -> list[NextStep]:
    """A backup is worth what its restore is worth: one that arrived, as a command to copy."""
    found = next((backup for backup in report.backups if backup.snapshot), None)
    if found is None:
        return []
    names = f"--host {shlex.quote(found.server)} --plan {shlex.quote(found.plan)}"
    action = "Read a backup back into a scratch folder, and compare it"
    return [NextStep(action, f"steward backup restore --fleet {fleet} {names}")]
