"""What keeps data from being deleted by mistake."""

from __future__ import annotations

from collections.abc import Iterator

from policies.facts import Facts
from policies.model import Finding, NotApplicable, Outcome, Subject


def data_is_protected(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """A volume or bucket that bears data carries the engine's protection against deletion."""
    if not subject.facts.flag("dataBearing"):
        yield NotApplicable("declared disposable: bears no data")
    elif not subject.protect:
        yield Finding("opts.protect", "bears data and is not protected", "protect: false", "protect: true")
