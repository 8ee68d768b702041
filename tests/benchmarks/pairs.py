"""Timing two things in turn, A B A B, so that a machine whose speed drifts does not decide the ratio."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from time import perf_counter


@dataclass(frozen=True)
class Pair:
    """Seconds of both sides, one entry a round."""

    name: str
    ours: list[float]
    bare: list[float]

    @property
    def ratio(self) -> float:
        """Median over the rounds of ours / bare."""
        return median(a / b for a, b in zip(self.ours, self.bare, strict=True))

    def line(self, bound: str, *, inverse: bool = False) -> str:
        """One row for people; `inverse` shows bare / ours (speed instead of time)."""
        shown = 1 / self.ratio if inverse else self.ratio
        low, high = min(self.ours), max(self.ours)
        return (
            f"{self.name:<34} ours {median(self.ours):7.2f} s ({low:.2f}-{high:.2f})   "
            f"bare {median(self.bare):7.2f} s   ratio {shown:5.2f}   bound {bound}"
        )


def seconds(act: Callable[[], object]) -> float:
    """How long one call takes."""
    began = perf_counter()
    act()
    return perf_counter() - began


def in_turn(name: str, rounds: int, ours: Callable[[], float], bare: Callable[[], float]) -> Pair:
    """Run both sides in turn; each returns the seconds that count."""
    pairs = [(ours(), bare()) for _ in range(rounds)]
    return Pair(name, [a for a, _ in pairs], [b for _, b in pairs])
