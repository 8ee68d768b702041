"""What a verification says: the first bad record, everything else that is wrong, and what proves it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

_SHOWN: Final = 5


class Fault(StrEnum):
    """What may be wrong with a chain."""

    EDITED = "edited"
    DELETED = "deleted"
    REORDERED = "reordered"
    FORKED = "forked"
    TRUNCATED = "truncated"
    ROLLED_BACK = "rolled_back"
    FOREIGN = "foreign"
    STALE_WRITER = "stale_writer"
    BAD_SIGNATURE = "bad_signature"
    UNTRUSTED_KEY = "untrusted_key"
    REVOKED_KEY = "revoked_key"
    CLOCK_SUSPECT = "clock_suspect"
    PAYLOAD_ALTERED = "payload_altered"
    PAYLOAD_MISSING = "payload_missing"
    ERASURE_INCOMPLETE = "erasure_incomplete"
    ERASED_UNDER_HOLD = "erased_under_hold"
    BAD_TOMBSTONE = "bad_tombstone"
    BAD_REVIEW = "bad_review"
    UNTRUSTED_REVIEWER = "untrusted_reviewer"
    NO_CHAIN = "no_chain"
    RECORDS_LOST = "records_lost"
    HEADS_LOST = "heads_lost"
    ANCHOR_UNREADABLE = "anchor_unreadable"


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, at the record with this number (counted from 0)."""

    number: int
    fault: Fault
    text: str

    def __str__(self) -> str:
        return f"record {self.number}: {self.fault}: {self.text}"


@dataclass(frozen=True)
class Reviewer:
    """Somebody with a key who reviewed; `trusted` is None where nobody said whose reviews count."""

    name: str
    key: str
    """Fingerprint."""
    reviews: int
    trusted: bool | None

    def __str__(self) -> str:
        among = "among the trusted reviewers" if self.trusted else "NOT among the trusted reviewers"
        held = "held against nothing" if self.trusted is None else among
        return f"{self.reviews} review{'s' * (self.reviews != 1)} by {self.name}, key {self.key}: {held}"


@dataclass(frozen=True)
class Verdict:
    """The judgement of one chain; `anchored`: number of the newest record that an anchor knows, -1 for none.

    `unanchored` counts records after it that no anchor has, those about anchors left out;
    `unanchored_since` is when the oldest of them was written.
    """

    chain: str
    records: int
    head: str
    first_key: str
    first_key_trusted: bool
    problems: tuple[Problem, ...]
    anchors: tuple[str, ...]
    anchored: int
    unanchored: int
    unanchored_since: datetime | None
    notes: tuple[str, ...] = ()
    reviewers: tuple[Reviewer, ...] = ()

    @property
    def ok(self) -> bool:
        """Nothing is wrong, as far as this machine can know."""
        return not self.problems

    @property
    def first_bad(self) -> Problem | None:
        """The first bad record."""
        return min(self.problems, key=lambda each: each.number) if self.problems else None

    def words(self, now: datetime) -> str:
        """The verdict in one sentence."""
        bad = [each for each in self.problems if each.fault is not Fault.ANCHOR_UNREADABLE]
        if bad:
            more = len(self.problems) - 1
            first = min(bad, key=lambda each: each.number)
            return f"first bad {first}" + (f" (and {more} more)" if more else "")
        silent = "; ".join(each.text for each in self.problems)
        told = self._proven(now)
        return f"no bad record was found, but an anchor did not answer: {silent}; {told}" if silent else told

    def _proven(self, now: datetime) -> str:
        """How far the anchors vouch, and how old is what they do not know."""
        said = f"internally consistent only{self._tail(now)}"
        if self.anchored >= 0:
            said = f"whole up to record {self.anchored}, by {', '.join(self.anchors)}"
            if self.unanchored:
                said += f"; internally consistent only after it{self._tail(now)}"
        unheld = sum(each.reviews for each in self.reviewers if each.trusted is None)
        return said + (f"; reviews, {unheld}, were held against nothing" if unheld else "")

    def _tail(self, now: datetime) -> str:
        if self.unanchored_since is None:
            return ""
        plural = "s" * (self.unanchored != 1)
        age = _age(now - self.unanchored_since)
        return f": {self.unanchored} unanchored record{plural}, the oldest {age} old"


def said_lost(names: Sequence[str]) -> str:
    """Runs that the ledger knows, and keys that signed, of which no record is here; in words."""
    shown = ", ".join(each[:50] for each in names[:_SHOWN])
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"no record is here of what was recorded: {shown or 'nothing is named'}{more}"


def _age(age: timedelta) -> str:
    seconds = max(0, int(age.total_seconds()))
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
