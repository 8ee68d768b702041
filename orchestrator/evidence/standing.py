"""What the records of a chain say together: what is erased, what is held, which runs are told of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from orchestrator.errors import InputError
from orchestrator.evidence.record import Kind, Line, Payload

RETENTION_MONTHS: Final = 24
STAMPS: Final = "time stamps"
"""How the names of all time stamp authorities begin: their stamps lie in one place, whoever made them."""


@dataclass(frozen=True)
class Hold:
    """A legal hold: nothing that it covers is erased. `run` is '' for the whole chain."""

    number: int
    run: str
    reason: str
    actor: str


@dataclass(frozen=True)
class Erasure:
    """A document that a tombstone names; `hold` is one that was in force there and covered it.

    `origin` is the record that named the document before, None where none did.
    """

    tombstone: Line
    name: str
    origin: Line | None
    hold: Hold | None

    @property
    def early(self) -> bool:
        """Whether it went before its retention was over."""
        limit = months_before(self.tombstone.ended_at(), RETENTION_MONTHS)
        return self.origin is not None and self.origin.ended_at() >= limit


@dataclass
class Standing:
    """Read from the first record to the last."""

    runs: dict[str, Line] = field(default_factory=dict)
    payloads: list[tuple[Line, Payload]] = field(default_factory=list)
    tombstones: dict[str, Line] = field(default_factory=dict)
    holds: dict[int, Hold] = field(default_factory=dict)
    reviews: list[Line] = field(default_factory=list)
    erasures: list[Erasure] = field(default_factory=list)
    anchored: dict[str, set[int]] = field(default_factory=dict)
    """Numbers of the heads that each anchor took, by the chain's own word."""
    lost: set[str] = field(default_factory=set)
    """Runs and keys that a record names as lost."""
    _origins: dict[str, Line] = field(default_factory=dict)
    """The record that first named each document."""

    def add(self, line: Line) -> None:
        """Take in the next record."""
        for each in line.payloads:
            self.payloads.append((line, each))
            self._origins.setdefault(each.sha256, line)
        body = line.body
        match line.kind:
            case Kind.RUN | Kind.KILLED:
                self.runs[str(body.get("run", ""))] = line
            case Kind.TOMBSTONE:
                self._erase(line)
            case Kind.HOLD:
                text = {name: str(body.get(name, "")) for name in ("run", "reason")}
                self.holds[line.number] = Hold(line.number, **text, actor=line.text("actor"))
            case Kind.RELEASE:
                released = body.get("hold")
                if isinstance(released, int):
                    self.holds.pop(released, None)
            case Kind.REVIEW:
                self.reviews.append(line)
            case Kind.ANCHOR:
                head = body.get("head")
                if isinstance(head, int):
                    self.anchored.setdefault(witness(str(body.get("anchor", ""))), set()).add(head)
            case Kind.LOSS:
                self.lost |= lost_in(line)

    def _erase(self, line: Line) -> None:
        sha256 = str(line.body.get("sha256", ""))
        origin = self._origins.get(sha256)
        hold = self.held_by(origin) if origin else None
        self.erasures.append(Erasure(line, str(line.body.get("name", ""))[:200], origin, hold))
        self.tombstones[sha256] = line

    def held_by(self, line: Line) -> Hold | None:
        """A hold that covers the payloads of a record."""
        run = str(line.body.get("run", ""))
        return next((hold for hold in self.holds.values() if hold.run in ("", run)), None)

    def of_run(self, run: str) -> list[tuple[Line, Payload]]:
        """What a run left that is not erased; raises InputError for a run without a record."""
        if run not in self.runs:
            raise InputError(
                "evidence", f"no record of run '{run[:40]}'", next_step="See: steward evidence list"
            )
        return [(line, each) for line, each in self.living() if line.body.get("run") == run]

    def living(self) -> list[tuple[Line, Payload]]:
        """Payloads that nobody erased."""
        return [(line, each) for line, each in self.payloads if each.sha256 not in self.tombstones]

    def past_retention(self, now: datetime, months: int) -> list[tuple[Line, Payload]]:
        """Payloads that are older than that and that no hold covers."""
        limit = months_before(now, months)
        return [
            (line, each)
            for line, each in self.living()
            if line.ended_at() < limit and self.held_by(line) is None
        ]


def standing_of(lines: Iterable[Line]) -> Standing:
    """All records taken together."""
    made = Standing()
    for line in lines:
        made.add(line)
    return made


def witness(name: str) -> str:
    """The name of an anchor without what may change of it."""
    return STAMPS if name.startswith(STAMPS) else name


def lost_in(line: Line) -> set[str]:
    """Runs and keys that the record of a loss names."""
    lists = [line.body.get(name) for name in ("runs", "keys")]
    return {str(each) for found in lists if isinstance(found, list) for each in found}


def months_before(now: datetime, months: int) -> datetime:
    """The same day and time so many months ago, or the last day of that month."""
    month = now.year * 12 + now.month - 1 - months
    year, month = month // 12, month % 12 + 1
    for day in (now.day, 30, 29, 28):
        try:
            return now.replace(year=year, month=month, day=day)
        except ValueError:
            continue
    raise ValueError(f"no month {months} months before {now}")


def erasable(pairs: Sequence[tuple[Line, Payload]], standing: Standing) -> Sequence[Payload]:
    """These payloads; raises InputError where a hold covers one, so that all or none are erased."""
    for line, payload in pairs:
        hold = standing.held_by(line)
        if hold is not None:
            raise InputError(
                "evidence", f"a legal hold keeps {payload.name} of record {line.number}",
                got=f"hold {hold.number} by {hold.actor}: {hold.reason}",
                next_step=f"Release it first: steward evidence hold --release {hold.number} --reason WHY",
            )  # fmt: skip
    return [payload for _, payload in pairs]
