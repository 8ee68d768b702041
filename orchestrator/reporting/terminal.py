"""The last thing a run prints, and the list of findings: plain text that fits the window."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from orchestrator.reporting.advice import next_steps
from orchestrator.reporting.columns import columns, shorten
from orchestrator.reporting.escape import terminal, terminal_line
from orchestrator.reporting.findings import ranked, symbol
from orchestrator.reporting.humanise import age, duration, instant, plural
from orchestrator.reporting.model import Finding, Report, Verdict
from orchestrator.reporting.sentence import sentence
from orchestrator.reporting.tone import SEVERITIES, SYMBOLS, Tone
from orchestrator.reporting.verdict import check_counts, policy_counts, tone, unjudged

_INDENT = 12
_MOST_LINES = 12
"""Of one value or list; who wants it whole finds it in the report."""
_MOST_NAMED = 3
"""Findings that the summary names; of more it says how many are how grave, since all of them follow."""
_LOOKS = ("plan", "verify", "drift")
"""Verbs that people run to see what is wrong."""
_CODES = {"good": "32", "attention": "33", "bad": "31", "unknown": "36", "bold": "1", "dim": "2"}
_SEVERITY_TONES = {"critical": "bad", "high": "bad", "medium": "attention", "low": "unknown"}
_MOST_SITES = 4
_MOST_REFUSED = 2
_OPS = {"create": "created", "update": "updated", "replace": "replaced", "delete": "deleted"}


def summary(report: Report, report_path: Path | str, width: int = 80, colour: bool = False) -> str:
    """What a run did, in at most `width` columns; only the report's path may be longer, to be copied."""
    paint = _Painter(colour)
    lines = [_headline(report, width, paint)]
    if tone(report) is not Tone.GOOD or report.verb == "plan":
        lines += _wrapped("verdict", terminal(sentence(report)).split(" "), width, paint, " ")
    rows: list[tuple[str, list[str], str]] = [
        ("servers", [f"{terminal(s.name)}  ssh {terminal(s.ssh)}" for s in report.servers], "   "),
        ("sites", _sites(report), "   "),
        ("planned", _planned(report), " · "),
        ("changed", _changed(report), " · "),
        ("upgraded", _upgraded(report), " · "),
        ("backups", _backups(report), "  "),
        ("checks", _checks(report), " · "),
        ("refused", _refused(report) if report.verb == "verify" else [], " · "),
        ("policies", _policies(report), " · "),
        ("findings", _counted_findings(report), " · "),
    ]
    for label, items, between in rows:
        if items:
            lines += _wrapped(label, items, width, paint, between)
    steps = [terminal(step.command or step.action) for step in next_steps(report, most=3)]
    lines += _wrapped("next", steps, width, paint, " · ")
    lines.append(f" {paint('dim', 'report'.ljust(_INDENT - 2))} {terminal(str(report_path))}")
    return "\n".join(lines) + "\n"


def _sites(report: Report) -> list[str]:
    """`web-1  http://127.0.0.1:26045/`, of the first servers that serve one."""
    found = [f"{terminal(each.name)}  {terminal(each.urls[0])}" for each in report.servers if each.urls]
    more = len(found) - _MOST_SITES
    return found[:_MOST_SITES] + ([f"and {more} more"] if more > 0 else [])


def _upgraded(report: Report) -> list[str]:
    """`web-1 12 packages (3 security), rebooted`"""
    found = []
    for each in report.patched:
        security = sum(1 for upgrade in each.upgrades if upgrade.security)
        text = f"{terminal(each.server)} {plural(len(each.upgrades), 'package')}"
        text += f" ({security} security)" if security else ""
        found.append(text + (", rebooted" if each.rebooted else ""))
    return found


def lists_findings(report: Report) -> bool:
    """Whether a run ends with its findings after the summary: where one stops it, or where to look was asked.

    Of an `up` that went well the summary is the last screen, and says how the findings are seen.
    """
    looked = report.verb in _LOOKS or report.exit_code != 0
    return bool(report.findings) and (looked or any(finding.blocking for finding in report.findings))


