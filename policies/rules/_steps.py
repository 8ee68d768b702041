"""Reading of steps: what is lost by one, and its facts before and after."""

from __future__ import annotations

from collections.abc import Iterator

from policies.facts import Facts
from policies.model import Finding, NotApplicable, Outcome, Subject

LOSING = ("delete", "replace")


def op(step: Subject) -> str:
    """What happens: create, update, replace, delete, read or same."""
    return step.facts.text("op")


def lost(step: Subject) -> Iterator[Outcome]:
    """A finding where a step ends its resource, also for another one in its place."""
    happens = op(step)
    if happens in LOSING:
        what = step.facts.text("type").replace("_", " ")
        yield Finding("op", f"{happens}s the {what}", happens, f"the {what} stays")


def before_and_after(step: Subject) -> tuple[Facts, Facts]:
    """The facts of its resource, of a step that has both."""
    return step.facts.table("old"), step.facts.table("new")


def turned_off(key: str, problem: str, old: Facts, new: Facts) -> Iterator[Outcome]:
    """A finding where a flag was true and is so no longer."""
    if not old.has(key):
        yield NotApplicable("the provider registers no such setting")
    elif old.flag(key) and not (new.flag(key) if new.has(key) else False):
        yield Finding(new.where(key), problem, "true, then false", "true")
