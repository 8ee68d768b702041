"""The verdict in words: what stops, what is open, and what a green report rests on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from orchestrator.reporting.humanise import listed, plural
from orchestrator.reporting.policy.model import Phase, PolicyReport, ReportedWaiver, State
from orchestrator.reporting.policy.reconcile import blocking
from orchestrator.reporting.tone import SEVERITIES, Tone
from policies.subjects.governance import GOVERNANCE_TYPES

STATES: Final[tuple[State, ...]] = (
    *("fail", "error", "unknown", "not_run"),
    *("waived", "baselined", "pass", "not_applicable"),
)
"""In the order in which a reader takes them up."""
MEANINGS: Final[dict[State, str]] = {
    "fail": "the rule looked and found something wrong",
    "error": "the rule could not judge: it broke, ran out of time, or met a value it cannot read",
    "unknown": "a value that the rule needs is not known",
    "not_run": "the rule was not asked: disabled, ended early, or the subject could not be read",
    "waived": "it fails, and a signed exception that has not expired excuses it",
    "baselined": "it fails as it did when the baseline was made",
    "pass": "the rule looked and found nothing",
    "not_applicable": "the rule says nothing of such a subject",
}
TONES: Final[dict[State, Tone]] = {
    "fail": Tone.BAD,
    "error": Tone.BAD,
    "unknown": Tone.UNKNOWN,
    "not_run": Tone.UNKNOWN,
    "waived": Tone.ATTENTION,
    "baselined": Tone.ATTENTION,
    "pass": Tone.GOOD,
    "not_applicable": Tone.UNKNOWN,
}
_OPEN: Final[tuple[tuple[State, str], ...]] = (
    ("fail", "failed"),
    ("error", "could not be judged"),
    ("unknown", "not known"),
    ("not_run", "not run"),
)


JUDGED: Final[dict[Phase, str]] = {
    "preview": "Judged at preview, before anything was changed",
    "up": "Judged at up, while the change was made",
    "destroy": "Judged at destroy, before anything was deleted",
    "live": "Judged on what the hosts showed",
    "offline": "Judged offline, from files",
}


def state_words(state: str) -> str:
    """A state as a reader says it: `not applicable`."""
    return state.replace("_", " ")


def verdict_words(report: PolicyReport, *, green: bool) -> str:
    """One or two sentences that claim no more than was judged."""
    of = f"{plural(len(report.rules), 'rule')} on {plural(len(report.subjects), 'subject')}"
    stops = blocking(report)
    if stops:
        severities = {rule.id: rule.severity for rule in report.rules}
        pairs = {(each.rule, place) for each in report.results if each.blocks for place in each.on}
        worst = Counter(severities.get(rule, "low") for rule, _ in pairs)
        said = ", ".join(f"{worst[name]} {name}" for name in SEVERITIES if worst[name])
        rules = listed(sorted({rule for rule, _ in pairs}))
        block = "block" if stops > 1 else "blocks"
        return f"Refused: {plural(stops, 'pair')} of {of} {block} ({said}), by {rules}."
    if green:
        excused = [
            f"{report.counts[state]} {state}" for state in ("waived", "baselined") if report.counts[state]
        ]
        but = f"; {listed(excused)} pairs are excused and are not passes" if excused else ""
        return f"Green: of {of} every pair that applies passed ({report.counts['pass']}){but}."
    return f"Nothing blocks, but this is not green: of {of}, {listed(_left(report), most=9)}."


def _left(report: PolicyReport) -> list[str]:
    said = [f"{plural(report.counts[state], 'pair')} {word}" for state, word in _OPEN if report.counts[state]]
    idle = sum(waiver.state != "active" for waiver in report.waivers)
    unsettled = sum(each.settled_state == "" for each in report.deferred)
    differences = report.population.differences
    said += [f"{plural(idle, 'waiver')} not in force"] if idle else []
    said += (
        [f"{plural(len(report.baseline.lapsed), 'entry', 'entries')} of the baseline lapsed"]
        if report.baseline.lapsed
        else []
    )
    said += [f"{plural(unsettled, 'deferred value')} not settled"] if unsettled else []
    said += [f"{plural(differences, 'difference')} between the sources"] if differences else []
    said += [f"all of it as of {report.as_of:%Y-%m-%d %H:%M} UTC and not of now"] if report.as_of else []
    return said or ["a deferred value was settled as a failure"]


def beside_sources(report: PolicyReport) -> list[tuple[str, int]]:
    """What makes the subjects of all sources the population: those of none, less what several tell of."""
    population = report.population
    own = min(sum(each.type in GOVERNANCE_TYPES for each in report.subjects), population.unsourced)
    rows = [
        ("the policy itself", own),
        ("planned resources", population.unsourced - own),
        ("told by several", -(population.overlaps or 0)),
    ]
    return [(name, count) for name, count in rows if count]


def waiver_pairs(waiver: ReportedWaiver) -> str:
    """How much an exception means and does: `matches 31 pairs, excuses 1`, the same in every format."""
    return f"matches {plural(waiver.matched, 'pair')}, excuses {waiver.excused}"


def tone(report: PolicyReport) -> Tone:
    """How the report stands as a whole."""
    if report.verdict.exit_code:
        return Tone.BAD
    return Tone.GOOD if report.verdict.green else Tone.ATTENTION


def headline(report: PolicyReport) -> str:
    """The verdict in a word or two."""
    return {Tone.BAD: "Refused", Tone.GOOD: "Green", Tone.ATTENTION: "Not green"}.get(
        tone(report), "Not known"
    )


def sum_words(counts: dict[State, int], states: Sequence[State] = STATES) -> str:
    """The sum that reconciles: `3 fail + 0 error + ...`."""
    return " + ".join(f"{counts[state]:,} {state_words(state)}" for state in states)
