"""Reading of Amazon's inputs, where any of them may be unknown, absent or of another type than documented."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

from policies.facts import MAPPINGS, Unknown

Inputs = Mapping[str, Any]
ELSEWHERE: Final = Unknown("may be told by another resource of the stack")


@cache
def kind_of(token: str) -> str:
    """What a resource is called in its module, of either version: a few tokens name all resources."""
    return token.rsplit(":", 1)[-1].removesuffix("V2")


def tags_of(inputs: Inputs) -> Mapping[str, Any] | Unknown:
    """The tags, with those that the provider adds by default."""
    every, own = inputs.get("tagsAll"), inputs.get("tags")
    if isinstance(own, Unknown):
        return own
    return {**(every if isinstance(every, MAPPINGS) else {}), **(own if isinstance(own, MAPPINGS) else {})}


def tag(inputs: Inputs, key: str) -> Any:
    """One tag, Unknown where the tags are, or None."""
    every, own = inputs.get("tagsAll"), inputs.get("tags")
    if isinstance(own, Unknown):
        return own
    return next((tags[key] for tags in (own, every) if isinstance(tags, MAPPINGS) and key in tags), None)


def records(inputs: Inputs, key: str) -> list[Any]:
    """A list of whatever stands there; one thing alone counts as a list of one."""
    found = inputs.get(key)
    if found is None:
        return []
    return list(found) if isinstance(found, list) else [found]


def within(inputs: Inputs, *keys: str) -> Any:
    """The value at a path of mappings and lists of one, Unknown where any step is, else None."""
    at: Any = inputs
    for key in keys:
        at = at[0] if isinstance(at, list) and at else at
        if isinstance(at, Unknown):
            return at
        if not isinstance(at, MAPPINGS):
            return None
        at = at.get(key)
    return at


def when_known(found: Any, judge: Callable[[Any], object]) -> object:
    """What `judge` makes of a value; Unknown stays Unknown."""
    return found if isinstance(found, Unknown) else judge(found)


def or_else(found: Any, default: object) -> object:
    """The value, or what the vendor does when it is absent."""
    return default if found is None else found


def bears_data(inputs: Inputs) -> object:
    """Whether losing it loses something: yes, unless the tag `dataBearing` says `false`."""
    return when_known(tag(inputs, "dataBearing"), lambda said: said != "false")
