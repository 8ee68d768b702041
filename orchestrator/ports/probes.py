"""What the probe phase asks of the outside world: an answer to one request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class HttpAnswer:
    """What one request got: a status, or None and why there was no answer."""

    status: int | None
    seconds: float
    message: str = ""


class ServiceProber(Protocol):
    """Asks a service as its users do, from outside of its servers."""

    def ask(self, url: str) -> HttpAnswer:
        """One GET, redirects not followed; no answer in good time is an answer too."""
        ...
