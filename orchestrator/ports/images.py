"""The port about images: what a provider can get ready once, before it makes servers that all need it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from orchestrator.inventory.prepared import Contents


@dataclass(frozen=True)
class PreparedImages:
    """What came of it: images that were there, that were made, and why others could not be."""

    there: int = 0
    made: int = 0
    problems: tuple[str, ...] = ()


class ServerImages(Protocol):
    """Whatever servers of one provider are made from."""

    def prepare(self, wanted: Mapping[str, Contents]) -> PreparedImages:
        """Get images ready for these servers, by name; never an error: what is not ready is done without."""
        ...
