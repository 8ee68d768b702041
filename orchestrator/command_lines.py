"""The command lines of the programs that are started, for a person who asked to see them."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Collection, Sequence
from typing import Final

from orchestrator.redaction import redacted

LONGEST: Final = 2_000
"""More of one is no help: what is longer carries a program as an argument."""

Listener = Callable[[str], None]


class _Audience:
    """Who hears of them, in the whole process: adapters start programs, and the command line alone writes."""

    listener: Listener | None = None


def tell_to(listener: Listener | None) -> None:
    """From now on each command line goes to `listener`, from whatever thread starts it; None ends that."""
    _Audience.listener = listener


def are_told() -> bool:
    """Whether somebody listens."""
    return _Audience.listener is not None


def tell(argv: Sequence[str], secrets: Collection[str] = ()) -> None:
    """A program is started with these words; known secrets and those given here are hidden.

    What goes to it on standard input and in its environment is not told.
    """
    if (listener := _Audience.listener) is None:
        return
    text = redacted(shlex.join(argv), secrets)
    more = len(text) - LONGEST
    listener(text if more <= 0 else f"{text[:LONGEST]} … and {more} characters more")
