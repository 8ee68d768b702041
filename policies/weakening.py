"""How one policy reference is milder than another, and the judgement by both at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from policies.assessment import LETTERS, WORST, Assessment
from policies.catalog.schema import stricter_way
from policies.model import CheckResult, Enforcement, OnUnknown, Phase, Rule, Severity, State, Steps, Subject
from policies.profiles import LEVELS, Profile, Profiles
from policies.reach import reads, sort_of, steps_words
from policies.reference import Reference
from policies.signers import Signer
from policies.waivers import Waiver

AREAS: Final = ("minimum", "params", "enforcement", "rules", "waivers", "baseline", "budget", "signers")
_SEVERITIES: Final = tuple(Severity)
_UNKNOWN: Final = (OnUnknown.WARN, OnUnknown.DEFER, OnUnknown.BLOCK)
_NONE: Final = "nothing"


@dataclass(frozen=True)
class Weakening:
    """One thing that would be milder: where, what it was and what it would be."""

    area: str
    place: str
    was: str
    now: str

    def as_facts(self) -> Mapping[str, str]:
        """The form that rules read."""
        return {"area": self.area, "place": self.place, "was": self.was, "now": self.now}


def weakenings(old: Reference, new: Reference) -> tuple[Weakening, ...]:
    """Everything in which `new` is milder than `old`, in the order of the areas; nothing where it is not.

    What cannot be told to be stricter counts as milder: other code of a rule, a parameter without a
    direction, another currency.
    """
    return (
        *_minimum(old.pack.profiles, new.pack.profiles),
        *_order(old.pack.profiles, new.pack.profiles),
        *_params(old, new),
        *_enforcement(old, new),
        *_rules(old, new),
        *_waivers(old, new),
        *(
            Weakening("baseline", f"{entry.rule} on {entry.subject}", _NONE, entry.fingerprint[:12])
            for entry in new.baseline.since(old.baseline)
        ),
        *_budget(old, new),
        *_signers(old, new),
    )


def _minimum(old: Profiles, new: Profiles) -> Iterator[Weakening]:
    """A profile is milder when fewer of the old ones stand before it."""
    was, now = old.minimum, new.minimum
    rank = {profile.name: profile.strictness for profile in old.ordered}
    pairs = {("", ""), *((c, "") for c in (*was.clients, *now.clients))}
    pairs |= {(c, env) for each in (was, now) for c, own in each.clients.items() for env in own}
    for client, environment in sorted(pairs):
        before, after = was.of(client, environment), now.of(client, environment)
        if before != after and rank.get(after, -1) <= rank[before]:
            place = "-".join(filter(None, (client, environment))) or "everybody else"
            yield Weakening("minimum", place, before, after)


def _pairs(old: Reference, new: Reference) -> Iterator[tuple[str, Profile, Profile | None]]:
    """Each profile with the one that it has to match: a new one with the one that it stands after."""
    names = {profile.name for profile in old.pack.profiles.ordered}
    for profile in old.pack.profiles.ordered:
        yield profile.name, profile, new.pack.profiles.named(profile.name)
    below: Profile | None = None
    for profile in new.pack.profiles.ordered:
        known = old.pack.profiles.named(profile.name)
        if profile.name not in names and below is not None:
            yield profile.name, below, profile
        below = known or below


def _order(old: Profiles, new: Profiles) -> Iterator[Weakening]:
    """Of two profiles the later one judges, so their order decides how strict a subject is judged."""
    names = [{profile.name for profile in each.ordered} for each in (old, new)]
    both = names[0] & names[1]
    was, now = ([profile.name for profile in each.ordered if profile.name in both] for each in (old, new))
    if was != now:
        yield Weakening("minimum", "the order of profiles", ", ".join(was), ", ".join(now))


def _params(old: Reference, new: Reference) -> Iterator[Weakening]:
    kept = {rule.id: rule for rule in new.pack.rules}
    rules = [rule for rule in old.pack.rules if rule.id in kept]
    for name, before, after in _pairs(old, new):
        if after is None:
            continue
        usual: dict[str, tuple[object, object]] = {}
        for phase in (None, *Phase):
            was, now = (each.at(phase) if phase else each for each in (before, after))
            place = f"{name} at {phase}" if phase else name
            for rule in rules:
                one, other = was.params(rule), now.params(kept[rule.id])
                for param, schema in rule.params.items():
                    values = (one.get(param), other.get(param))
                    full = f"{rule.id}.{param}"
                    if phase is not None and values == usual[full]:
                        continue
                    usual.setdefault(full, values)
                    if _looser(*values, stricter_way(param, schema)):
                        yield Weakening("params", f"{place}: {full}", str(values[0]), str(values[1]))


def _looser(was: object, now: object, way: str) -> bool:
    if was == now:
        return False
    if isinstance(was, list) and isinstance(now, list):
        more, fewer = [each for each in now if each not in was], [each for each in was if each not in now]
        return bool(more) if way == "lower" else bool(fewer) if way == "higher" else True
    if isinstance(was, int | float) and isinstance(now, int | float) and way:
        # Asked this way round, for a value that cannot be compared is no stricter one.
        return not (now <= was if way == "lower" else now >= was)
    return True


def _enforcement(old: Reference, new: Reference) -> Iterator[Weakening]:
    kept = {rule.id for rule in new.pack.rules}
    for name, before, after in _pairs(old, new):
        if after is None:
            yield Weakening("enforcement", f"profile {name}", "there", "gone")
            continue
        for rule in (each for each in old.pack.rules if each.id in kept):
            usual = (before.enforcement(rule.id), after.enforcement(rule.id))
            for phase in (None, *Phase):
                was, now = (each.enforcement(rule.id, phase) for each in (before, after))
                if LEVELS.index(now) < LEVELS.index(was) and (phase is None or (was, now) != usual):
                    place = f"{name}{f' at {phase}' if phase else ''}: {rule.id}"
                    yield Weakening("enforcement", place, was, now)


def _rules(old: Reference, new: Reference) -> Iterator[Weakening]:
    kept = {rule.id: rule for rule in new.pack.rules}
    for rule in old.pack.rules:
        if rule.id not in kept:
            yield Weakening("rules", rule.id, "there", "gone")
        else:
            yield from _rewritten(rule, kept[rule.id])
    for name, was in old.code.items():
        if new.code.get(name) != was:
            yield Weakening("rules", name, was[:12], new.code.get(name, "gone")[:12])


def _rewritten(old: Rule, new: Rule) -> Iterator[Weakening]:
    if _SEVERITIES.index(new.severity) < _SEVERITIES.index(old.severity):
        yield Weakening("rules", f"{old.id}.severity", old.severity, new.severity)
    if _UNKNOWN.index(new.on_unknown) < _UNKNOWN.index(old.on_unknown):
        yield Weakening("rules", f"{old.id}.on_unknown", old.on_unknown, new.on_unknown)
    if new.waivable and not old.waivable:
        yield Weakening("rules", f"{old.id}.waivable", "false", "true")
    fewer = sorted(set(old.subjects) - set(new.subjects))
    if fewer or old.kind is not new.kind:
        yield Weakening("rules", f"{old.id}.subjects", ", ".join(old.subjects), ", ".join(new.subjects))
    if _narrower(old.steps, new.steps):
        yield Weakening("rules", f"{old.id}.steps", steps_words(old.steps), steps_words(new.steps))


def _narrower(old: Steps, new: Steps) -> bool:
    """Whether some step is one of the old ones and none of the new."""
    fewer = any(
        now and (not was or not set(was) <= set(now))
        for was, now in ((old.types, new.types), (old.operations, new.operations))
    )
    return fewer or not set(new.sides) <= set(old.sides)


def _waivers(old: Reference, new: Reference) -> Iterator[Weakening]:
    known = {waiver.id: waiver for waiver in old.waivers}
    for waiver in new.waivers:
        if known.get(waiver.id) != waiver:
            was = known.get(waiver.id)
            yield Weakening("waivers", waiver.id, _told(was) if was else _NONE, _told(waiver))


def _told(waiver: Waiver) -> str:
    return f"{waiver.rule} on {waiver.subject} until {waiver.expires}"


def _budget(old: Reference, new: Reference) -> Iterator[Weakening]:
    keys = sorted({*old.ceilings.each, *new.ceilings.each})
    for client, environment in keys:
        was, now = (each.ceilings.of(client, environment) for each in (old, new))
        if was is not None and (now is None or now.currency != was.currency or now.amount > was.amount):
            place = f"{client}-{environment}"
            yield Weakening("budget", place, str(was), str(now) if now else "no ceiling")


def _signers(old: Reference, new: Reference) -> Iterator[Weakening]:
    known = {(signer.principal, signer.key): signer for signer in old.signers.each}
    for signer in new.signers.each:
        was = known.get((signer.principal, signer.key))
        if was is None or _signs_more(was, signer):
            told = was.line if was else _NONE
            yield Weakening("signers", signer.principal, told, signer.line)
    for key in sorted(old.signers.revoked - new.signers.revoked):
        yield Weakening("signers", key, "revoked", "not revoked")


def _signs_more(was: Signer, now: Signer) -> bool:
    earlier = was.valid_after is not None and (now.valid_after is None or now.valid_after < was.valid_after)
    later = was.valid_before is not None and (now.valid_before is None or now.valid_before > was.valid_before)
    return bool(now.namespaces - was.namespaces) or earlier or later


_LEVEL_RANK: Final = (*LEVELS, Enforcement.DEFERRED)


def stricter(old: Assessment, new: Assessment) -> Assessment:
    """Both judgements as one: of each pair of rule and subject the worse one counts, whichever side it is of.

    Worse is what stops the change, then what is the worse state. A pair that one side lacks is the other's.
    """
    sides = (_Side(new), _Side(old))
    rules = {rule.id: rule for side in sides for rule in side.whole.rules}
    subjects = {subject.urn: subject for side in sides for subject in side.whole.subjects}
    matrix: dict[str, str] = {}
    results: dict[str, list[CheckResult]] = {urn: [] for urn in subjects}
    for rule in rules.values():
        row = []
        for urn, subject in subjects.items():
            judged = [side for side in sides if side.has(rule.id, urn)]
            worse = max(judged, key=lambda side: side.weight(rule.id, urn)) if judged else None
            row.append(worse.letter(rule.id, urn) if worse else _unjudged(rule, subject))
            results[urn] += worse.results(rule.id, urn) if worse else ()
        matrix[rule.id] = "".join(row)
    return Assessment(
        rules=tuple(rules.values()),
        subjects=tuple(subjects.values()),
        profiles=tuple(
            next(side.profiles[urn] for side in sides if urn in side.profiles) for urn in subjects
        ),
        matrix=matrix,
        results=tuple(result for each in results.values() for result in each),
    )


def _unjudged(rule: Rule, subject: Subject) -> str:
    silent = rule.kind is not subject.kind or reads(rule, sort_of(subject)) is False
    return LETTERS[State.NOT_APPLICABLE if silent else State.NOT_RUN]


class _Side:
    """One assessment by rule and subject."""

    def __init__(self, whole: Assessment) -> None:
        self.whole = whole
        self.profiles = {
            subject.urn: profile for subject, profile in zip(whole.subjects, whole.profiles, strict=True)
        }
        self._places = {subject.urn: place for place, subject in enumerate(whole.subjects)}
        self._results = whole.by_pair()

    def has(self, rule: str, urn: str) -> bool:
        return rule in self.whole.matrix and urn in self._places

    def letter(self, rule: str, urn: str) -> str:
        return self.whole.matrix[rule][self._places[urn]]

    def results(self, rule: str, urn: str) -> list[CheckResult]:
        return self._results.get((rule, urn), [])

    def weight(self, rule: str, urn: str) -> tuple[bool, int, int]:
        """The heavier, the worse: what blocks, then the state, then what a failure does."""
        results = self.results(rule, urn)
        state = _STATES[self.letter(rule, urn)]
        level = max((_LEVEL_RANK.index(each.enforcement) for each in results), default=0)
        return any(each.blocks for each in results), -WORST.index(state), level


_STATES: Final = {letter: state for state, letter in LETTERS.items()}
