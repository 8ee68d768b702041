"""Reading of the engine's own JSON by place: what is not there, or of another kind, ends the reading."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from policies.facts import MAPPINGS, shown
from policies.model import PackError

MOST_RESOURCES: Final = 100_000


def mapping_of(found: object, place: str) -> Mapping[str, Any]:
    """The mapping; raises PackError."""
    if not isinstance(found, MAPPINGS):
        raise PackError(f"{place}: expected a mapping, got {shown(found)!r}; the file is truncated or none")
    return found


def list_of(found: object, place: str) -> list[Any]:
    """The list, which is not endless; raises PackError."""
    if not isinstance(found, list):
        raise PackError(f"{place}: expected a list, got {shown(found)!r}; the file is truncated or none")
    if len(found) > MOST_RESOURCES:
        raise PackError(f"{place}: {len(found)} entries; at most {MOST_RESOURCES} are judged at once")
    return found


def texts_of(found: object, place: str) -> list[str]:
    """The list of texts, an empty one for nothing; raises PackError."""
    if found is None:
        return []
    every = list_of(found, place)
    if not all(isinstance(each, str) for each in every):
        raise PackError(f"{place}: expected a list of texts, got {shown(every)}")
    return every


def text_of(body: Mapping[str, Any], key: str, place: str) -> str:
    """The text under the key; raises PackError."""
    found = body.get(key)
    if not isinstance(found, str) or not found:
        raise PackError(
            f"{place}.{key}: expected a text, got {shown(found)!r}; the file is truncated or none"
        )
    return found


def flag_of(body: Mapping[str, Any], key: str, place: str, *, default: bool | None = None) -> bool:
    """True or false under the key, `default` where it is left out; raises PackError."""
    found = body.get(key, default)
    if not isinstance(found, bool):
        raise PackError(
            f"{place}.{key}: expected true or false, got {shown(found)!r}; the engine always writes it"
            if default is None
            else f"{place}.{key}: expected true or false, got {shown(found)!r}"
        )
    return found


def type_of(urn: str) -> str:
    """The resource's own type out of its URN, without those of its parents."""
    parts = urn.split("::")
    return parts[2].rsplit("$", 1)[-1] if len(parts) > 3 else ""


def urn_of(body: Mapping[str, Any], place: str) -> str:
    """The URN of a step or state; raises PackError."""
    urn = text_of(body, "urn", place)
    if not urn.startswith("urn:pulumi:") or not type_of(urn):
        raise PackError(f"{place}.urn: expected urn:pulumi:STACK::PROJECT::TYPE::NAME, got {shown(urn)!r}")
    return urn


def state_of(entry: object, place: str, urn: str = "") -> Mapping[str, Any]:
    """A resource's state, whose type is that of its URN; `urn` is one that was read. Raises PackError."""
    state = mapping_of(entry, place)
    own = type_of(urn if urn and state.get("urn") == urn else urn_of(state, place))
    if state.get("type", own) != own:
        raise PackError(f"{place}.type: expected {shown(own)}, as the URN says, got {shown(state['type'])}")
    return state


def is_component(state: Mapping[str, Any], place: str) -> bool:
    """Whether no provider makes the resource, by the file's own word; raises PackError."""
    return not flag_of(state, "custom", place) and not state.get("provider")


def edges_of(state: Mapping[str, Any], place: str) -> Mapping[str, tuple[str, ...]]:
    """Property -> URNs of what feeds it; raises PackError."""
    found = state.get("propertyDependencies")
    if found is None:
        return {}
    at = f"{place}.propertyDependencies"
    return {key: tuple(texts_of(urns, f"{at}.{shown(key)}")) for key, urns in mapping_of(found, at).items()}