def findings(report: Report, width: int = 80, colour: bool = False) -> str:
    """Every finding with what was seen, what was expected and how to fix it, worst first."""
    paint = _Painter(colour)
    blocking = sum(finding.blocking for finding in report.findings)
    if not report.findings:
        return f"{shorten(terminal(report.stack), width - 15)}: no findings\n"
    head = f"{terminal(report.stack)}: {plural(len(report.findings), 'finding')}, {blocking} blocking"
    lines = [paint("bold", shorten(head, width))]
    for finding in ranked(report.findings):
        lines += ["", *_finding(finding, width, paint)]
    return "\n".join(lines) + "\n"


class _Painter:
    """Adds colour where the caller wants it; text is neutralised before it comes here."""

    def __init__(self, colour: bool) -> None:
        self.colour = colour

    def __call__(self, style: str, text: str) -> str:
        return f"\x1b[{_CODES[style]}m{text}\x1b[0m" if self.colour else text


def _headline(report: Report, width: int, paint: _Painter) -> str:
    standing = tone(report)
    took = duration((report.finished_at - report.started_at).total_seconds())
    ended = {Tone.GOOD: "in", Tone.BAD: "failed after"}.get(standing, "ended after")
    ended = "with findings in" if standing is Tone.ATTENTION and report.findings else ended
    right = f"run {shorten(terminal(report.run), 26)}  {instant(report.finished_at)}"
    left = f"{SYMBOLS[standing]} {terminal(report.stack)}  {terminal(report.verb)} {ended} {took}"
    if columns(left) + columns(right) + 3 > width:
        left = shorten(left, width - 1)
        second = " " * max(1, width - columns(right)) + shorten(right, width - 1)
        return " " + paint("bold", paint(standing.value, left)) + "\n" + paint("dim", second)
    gap = " " * (width - 1 - columns(left) - columns(right))
    return " " + paint("bold", paint(standing.value, left)) + gap + paint("dim", right)


def _planned(report: Report) -> list[str]:
    counts = {op: sum(change.op == op for change in report.planned) for op in _OPS}
    return [f"{count} would be {_OPS[op]}" for op, count in counts.items() if count]


def _changed(report: Report) -> list[str]:
    counts = {op: sum(change.op == op for change in report.changes) for op in _OPS}
    items = [f"{count} {_OPS[op]}" for op, count in counts.items() if count]
    if not report.changes_known:
        items = ["not known: provisioning broke off before it could tell"]
    elif not items:
        same = report.unchanged and not report.planned
        items = [f"nothing, {plural(report.unchanged, 'resource')} as they were" if same else "nothing"]
    if report.hosts:
        idle = sum(bool(host.unchanged_since) for host in report.hosts)
        good = sum(not (host.failed or host.unreachable) for host in report.hosts) - idle
        tasks = sum(host.ok + host.failed for host in report.hosts)
        changed = sum(host.changed for host in report.hosts)
        if good:
            items.append(f"{plural(good, 'host')} configured ({plural(tasks, 'task')}, {changed} changed)")
        if idle:
            left = "it, by its own word" if idle == 1 else "them, by their own word"
            items.append(f"{plural(idle, 'host')} as the last converge left {left}")
        broken = [terminal(host.name) for host in report.hosts if host.failed or host.unreachable]
        items += [f"failed on {name}" for name in broken]
    return items


def _backups(report: Report) -> list[str]:
    good = [backup for backup in report.backups if backup.verdict is Verdict.PASS]
    items = [f"{terminal(backup.plan)}/{terminal(backup.server)}" for backup in good]
    ages = [backup.age_seconds for backup in good if backup.age_seconds is not None]
    if good:
        fresh = sum(backup.taken_in_this_run for backup in good)
        taken = (
            "taken in this run, " if fresh == len(good) else f"{fresh} taken in this run, " if fresh else ""
        )
        items.append(f"{taken}inside RPO" + (f", newest {age(min(ages))}" if ages else ""))
    unseen = sum(not backup.looked_at for backup in report.backups)
    items += [f"{unseen} of {len(report.backups)} not looked at"] if unseen else []
    for backup in report.backups:
        if backup.looked_at and backup.verdict in (Verdict.FAIL, Verdict.UNKNOWN):
            what = "OUTSIDE RPO" if backup.verdict is Verdict.FAIL else "NOT KNOWN"
            what = "NOT RESTORED" if backup.unrestored is not None else what
            items.append(f"{terminal(backup.plan)}/{terminal(backup.server)} {what}")
    return items


