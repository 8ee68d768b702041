"""How set-up tells a person what it does; the CLI decides how that looks."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Gets a line per step, and in between signs of life that may be dropped."""

    def step(self, text: str) -> None:
        """A step begins."""

    def tick(self, text: str) -> None:
        """The step goes on; may come very often."""
