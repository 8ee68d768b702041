"""JSON documents that others wrote, read into facts: what is left out is unknown, never good.

A value is the value itself, `null` for "never" or "none", or `{"unknown": "why"}`; a key that is left out is
unknown too. A value of a wrong kind stays, so that the rule which reads it tells of it by name and the others
are still judged; a document of another shape is refused as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from policies.facts import Unknown, shown
from policies.model import Subject

MOST_RECORDS: Final = 100_000
"""Records of one list: ten times the largest fleet there may be."""
_ENDLESS: Final = 1 << 62
_CLOCK_TOLERANCE: Final = 120
"""Seconds by which two clocks may differ before a time in the future is a doubt."""


class DocumentError(Exception):
    """A document is not what its name says; the text names the place and the next step."""


def records(document: object, schema: str, key: str) -> list[Mapping[str, object]]:
    """The list of mappings under `key` of a document of that schema; raises DocumentError."""
    body = body_of(document, schema)
    found = body.get(key)
    if isinstance(found, str) or not isinstance(found, Sequence):
        raise DocumentError(f"{schema}: {key}: expected a list, got {shown(found)}; write the document again")
    if len(found) > MOST_RECORDS:
        raise DocumentError(f"{schema}: {key}: {len(found)} records; at most {MOST_RECORDS} are judged")
    for place, value in enumerate(found):
        if not isinstance(value, Mapping):
            raise DocumentError(f"{schema}: {key}[{place}]: expected a mapping, got {shown(value)}")
    return list(found)


def body_of(document: object, schema: str) -> Mapping[str, object]:
    """The document as a mapping; raises DocumentError when it is of another schema."""
    got = document.get("schema") if isinstance(document, Mapping) else None
    if not isinstance(document, Mapping) or got != schema:
        raise DocumentError(
            f"{schema}: schema: expected {schema}, got {shown(got)}; give the file that this version writes"
        )
    return document


def each_once(subjects: Sequence[Subject], schema: str) -> Sequence[Subject]:
    """The subjects, whose identities differ: one of two would hide the other; raises DocumentError."""
    seen: set[str] = set()
    for subject in subjects:
        if subject.urn in seen:
            raise DocumentError(f"{schema}: two records of {shown(subject.name)}; keep the one that is true")
        seen.add(subject.urn)
    return subjects


@dataclass
class Doubts:
    """What cannot be so, by its place in a record, whether or not a rule comes to read it."""

    impossible: dict[str, str] = field(default_factory=dict)
    """Place -> the number as it stands."""
    to_come: list[str] = field(default_factory=list)
    """Places of times in the future of what is said to have happened."""


class Record:
    """One mapping of a document, and the time at which it is judged; None where nobody knows the time."""

    def __init__(
        self,
        values: Mapping[str, object],
        now: datetime | None,
        place: str = "",
        doubts: Doubts | None = None,
    ) -> None:
        self._values = values
        self._now = now
        self._place = place
        self.doubts = Doubts() if doubts is None else doubts

    def value(self, key: str) -> object:
        """The value, None for never or none, or Unknown with the reason."""
        if key not in self._values:
            return Unknown(f"the record does not say {key.replace('_', ' ')}")
        value = self._values[key]
        if isinstance(value, Mapping) and set(value) == {"unknown"}:
            return Unknown(shown(value["unknown"]))
        return value

    def measure(self, key: str) -> object:
        """A size, count or time; a negative or endless one becomes a text, which no rule takes for one."""
        value = self.value(key)
        if isinstance(value, int | float) and not 0 <= value < _ENDLESS:  # nor what is no number (nan)
            self.doubts.impossible[self._where(key)] = shown(value)
            return shown(value)
        return value

    @property
    def knows_time(self) -> bool:
        """Whether ages can be told at all."""
        return self._now is not None

    def happened(self, key: str) -> object:
        """The value as it stands; one that is a time in the future is a doubt."""
        self.age(key)
        return self.value(key)

    def label(self, key: str, fallback: str) -> str:
        """A safe text for names and identities."""
        value = self.value(key)
        return shown(value) if isinstance(value, str) and value else fallback

    def part(self, key: str, facts: Callable[[Record], Mapping[str, object]]) -> object:
        """The facts of a nested mapping; None, Unknown and what is no mapping stay what they are."""
        value = self.value(key)
        return facts(self._part(value, key)) if isinstance(value, Mapping) else value

    def rows(self, key: str, facts: Callable[[Record], Mapping[str, object]]) -> object:
        """The facts of each mapping of a list; what is no list of mappings stays what it is."""
        value = self.value(key)
        if isinstance(value, str) or not isinstance(value, Sequence):
            return value
        return [
            facts(self._part(row, f"{key}[{place}]")) if isinstance(row, Mapping) else row
            for place, row in enumerate(value)
        ]

    def _part(self, values: Mapping[str, object], key: str) -> Record:
        return Record(values, self._now, self._where(key), self.doubts)

    def _where(self, key: str) -> str:
        return f"{self._place}.{key}" if self._place else key

    def age(self, key: str) -> object:
        """Seconds since the time; a time in the future is Unknown, as one of two clocks is wrong."""
        seconds = self._since(key)
        if not isinstance(seconds, float) or seconds >= 0:
            return seconds
        if seconds >= -_CLOCK_TOLERANCE:
            return 0.0
        self.doubts.to_come.append(self._where(key))
        return Unknown(f"{key.replace('_', ' ')} lies in the future; set the clocks right")

    def remaining(self, key: str) -> object:
        """Seconds until the time, negative when it is past."""
        seconds = self._since(key)
        return -seconds if isinstance(seconds, float) else seconds

    def _since(self, key: str) -> object:
        value = self.value(key)
        moment = _moment(value)
        if moment is not None and self._now is None:
            return Unknown("clock_suspect: the time stands before the last record of evidence")
        if moment is not None and self._now is not None:
            return (self._now - moment).total_seconds()
        # As a text, or else a bare number would be taken for the seconds themselves.
        return value if value is None or isinstance(value, Unknown) else shown(value)


def _moment(value: object) -> datetime | None:
    """The time that a text names with its zone, None for anything else: 09:00 of nowhere is no time."""
    if not isinstance(value, str) or len(value) > len("2026-11-29T12:00:00.000000000+00:00"):
        return None
    try:
        moment = datetime.fromisoformat(value)
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None
