"""What the page shows beyond the report's own fields: bars with places, groups of rows, shares of a whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.reporting.humanise import age, duration, utc
from orchestrator.reporting.model import Backup, Check, PolicyResult, Report, Step, Verdict

# The page stays one a phone can open; beyond this the JSON file is the list.
MOST_ROWS = 1500
AS_LEFT = "as its last converge left it, by the host's own word (tables' rows and /srv are not looked at)"
"""What `Host.unchanged_since` means, in full."""
WOULD = {
    "create": "+ would create",
    "update": "~ would update",
    "replace": "± would replace",
    "delete": "− would delete",
}
DONE = {"create": "+ created", "update": "~ updated", "replace": "± replaced", "delete": "− deleted"}
NOT_KNOWN = (
    "Not known: provisioning broke off before it could tell. The next plan shows what is still missing."
)
STANDINGS = {
    Verdict.PASS: "inside RPO",
    Verdict.FAIL: "outside RPO",
    Verdict.UNKNOWN: "not known",
    Verdict.NOT_APPLICABLE: "not applicable",
}
_SPANS = ("hourly", "daily", "weekly", "monthly", "yearly")


@dataclass(frozen=True)
class Bar:
    """One step on the time axis; `left` and `width` are thousandths of the run."""

    step: Step
    left: float
    width: float


@dataclass(frozen=True)
class Gauge:
    """A backup's age on a scale of 0 to 100 that always has the RPO on it; `words` says the same."""

    fill: float
    mark: float
    words: str


def bars(report: Report) -> list[Bar]:
    """The run's steps in order, each where it lay in the run; a step always stays wide enough to be seen."""
    start = utc(report.started_at)
    total = max(
        (utc(report.finished_at) - start).total_seconds(), sum(s.duration_seconds for s in report.steps)
    )
    placed = []
    for step in report.steps:
        share = 1000 / total if total > 0 else 0.0
        left = min(max((utc(step.started_at) - start).total_seconds() * share, 0.0), 994.0)
        width = min(max(step.duration_seconds * share, 6.0), 1000.0 - left)
        placed.append(Bar(step, round(left, 1), round(width, 1)))
    return placed


def gauge(backup: Backup) -> Gauge | None:
    """Age against RPO, or nothing where the age is not known."""
    if backup.age_seconds is None or backup.rpo_seconds <= 0:
        return None
    old = max(backup.age_seconds, 0.0)
    scale = max(old, backup.rpo_seconds)
    words = f"{age(backup.age_seconds)}, RPO {duration(backup.rpo_seconds)}"
    return Gauge(round(max(old / scale * 100, 1.5), 1), round(backup.rpo_seconds / scale * 100, 1), words)


def checks_by_server(report: Report) -> dict[str, list[Check]]:
    """Checks server by server, in the report's order."""
    grouped: dict[str, list[Check]] = {}
    for check in report.checks:
        grouped.setdefault(check.server, []).append(check)
    return grouped


def open_checks(report: Report) -> list[Check]:
    """Checks that did not pass and should have."""
    return [check for check in report.checks if check.verdict in (Verdict.FAIL, Verdict.UNKNOWN)]


def open_policies(report: Report) -> list[PolicyResult]:
    """Results that are neither a pass nor beside the point, waived and baselined ones included."""
    return [result for result in report.policies if result.state not in ("pass", "not_applicable")]


def standing(backup: Backup) -> str:
    """How a backup stands, in a word or two."""
    return STANDINGS[backup.verdict] if backup.looked_at else "not looked at"


def kept(keep: dict[str, int]) -> str:
    """A retention rule in words: `7 daily, 4 weekly`."""
    spans = sorted(keep, key=lambda span: (_SPANS.index(span) if span in _SPANS else len(_SPANS), span))
    return ", ".join(f"{keep[span]} {span}" for span in spans if keep[span]) or "not said"


def openable(url: str) -> bool:
    """Whether a link may be offered for it; any other scheme could act when clicked."""
    return url.startswith(("http://", "https://"))


def head_of(rows: Sequence[PolicyResult]) -> Sequence[PolicyResult]:
    """As many rows as the page carries."""
    return rows[:MOST_ROWS]
