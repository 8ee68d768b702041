"""Which of two Debian versions is the later, exactly as dpkg orders them (deb-version(7))."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

Ordered = tuple[int, tuple[tuple[int, ...], ...], tuple[tuple[int, ...], ...]]
_PARTS: Final = re.compile(r"([^0-9]*)([0-9]*)")
_END: Final = 0
"""Of a text: before every sign but the tilde, which comes before even that."""
_LONGEST: Final = 300


@lru_cache(maxsize=65_536)
def ordered(version: str) -> Ordered:
    """A version as a tuple that sorts as dpkg would; raises ValueError for what is no version."""
    if not version or len(version) > _LONGEST or not version.isascii() or not version.isprintable():
        raise ValueError(f"{version[:80]!r} is no Debian version")
    epoch, colon, rest = version.partition(":")
    if not colon:
        epoch, rest = "0", version
    if not epoch.isdigit() or not rest or " " in version:
        raise ValueError(f"{version[:80]!r} is no Debian version")
    upstream, dash, revision = rest.rpartition("-")
    if not dash:
        upstream, revision = rest, ""
    return int(epoch), _key(upstream), _key(revision)


def later(first: str, second: str) -> bool:
    """Whether the first is later than the second; raises ValueError."""
    return ordered(first) > ordered(second)


def _key(text: str) -> tuple[tuple[int, ...], ...]:
    """Turns of signs and number: signs compare one by one to their end, numbers by value."""
    turns: list[tuple[int, ...]] = []
    for signs, digits in _PARTS.findall(text):
        if signs or digits:
            turns += [(*(_weight(sign) for sign in signs), _END), (int(digits or "0"),)]
    # An absent revision is the number 0, and every text goes on with the end of its signs.
    return (*(turns or [(_END,), (0,)]), (_END,))


def _weight(sign: str) -> int:
    """The tilde before the end, the end before letters, letters before everything else."""
    if sign == "~":
        return -1
    return ord(sign) if sign.isalpha() else ord(sign) + 256
