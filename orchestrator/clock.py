"""Time and identity, as parameters: UTC, monotonic, and sortable run ids."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic

from orchestrator.processes import boot_id

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True)
class Moment:
    """One reading: wall time in UTC, seconds since this boot, and which boot that was."""

    utc: datetime
    monotonic_seconds: float
    boot_id: str


@dataclass(frozen=True)
class SystemClock:
    """The machine's clock."""

    boot_id: str = field(default_factory=boot_id)

    def now(self) -> datetime:
        """Wall time in UTC."""
        return datetime.now(UTC)

    def moment(self) -> Moment:
        """Wall time together with what it can be checked against."""
        return Moment(self.now(), monotonic(), self.boot_id)


def new_run_id(now: datetime, entropy: Callable[[int], int] = secrets.randbits) -> str:
    """A ULID: 26 characters that sort by time (48 bits of milliseconds, 80 random bits)."""
    number = (int(now.timestamp() * 1000) << 80) | entropy(80)
    return "".join(_CROCKFORD[(number >> shift) & 31] for shift in range(125, -5, -5))


def new_id() -> str:
    """An immutable id for a client, stack or anything else that outlives its name: 32 hex digits."""
    return secrets.token_hex(16)
