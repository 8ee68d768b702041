"""What the page shows beyond the report's own fields: groups of rows, shares, ends of long lists."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from orchestrator.reporting.findings import ranked
from orchestrator.reporting.humanise import age, duration
from orchestrator.reporting.model import Backup, Change, Check, Finding, Host, PolicyResult, Report, Verdict
from orchestrator.reporting.plan_words import consequences

# The page stays one a phone can open; beyond this the JSON file is the list.
MOST_ROWS = 400
MOST_FINDINGS, MOST_SERVER_ROWS = 60, 24
MOST_SERVERS = 24
"""With more servers, checks are counted by what was checked and not listed server by server."""
Row = TypeVar("Row")
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
class Gauge:
    """A backup's age on a scale of 0 to 100 that always has the RPO on it; `words` says the same."""

    fill: float
    mark: float
    words: str


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
    if backup.unrestored is not None:
        return "not restored"
    return STANDINGS[backup.verdict] if backup.looked_at else "not looked at"


def kept(keep: dict[str, int]) -> str:
    """A retention rule in words: `7 daily, 4 weekly`."""
    spans = sorted(keep, key=lambda span: (_SPANS.index(span) if span in _SPANS else len(_SPANS), span))
    return ", ".join(f"{keep[span]} {span}" for span in spans if keep[span]) or "not said"


def any_consequence(changes: Sequence[Change]) -> bool:
    """Whether any change does more than to make a thing."""
    return any(consequences(change) for change in changes)


def is_id(text: str) -> bool:
    """Whether it is an id as we make them, and so can stand in a path of a link."""
    return re.fullmatch(r"[0-9A-Za-z]{1,64}", text) is not None


def openable(url: str) -> bool:
    """Whether a link may be offered for it; any other scheme could act when clicked."""
    return url.startswith(("http://", "https://"))


def milliseconds(seconds: float) -> str:
    """How long an answer took, fine enough to compare."""
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else duration(seconds)


def head_of(rows: Sequence[Row], most: int = MOST_ROWS) -> Sequence[Row]:
    """As many rows as the page carries."""
    return rows[:most]


def hosts(report: Report) -> list[Host]:
    """Hosts in the report's order; where not all fit, those that failed come first."""
    if len(report.hosts) <= MOST_SERVER_ROWS:
        return list(report.hosts)
    return sorted(report.hosts, key=lambda host: not (host.failed or host.unreachable))


def backups(report: Report) -> list[Backup]:
    """Backups in the report's order; where not all fit, those that are not inside their RPO come first."""
    if len(report.backups) <= MOST_SERVER_ROWS:
        return list(report.backups)
    return sorted(report.backups, key=lambda row: row.verdict is Verdict.PASS)


@dataclass(frozen=True)
class Told:
    """One finding, or many that differ in their subject alone; `fix` is the first one's."""

    first: Finding
    subjects: Sequence[str]
    same_fix: bool
    same_seen: bool


def told(findings: Sequence[Finding]) -> list[Told]:
    """Ranked findings; what many subjects share is told once."""
    alike: dict[tuple[object, ...], list[Finding]] = {}
    for each in ranked(findings):
        key = (each.source, each.severity, each.blocking, each.title, each.rule, each.expected)
        alike.setdefault(key, []).append(each)
    return [
        Told(
            group[0],
            [each.subject for each in group],
            len({each.fix for each in group}) == 1,
            len({each.observed for each in group}) == 1,
        )
        for group in alike.values()
    ]


@dataclass(frozen=True)
class Tally:
    """How often one check or rule ended in which state."""

    name: str
    states: dict[str, int]


def checks_by_title(report: Report) -> list[Tally]:
    """Every kind of check with its verdicts, those that need a look first."""
    return _tallies((check.title, check.verdict.value) for check in report.checks)


def policies_by_rule(report: Report) -> list[Tally]:
    """Every rule with its states, those that need a look first."""
    return _tallies((result.rule, result.state) for result in report.policies)


def _tallies(pairs: Iterable[tuple[str, str]]) -> list[Tally]:
    counted: dict[str, Counter[str]] = {}
    for name, state in pairs:
        counted.setdefault(name, Counter())[state] += 1
    tallies = [Tally(name, dict(sorted(states.items()))) for name, states in counted.items()]
    good = ("pass", "not_applicable")
    return sorted(tallies, key=lambda tally: all(state in good for state in tally.states))
