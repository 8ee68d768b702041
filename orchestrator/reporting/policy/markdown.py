"""The report as a merge-request comment under 60,000 characters: the verdict first, then what blocks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from orchestrator.reporting.escape import markdown_code, markdown_text
from orchestrator.reporting.humanise import instant, listed, plural
from orchestrator.reporting.policy.lookup import Lookup, holes
from orchestrator.reporting.policy.model import PolicyReport, ReportedResult, ReportedRule
from orchestrator.reporting.policy.standing import standings
from orchestrator.reporting.policy.words import STATES, beside_sources, headline, state_words, sum_words, tone
from orchestrator.reporting.tone import SYMBOLS

MOST: Final = 60_000
"""Characters of a whole comment; code hosts refuse from 65,536 on."""
_KEPT: Final = 3_000
"""Characters that stay free for the heads, the ends of tables and the last line."""
_MOST_ROWS: Final = 60
_LONGEST: Final = 240
_NAMED: Final = 4


class _Comment:
    """Parts of the comment, and how much room is left; rows that do not fit are counted."""

    def __init__(self, last: str) -> None:
        self.parts: list[str] = []
        self._left = MOST - _KEPT - len(last)

    def text(self, text: str) -> None:
        self.parts.append(text)
        self._left -= len(text) + 2

    def table(self, title: str, heads: Sequence[str], rows: Iterable[Sequence[str]], count: str = "") -> None:
        """A table with its title, as far as it fits, and a counted rest; nothing where there is no row.

        `count`: of what is in it; of its rows where it is left out.
        """
        lines = ["| " + " | ".join(row) + " |" for row in rows]
        if not lines:
            return
        top = [
            f"#### {title} ({count or len(lines)})",
            "",
            "| " + " | ".join(heads) + " |",
            "|" + " --- |" * len(heads),
        ]
        shown: list[str] = []
        room = self._left - sum(map(len, top))
        for line in lines[:_MOST_ROWS]:
            room -= len(line) + 1
            if room < 0:
                break
            shown.append(line)
        rest = len(lines) - len(shown)
        more = (
            [f"| and {plural(rest, 'more row')} in the JSON report |" + " |" * (len(heads) - 1)]
            if rest
            else []
        )
        self.text("\n".join([*top, *shown, *more]))


def to_markdown(report: PolicyReport) -> str:
    """The whole comment; values are inline code, so none can mention, link or command."""
    lookup, last = Lookup(report), _provenance(report)
    comment = _Comment(last)
    words = markdown_text(_short(report.verdict.words, 600))
    comment.text(f"### {SYMBOLS[tone(report)]} {headline(report)}\n\n{words}")
    heads = [state_words(state) for state in STATES]
    numbers = [f"**{report.counts[state]:,}**" for state in STATES]
    comment.text("\n".join(f"| {' | '.join(row)} |" for row in (heads, ["---"] * len(heads), numbers)))
    comment.text(
        f"{plural(len(report.rules), 'rule')} × {plural(len(report.subjects), 'subject')} = "
        f"{len(report.rules) * len(report.subjects):,} pairs = {sum_words(report.counts)}. "
        f"{report.phase} of {markdown_code(report.stack)}, {_kinds(report)}."
    )
    _open(comment, lookup)
    _excused(comment, report)
    _beside(comment, report)
    comment.table(
        "Controls",
        ("Framework", "Met", "Not met", "Not shown", "Excused", "Nothing to judge"),
        _controls(report),
    )
    return "\n\n".join([*comment.parts, last]) + "\n"


def _kinds(report: PolicyReport) -> str:
    kinds = sorted(report.population.by_kind.items())
    return ", ".join(f"{count} {state_words(kind)}" for kind, count in kinds if count)


def _open(comment: _Comment, lookup: Lookup) -> None:
    order = ("critical", "high", "medium", "low")
    ranked = sorted(lookup.report.results, key=lambda each: order.index(lookup.rules[each.rule].severity))
    blocks = [each for each in ranked if each.blocks]
    fails = [each for each in ranked if each.state == "fail" and not each.blocks]
    heads = ("Severity", "Rule", "Subjects", "Observed", "Expected", "Fix")
    stopping = _pairs(blocks)
    rows = (_row(lookup, each) for each in blocks)
    comment.table("What blocks", heads, rows, _pairs_words(len(stopping)))
    rows = (_row(lookup, each) for each in fails)
    comment.table("Fails, and does not block", heads, rows, _pairs_words(len(_pairs(fails) - stopping)))
    found = holes(lookup)
    comment.table(
        "Not judged, so no pass",
        ("State", "Rule", "Subjects", "Why"),
        (
            (
                state_words(hole.state),
                _rules(hole.rules),
                _names(lookup, hole.places),
                _code(hole.why),
            )
            for hole in found
        ),
        _pairs_words(sum(hole.pairs for hole in found)),
    )  # fmt: skip


def _pairs(results: Iterable[ReportedResult]) -> set[tuple[str, int]]:
    """What is counted everywhere: a pair that is wrong at two places has two rows, and is one."""
    return {(each.rule, place) for each in results for place in each.on}


def _pairs_words(count: int) -> str:
    return f"{count:,} pair" + "s" * (count != 1)


def _row(lookup: Lookup, result: ReportedResult) -> tuple[str, ...]:
    rule = lookup.rules[result.rule]
    seen = result.observed or result.message
    state = "" if result.state == "fail" else f", {state_words(result.state)}"
    return (
        f"{rule.severity}{state}",
        _code(result.rule),
        _names(lookup, result.on),
        _code(f"{result.path}: {seen}" if result.path else seen),
        _code(result.expected),
        _text(result.remediation or rule.remediation),
    )


def _names(lookup: Lookup, places: Sequence[int]) -> str:
    named = [_code(lookup.report.subjects[place].name, 80) for place in places[:_NAMED]]
    rest = len(places) - len(named)
    return ", ".join(named) + (f" and {rest:,} more" if rest else "")


def _rules(rules: Sequence[ReportedRule]) -> str:
    rest = len(rules) - _NAMED
    return ", ".join(_code(rule.id, 80) for rule in rules[:_NAMED]) + (
        f" and {rest:,} more" if rest > 0 else ""
    )


def _excused(comment: _Comment, report: PolicyReport) -> None:
    comment.table(
        "Waivers",
        ("Waiver", "State", "Rule", "Subject", "Pairs, excused", "Owner, approver", "Expires", "Reason"),
        (
            (
                _code(each.id),
                each.state + (f": {_text(each.problem)}" if each.problem else ""),
                _code(each.rule),
                _code(each.subject),
                f"{each.matched:,}, {each.excused:,}",
                f"{_code(each.owner)}, {_code(each.approver)}",
                _expiry(each.expires.isoformat() if each.expires else "", each.days_left),
                _text(each.reason),
            )
            for each in report.waivers
        ),
    )
    lapsed = [(_code(each.rule), _code(each.subject), _text(each.why)) for each in report.baseline.lapsed]
    comment.table("Lapsed from the baseline", ("Rule", "Subject", "Why"), lapsed)


def _expiry(expires: str, days_left: int | None) -> str:
    if not expires:
        return "never said"
    return expires if days_left is None else f"{expires}, {plural(days_left, 'day')} left"


def _beside(comment: _Comment, report: PolicyReport) -> None:
    comment.table(
        "Deferred at the plan",
        ("Rule", "Subject", "Value", "Settled"),
        (
            (
                _code(each.rule),
                _code(each.subject),
                _code(each.path),
                state_words(each.settled_state) or "not yet",
            )
            for each in report.deferred
        ),
    )
    comment.table(
        "Not checked",
        ("What", "Why", "Next"),
        ((_text(each.what), _text(each.why), _text(each.next_step)) for each in report.not_checked),
    )


def _controls(report: PolicyReport) -> list[tuple[str, ...]]:
    rows = []
    found = standings(report)
    for framework in report.frameworks:
        stands = Counter(each.stand for each in found[framework.id])
        counted = (
            stands["met"],
            stands["not met"],
            stands["not shown"],
            stands["excused"],
            stands["nothing to judge"],
        )
        rows.append((_code(f"{framework.title} {framework.version}".strip()), *map(str, counted)))
    return rows


def _provenance(report: PolicyReport) -> str:
    told = [(each.name, each.subjects) for each in report.population.sources]
    beside = beside_sources(report) if told else []
    sources = ", ".join([listed([f"{name} {count}" for name, count in told], most=9)]
                        + [f"{name} {count:+d}" for name, count in beside])  # fmt: skip
    return (
        f"Run {_code(report.run)} by {_code(report.actor)}, {instant(report.ended_at)}, exit code "
        f"{report.verdict.exit_code}. Rules {_code(report.digests.rules)}, profiles "
        f"{_code(report.digests.profiles)}, commit {_code(report.commit or 'not said')}"
        + (f", change {_code(report.change_id)}" if report.change_id else "")
        + (f". Sources: {_code(sources)}" if sources else "")
        + "."
    )


def _code(value: str, longest: int = _LONGEST) -> str:
    return markdown_code(_short(value, longest))


def _text(value: str) -> str:
    return markdown_text(_short(value, _LONGEST))


def _short(value: str, longest: int) -> str:
    return value if len(value) <= longest else value[: longest - 1] + "…"