def _checks(report: Report) -> list[str]:
    if not report.checks:
        return []
    counts = check_counts(report)
    items = [f"{counts['pass']} passed", f"{counts['fail']} failed"]
    items += [f"{counts['unknown']} unknown"] if counts["unknown"] else []
    return items + ([f"{counts['not_applicable']} not applicable"] if counts["not_applicable"] else [])


def _refused(report: Report) -> list[str]:
    """What does not apply and why, once for all servers that give the same reason."""
    found: dict[tuple[str, str], int] = {}
    for check in report.checks:
        if check.verdict is Verdict.NOT_APPLICABLE:
            found[check.check, check.observed] = found.get((check.check, check.observed), 0) + 1
    told = [f"{terminal(name)} on {count}: {terminal(why)}" for (name, why), count in found.items()]
    more = len(told) - _MOST_REFUSED
    return told[:_MOST_REFUSED] + ([f"and {more} more, in the report"] if more > 0 else [])


def _policies(report: Report) -> list[str]:
    if not report.policies:
        return ["not judged"] if unjudged(report) else []
    counts = policy_counts(report)
    between = "×" if counts.complete else "over"
    states = [f"{count} {state.replace('_', ' ')}" for state, count in counts.states.items()]
    population = f"{plural(counts.rules, 'rule')} {between} {plural(counts.subjects, 'subject')}"
    return [f"{population}: {states[0]}", *states[1:]]


def _counted_findings(report: Report) -> list[str]:
    if len(report.findings) <= _MOST_NAMED:
        items = [f"{finding.severity} {terminal(finding.subject)}" for finding in ranked(report.findings)]
    else:
        counts = Counter(finding.severity for finding in report.findings)
        items = [f"{counts[severity]} {severity}" for severity in SEVERITIES if counts[severity]]
    return items if not items or lists_findings(report) else [*items, "none stops a run: steward report"]


def _finding(finding: Finding, width: int, paint: _Painter) -> Iterable[str]:
    style = "unknown" if finding.unjudged else _SEVERITY_TONES[finding.severity]
    effect = "blocks" if finding.blocking else "does not block"
    rest = width - 23 - len(effect)
    about = " ".join(part for part in (terminal(finding.subject), terminal(finding.rule)) if part)
    about = shorten(about, max(8, rest))
    gap = " " * max(2, rest + 2 - columns(about))
    mark = paint(style, f"{symbol(finding)} {finding.severity:<8}")
    yield f" {mark}  {paint('bold', about)}{gap}{paint('dim', effect)}"
    yield from _wrapped("", terminal(finding.title).split(" "), width, paint, " ")
    for label, value in (("saw", finding.observed), ("expected", finding.expected), ("fix", finding.fix)):
        if value:
            yield from _wrapped(label, terminal(value).split(" "), width, paint, " ")


def _wrapped(label: str, items: list[str], width: int, paint: _Painter, between: str) -> list[str]:
    """A label and its items, broken between items where the line is full and inside one only if it must."""
    room = max(20, width - _INDENT)
    lines, line = [], ""
    for item in (piece for whole in items for piece in _pieces(whole, room)):
        joined = f"{line}{between}{item}" if line else item
        if columns(joined) > room:
            lines.append(line)
            joined = item
        line = joined
        if len(lines) > _MOST_LINES:
            break
    lines.append(line)
    if len(lines) > _MOST_LINES:
        lines = [*lines[: _MOST_LINES - 1], "… the rest is in the report"]
    first = f" {paint('dim', f'{label:<{_INDENT - 2}}')} {lines[0]}"
    rest = (terminal_line(" " * _INDENT + line) for line in lines[1:])
    return [line.rstrip() for line in [first if label else terminal_line(first), *rest]]


def _pieces(text: str, room: int) -> Iterable[str]:
    """The text in pieces that fit, cut at a space where one is near; no more than can be shown: a hostile
    text has no end. A piece that goes on is as wide as there is room, so nothing is put behind it.
    """
    piece, used, count = "", 0, 0
    for character in text:
        width = columns(character)
        if used + width > room:
            head, _, tail = piece.rpartition(" ")
            if columns(head) < room // 2:
                head, tail = piece, ""
            yield head + " " * (room - columns(head))
            piece, used, count = tail, columns(tail), count + 1
            if count > _MOST_LINES:
                return
        piece, used = piece + character, used + width
    yield piece
