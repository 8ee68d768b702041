"""What the auditor's page shows beyond the report's own fields: groups, sums, and a row for each subject."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from markupsafe import Markup

from orchestrator.reporting.humanise import plural
from orchestrator.reporting.policy.lookup import Hole, Lookup, places_of
from orchestrator.reporting.policy.model import (
    LETTERS,
    PolicyReport,
    ReportedResult,
    ReportedRule,
    ReportedWaiver,
    State,
)
from orchestrator.reporting.policy.paper import LOUD, broken, is_calm, safe
from orchestrator.reporting.policy.words import STATES, TONES, state_words
from orchestrator.reporting.tone import SEVERITIES, Tone
from orchestrator.reporting.trend import Trend, trend_of

MOST_ROWS: Final = 40
"""Rows of one rule's findings; the pairs below list every one."""
MOST_NAMED: Final = 12
MOST_HOLES: Final = 120
MOST_PRINTED: Final = 200
"""Subjects whose pairs are printed; paper for more is read by nobody, and the file has them."""
_SOON: Final = 14
_GROUP: Final = 10
_POPULATION: Final = "population."
_JUDGED: Final = "pfwb"
_FOUND: Final = ("fail", "error", "unknown")


@dataclass(frozen=True)
class RuleFindings:
    """What one rule found: its results, those that block first, and how many pairs they are."""

    rule: ReportedRule
    rows: Sequence[ReportedResult]
    pairs: int
    blocking: int


@dataclass(frozen=True)
class Share:
    """One state's piece of the bar over all pairs, in percent."""

    state: State
    x: float
    width: float


def findings(lookup: Lookup) -> list[RuleFindings]:
    """Rules that found something or could not judge, the worst severity first, then those that block."""
    by_rule: dict[str, list[ReportedResult]] = {}
    for result in lookup.report.results:
        if result.state in _FOUND:
            by_rule.setdefault(result.rule, []).append(result)
    groups = [_findings(lookup.rules[name], rows) for name, rows in by_rule.items()]
    return sorted(
        groups, key=lambda each: (SEVERITIES.index(each.rule.severity), not each.blocking, -each.pairs)
    )


def _findings(rule: ReportedRule, rows: list[ReportedResult]) -> RuleFindings:
    ranked = sorted(rows, key=lambda each: (not each.blocks, _FOUND.index(each.state)))
    pairs = {place for each in rows for place in each.on}
    blocking = {place for each in rows if each.blocks for place in each.on}
    return RuleFindings(rule, ranked, len(pairs), len(blocking))


def by_severity(groups: Sequence[RuleFindings]) -> dict[str, int]:
    """Pairs of each severity that failed or could not be judged."""
    return {name: sum(e.pairs for e in groups if e.rule.severity == name) for name in SEVERITIES}


def names(lookup: Lookup, places: Sequence[int], most: int = MOST_NAMED) -> str:
    """Names of subjects, and how many more there are."""
    told = ", ".join(lookup.report.subjects[place].name for place in places[:most])
    return told + (f" and {len(places) - most:,} more" if len(places) > most else "")


def shares(report: PolicyReport) -> list[Share]:
    """The bar over all pairs, states in a reader's order."""
    pairs, x, found = sum(report.counts.values()), 0.0, []
    for state in STATES:
        width = report.counts[state] / pairs * 100
        if width:
            found.append(Share(state, round(x, 3), round(width, 3)))
        x += width
    return found


def agreement(report: PolicyReport) -> str:
    """Whether the sources agree about who is there; one source alone has nobody to agree with."""
    if report.population.differences:
        return (
            f"{plural(report.population.differences, 'difference')} between the sources; each is a finding."
        )
    lines = [line for rule, line in report.matrix.items() if rule.startswith(_POPULATION)]
    compared = {place for line in lines for letter in _JUDGED for place in places_of(line, letter)}
    if not compared:
        return "Nothing was compared: no two sources list what is there."
    return f"The lists that were compared agree about {plural(len(compared), 'member')} of the population."


def left(waiver: ReportedWaiver) -> tuple[str, Tone]:
    """How long a waiver holds, in words, and whether somebody should look."""
    if waiver.state != "active":
        return f"{waiver.state}{f': {waiver.problem}' if waiver.problem else ''}", Tone.BAD
    if waiver.days_left is None:
        return "no end is told", Tone.BAD
    return (
        f"{plural(waiver.days_left, 'day')} left",
        Tone.ATTENTION if waiver.days_left <= _SOON else Tone.GOOD,
    )


