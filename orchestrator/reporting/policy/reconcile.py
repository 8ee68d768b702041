"""Whether a report adds up: every pair counted once, every letter borne out, and a verdict that follows."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Final

from orchestrator.errors import InputError, ToolError
from orchestrator.reporting.policy.lookup import places_of
from orchestrator.reporting.policy.model import LETTERS, PolicyReport, ReportedResult, State
from policies.model import stops

WORST: Final[tuple[State, ...]] = (
    *("error", "fail", "unknown", "not_run"),
    *("waived", "baselined", "pass", "not_applicable"),
)
"""Which state a pair has that has several results: the first of these."""
_RANKS: Final[Mapping[str, int]] = {state: rank for rank, state in enumerate(WORST)}
_LETTERS: Final = tuple(letter for state in WORST for letter, named in LETTERS.items() if named == state)
"""Of the states, in their order."""
_TOLD: Final = frozenset(letter for letter, state in LETTERS.items() if state in
                         ("fail", "error", "unknown", "waived", "baselined"))  # fmt: skip
"""Letters that need a result beside them: nobody could act on a failure without words."""
_NO_LETTERS: Final = str.maketrans("", "", "".join(LETTERS))
_MOST_SHOWN: Final = 5


class EmptyPopulationError(InputError):
    """Nothing was there to judge, or nothing to judge it by; such a judgement is no pass."""


class InconsistentReportError(ToolError):
    """A report contradicts itself, so that none of its claims can be believed."""


def check(report: PolicyReport) -> PolicyReport:
    """The report itself, when it adds up; raises EmptyPopulationError or InconsistentReportError."""
    if not report.subjects or not report.rules:
        raise EmptyPopulationError(
            f"policy report of {report.stack}",
            "there was no subject to judge" if not report.subjects else "there was no rule to judge by",
            rule="a green report needs a population",
            next_step="Look at what the sources gave, and whether the profile left any rule in force.",
        )
    problems = list(_problems(report))
    if problems:
        rest = len(problems) - _MOST_SHOWN
        raise InconsistentReportError(
            f"policy report of {report.stack}",
            "; ".join(problems[:_MOST_SHOWN]) + (f"; and {rest} more" if rest > 0 else ""),
            rule="counts reconcile, or there is no report",
            next_step="Judge again; if it stays so, tell whoever looks after Steward.",
        )
    return report


def counted(matrix: Mapping[str, str]) -> dict[State, int]:
    """How many pairs of a matrix are in each of the eight states."""
    lines = Counter(matrix.values())  # rules that read nothing of a population have the same line
    return {
        state: sum(line.count(letter) * rules for line, rules in lines.items())
        for letter, state in LETTERS.items()
    }


def is_green(report: PolicyReport) -> bool:
    """Whether nothing is left that anybody would have to look at."""
    counts = report.counts
    open_pairs = counts["fail"] + counts["unknown"] + counts["error"] + counts["not_run"]
    excuses = any(waiver.state != "active" for waiver in report.waivers) or report.baseline.lapsed
    unsettled = any(each.settled_state in ("", "fail", "unknown", "error") for each in report.deferred)
    return not (open_pairs or excuses or unsettled or report.population.differences or report.as_of)


def blocking(report: PolicyReport) -> int:
    """How many pairs stop the change; a pair that is wrong at two places is one."""
    return len({(each.rule, place) for each in report.results if each.blocks for place in each.on})


def _problems(report: PolicyReport) -> Iterator[str]:
    rules = [rule.id for rule in report.rules]
    subjects = [subject.id for subject in report.subjects]
    yield from (f"rule {name} is listed twice" for name in _twice(rules))
    yield from (f"subject {name} is listed twice" for name in _twice(subjects))
    if set(rules) != set(report.matrix):
        differ = ", ".join(sorted(set(rules) ^ set(report.matrix)))
        yield f"the matrix is not of the {len(rules)} rules: {differ}"
    shape = list(_shape(report))
    yield from shape
    if not shape:
        yield from _sums(report)
        yield from _results(report)


def _twice(names: list[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


def _shape(report: PolicyReport) -> Iterator[str]:
    for rule, line in report.matrix.items():
        if len(line) != len(report.subjects):
            yield f"{rule} has {len(line)} letters for {len(report.subjects)} subjects"
        strange = set(line.translate(_NO_LETTERS))
        if strange:
            yield f"{rule} has letters that are no state: {', '.join(sorted(map(repr, strange)))}"


def _sums(report: PolicyReport) -> Iterator[str]:
    found = counted(report.matrix)
    if found != report.counts:
        wrong = [state for state in WORST if found[state] != report.counts.get(state)]
        yield "the counts are not those of the matrix: " + ", ".join(
            f"{state} {report.counts.get(state)}, {found[state]} letters" for state in wrong
        )
    pairs = len(report.rules) * len(report.subjects)
    if sum(report.counts.values()) != pairs:
        yield f"{sum(report.counts.values())} pairs are counted, rules × subjects are {pairs}"
    kinds = Counter(subject.kind for subject in report.subjects)
    if dict(kinds) != {kind: count for kind, count in report.population.by_kind.items() if count}:
        yield "the population by kind is not that of the subjects"
    if report.population.subjects != len(report.subjects):
        yield f"a population of {report.population.subjects} lists {len(report.subjects)} subjects"
    yield from _sources(report)
    verdict = report.verdict
    if verdict.blocking != blocking(report):
        yield f"the verdict counts {verdict.blocking} that block, the results {blocking(report)}"
    if verdict.green != is_green(report) or verdict.exit_code != int(verdict.blocking > 0):
        yield "the verdict does not follow from the counts"


def _sources(report: PolicyReport) -> Iterator[str]:
    population = report.population
    told, twice = sum(source.subjects for source in population.sources), population.overlaps
    if twice is not None and told - twice + population.unsourced != population.subjects:
        sums = f"{told} less {twice} that several tell of, and {population.unsourced} that none does"
        yield f"the sources tell of {sums}; the population is {population.subjects}"


def _results(report: PolicyReport) -> Iterator[str]:
    """Letters and results bear each other out, in both directions."""
    count, worst = len(report.subjects), defaultdict[str, dict[int, int]](dict)
    for result in report.results:
        if result.rule not in report.matrix:
            yield f"a result is of rule {result.rule}, which is not listed"
            continue
        yield from _result(result, count)
        of_rule, rank = worst[result.rule], _RANKS[result.state]
        for place in result.on:
            of_rule[place] = min(rank, of_rule.get(place, rank))
    for rule, line in report.matrix.items():
        told = worst[rule]
        for place, rank in told.items():
            if 0 <= place < count and line[place] != _LETTERS[rank]:
                of = f"{rule} on {report.subjects[place].id}"
                yield f"{of} is {LETTERS[line[place]]}, told as {WORST[rank]}"
        silent = {place for letter in _TOLD for place in places_of(line, letter)} - told.keys()
        for place in sorted(silent):
            yield f"{rule} on {report.subjects[place].id} is {LETTERS[line[place]]}, and nothing tells why"


def _result(result: ReportedResult, subjects: int) -> Iterator[str]:
    if not result.on or min(result.on) < 0 or max(result.on) >= subjects:
        yield f"a result of {result.rule} is on no subject of the population"
    if result.blocks != stops(result.state, result.enforcement):
        yield f"a result of {result.rule} blocks, or does not, against its enforcement"
    if result.fingerprints and len(result.fingerprints) != len(result.on):
        yield f"a result of {result.rule} has not one fingerprint for each of {len(result.on)} subjects"
