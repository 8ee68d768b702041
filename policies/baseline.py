"""The baseline: failures that were there when a rule came, excused one by one; it can only shrink."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from policies import jsonfile, yamlfile
from policies.assessment import LETTERS, Assessment
from policies.facts import shown
from policies.model import CheckResult, PackError, State

FILE: Final = "baseline.json"
SCHEMA: Final = "steward.policy-baseline/1"
GONE: Final = "the subject is gone"
"""Why an entry excuses nothing whose subject is not there."""
_KEYS: Final = ("fingerprint", "rule", "subject")
_FINGERPRINT: Final = re.compile(r"[0-9a-f]{64}")
_SETTLED: Final = frozenset(
    LETTERS[state] for state in (State.PASS, State.FAIL, State.WAIVED, State.BASELINED, State.NOT_APPLICABLE)
)


@dataclass(frozen=True, order=True)
class Entry:
    """One excused failure; rule and subject are there for its readers, the fingerprint decides."""

    fingerprint: str
    rule: str
    subject: str


@dataclass(frozen=True)
class Baseline:
    """All excused failures, by fingerprint."""

    entries: tuple[Entry, ...] = ()

    @property
    def fingerprints(self) -> frozenset[str]:
        """What the entries know failures by."""
        return frozenset(entry.fingerprint for entry in self.entries)

    def since(self, earlier: Baseline) -> tuple[Entry, ...]:
        """The entries that an earlier baseline did not have: a baseline can only shrink."""
        known = earlier.fingerprints
        return tuple(entry for entry in self.entries if entry.fingerprint not in known)

    def within(self, earlier: Baseline) -> Baseline:
        """The same baseline without what an earlier one did not have."""
        return self.only(earlier.fingerprints)

    def only(self, known: Collection[str]) -> Baseline:
        """The entries with these fingerprints."""
        return Baseline(tuple(entry for entry in self.entries if entry.fingerprint in known))


def read_baseline(folder: Path) -> Baseline:
    """The baseline of a policy reference, an empty one without the file; raises PackError by entry."""
    path = folder / FILE
    return parse_baseline(yamlfile.read_bytes(path), FILE) if path.exists() else Baseline()


def parse_baseline(content: bytes, place: str) -> Baseline:
    """The baseline in the text; raises PackError."""
    try:
        raw = jsonfile.parsed(content)
    except (ValueError, RecursionError) as error:
        raise PackError(f"{place}: {error}") from None
    body = yamlfile.mapping(raw, place, required=("schema", "entries"), optional=())
    if body["schema"] != SCHEMA or not isinstance(body["entries"], list):
        raise PackError(f"{place}: expected a list of entries under the schema {SCHEMA}")
    entries = [_entry(value, f"{place}.entries[{number}]") for number, value in enumerate(body["entries"])]
    prints = [entry.fingerprint for entry in entries]
    twice = [each for each, count in Counter(prints).items() if count > 1]
    if twice:
        raise PackError(f"{place}: more than one entry for {twice[0]}")
    return Baseline(tuple(sorted(entries)))


def _entry(value: object, place: str) -> Entry:
    body = yamlfile.mapping(value, place, required=_KEYS, optional=())
    for key in _KEYS:
        if not isinstance(body[key], str):
            raise PackError(f"{place}.{key}: expected a text, got {shown(body[key])}")
    if not _FINGERPRINT.fullmatch(str(body["fingerprint"])):
        raise PackError(f"{place}.fingerprint: expected 64 hex digits, got {shown(body['fingerprint'])}")
    return Entry(**{key: str(body[key]) for key in _KEYS})


def as_text(baseline: Baseline) -> str:
    """The file, one line an entry, so that a review shows what came and went."""
    rows = [{key: getattr(entry, key) for key in _KEYS} for entry in sorted(baseline.entries)]
    lines = ",\n".join("  " + json.dumps(row) for row in rows)
    return (
        f'{{"schema": "{SCHEMA}", "entries": [\n{lines}\n]}}\n'
        if rows
        else (f'{{"schema": "{SCHEMA}", "entries": []}}\n')
    )


def taken(assessment: Assessment) -> Baseline:
    """Every failure there is now that a baseline may hold: where a ratchet begins."""
    may = {rule.id for rule in assessment.rules if rule.waivable}
    return _of(each for each in assessment.results if each.state is State.FAIL and each.rule in may)


def shrink(baseline: Baseline, assessment: Assessment) -> Baseline:
    """The baseline without what was mended. What this assessment could not settle stays, and so does an entry
    of a subject that it does not have: who judges a part of a fleet has mended nothing in the rest.

    Of a part, entries of rules that hold subjects against each other stay, too.
    """
    part = bool(absent(baseline, assessment))
    compare = {rule.id for rule in assessment.rules if part and rule.stack_check is not None}
    told = [(entry, why) for entry, why in lapsed(baseline, assessment) if entry.rule not in compare]
    mended = {entry.fingerprint for entry, why in told if why != GONE}
    return Baseline(tuple(each for each in baseline.entries if each.fingerprint not in mended))


def absent(baseline: Baseline, assessment: Assessment) -> tuple[Entry, ...]:
    """The entries of subjects that this assessment does not have."""
    there = {subject.urn for subject in assessment.subjects}
    return tuple(entry for entry in baseline.entries if entry.subject not in there)


def lapsed(baseline: Baseline, assessment: Assessment) -> tuple[tuple[Entry, str], ...]:
    """The entries that excuse nothing any more, each with why: GONE, where others of its kind are there."""
    if not baseline.entries:
        return ()
    excusing = {each.fingerprint for each in assessment.results if each.fingerprint}
    places = {subject.urn: place for place, subject in enumerate(assessment.subjects)}
    kinds = {subject.kind for subject in assessment.subjects}
    kind_of = {rule.id: rule.kind for rule in assessment.rules}

    def why(entry: Entry) -> str:
        if entry.fingerprint in excusing or entry.rule not in assessment.matrix:
            return ""
        if entry.subject not in places:
            return GONE if kind_of[entry.rule] in kinds else ""
        letter = assessment.matrix[entry.rule][places[entry.subject]]
        failing = "it fails with another value now" if letter == LETTERS[State.FAIL] else ""
        return failing or ("it was mended, or is waived" if letter in _SETTLED else "")

    return tuple((entry, told) for entry in baseline.entries if (told := why(entry)))


def excused(results: Sequence[CheckResult], baseline: Baseline, may: frozenset[str]) -> list[CheckResult]:
    """The results, where failures that the baseline holds are excused, of rules that `may`."""
    known = baseline.fingerprints
    if not known:
        return list(results)
    return [
        result._replace(state=State.BASELINED)
        if result.state is State.FAIL and result.rule in may and result.fingerprint in known
        else result
        for result in results
    ]


def _of(results: Iterable[CheckResult]) -> Baseline:
    return Baseline(tuple(sorted({Entry(each.fingerprint, each.rule, each.subject.urn) for each in results})))