def waivers(report: PolicyReport) -> list[ReportedWaiver]:
    """Those not in force first, then those that end soonest."""
    return sorted(
        report.waivers,
        key=lambda each: (
            each.state == "active",
            each.days_left if each.days_left is not None else -1,
            each.id,
        ),
    )


def reasons(found: Sequence[Hole]) -> Sequence[Hole]:
    """As many as the page tells."""
    return found[:MOST_HOLES]


def trends(report: PolicyReport) -> list[Trend]:
    """Four figures over the earlier runs and this one; empty where there was none before."""
    if not report.trend:
        return []
    points = [(each.at, each.counts, each.blocking) for each in report.trend]
    points.append((report.ended_at, report.counts, report.verdict.blocking))

    def over(title: str, *states: State) -> Trend:
        figures = [(at, float(sum(counts.get(state, 0) for state in states))) for at, counts, _ in points]
        return trend_of(title, "pairs, each run", _whole, figures)

    blocks = trend_of("Blocking", "pairs, each run", _whole, [(at, float(n)) for at, _, n in points])
    return [
        blocks,
        over("Failed", "fail"),
        over("Not judged", "unknown", "error", "not_run"),
        over("Excused", "waived", "baselined"),
    ]


def _whole(value: float) -> str:
    return f"{value:,.0f}"


def pair_rows(report: PolicyReport) -> Markup:
    """A row for each subject: whose it is, the numbers of the rules by state, and a letter for each rule."""
    lines = [report.matrix[rule.id] for rule in report.rules]
    ends: dict[str, str] = {}
    rows = []
    for place, subject in enumerate(report.subjects):
        letters = "".join(line[place] for line in lines)
        if letters not in ends:
            ends[letters] = _cell("Rules by state", _said(letters)) + _drawn(letters)
        calm = " class=calm" if is_calm(letters) else ""
        rows.append(
            f'<tr role="row"{calm}><th scope="row" role="rowheader" data-label="Subject"><span>'
            f'{safe(subject.name)}<br><code class="id">{broken(subject.id)}</code></span></th>'
            + _cell("Kind", _two(state_words(subject.kind), state_words(subject.source_type or subject.type)))
            + _cell(
                "Judged by",
                _two(
                    subject.profile, f"seen by {subject.witness}" if subject.witness else "no witness named"
                ),
            )
            + ends[letters]
            + "</tr>"
        )
    return Markup("\n".join(rows))  # noqa: S704  every value in it went through _safe


def _cell(label: str, content: str) -> str:
    return f'<td role="cell" data-label="{label}"><span>{content}</span></td>'


def _two(first: str, second: str) -> str:
    return f'{safe(first)}<br><span class="small">{broken(second)}</span>'


def _said(letters: str) -> str:
    """`fail 4, 17 · pass 1–3`: all that the letters say, in words; what does not apply is the rest."""
    places: dict[State, list[int]] = {}
    for number, letter in enumerate(letters, start=1):
        places.setdefault(LETTERS[letter], []).append(number)
    parts = []
    for state in STATES:
        if state in places:
            rest = "all others" if state == "not_applicable" and len(places) > 1 else ranges(places[state])
            word = f'<span class="state {TONES[state].value}">{state_words(state)}</span>'
            if state in ("pass", "not_applicable"):  # on paper they are counted
                count = plural(len(places[state]), "rule")
                rest = f'<span class="ranges">{rest}</span><span class="paper">{count}</span>'
            parts.append(f'<span class="of">{word} {rest}</span>')
    return " ".join(parts)


def ranges(numbers: Iterable[int]) -> str:
    """`1–3, 8, 11–20`."""
    runs = []
    for _, group in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0]):
        found = [number for _, number in group]
        runs.append(str(found[0]) if len(found) == 1 else f"{found[0]}–{found[-1]}")
    return ", ".join(runs)


def _drawn(letters: str) -> str:
    """The letters by tens; those that are no pass stand out. Screen readers have the words beside them."""
    tens = [letters[start : start + _GROUP] for start in range(0, len(letters), _GROUP)]
    drawn = (
        "".join(f'<b class="{letter}">{letter}</b>' if letter in LOUD else letter for letter in ten)
        for ten in tens
    )
    code = "</span> <span>".join(drawn)
    return f'<td role="cell" class="letters" aria-hidden="true"><code><span>{code}</span></code></td>'
