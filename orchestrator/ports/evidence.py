"""What the evidence chain asks of a place that control root cannot rewrite."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Head:
    """The newest record of a chain at one time: whoever knows it knows all before it.

    `chain` is the immutable id of the stack, `key` the fingerprint of the chain's first key, `at` the end of
    the record in UTC.
    """

    chain: str
    number: int
    sha256: str
    key: str
    at: str


@dataclass(frozen=True)
class AnchorReceipt:
    """That a head was taken: by which anchor, and the anchor's own name for it."""

    anchor: str
    reference: str


@dataclass(frozen=True)
class Kept:
    """What an anchor has of one chain.

    `heads` it holds itself, and vouches for. `seen` are copies on this machine of what it once had or was
    meant to get: they prove a loss and vouch for nothing. `lost` are those that it had and has no more.
    `place` is where it was asked, `note` why it could not be asked itself; both '' where that says nothing.
    """

    heads: Sequence[Head]
    seen: Sequence[Head] = ()
    lost: Sequence[Head] = ()
    place: str = ""
    note: str = ""


class Anchor(Protocol):
    """Keeps heads of chains, append-only, away from the control machine's root."""

    @property
    def name(self) -> str:
        """How a verdict names this anchor."""
        ...

    def publish(self, head: Head) -> AnchorReceipt:
        """Keep this head; raises StewardError when it could not."""
        ...

    def kept(self, chain: str) -> Kept:
        """Every head of that chain that was ever kept, in any order; raises StewardError when unreadable."""
        ...
