"""Property values as the engine writes them: what nobody knows yet, what is secret, numbers of one kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from policies.facts import MAPPINGS, UNKNOWN, Unknown
from policies.model import PackError

SECRET: Final = Unknown("a secret, which no rule is shown")
HIDDEN: Final = "[secret]"
"""What the engine writes in place of a secret in previews and events."""
_UNKNOWN_TEXTS: Final = frozenset(
    {
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",  # text
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",  # true or false
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",  # number
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",  # list
        "030794c1-ac77-496b-92df-f27374a8bd58",  # asset
        "e48ece36-62e2-4504-bad9-02848725956a",  # archive
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",  # mapping
    }
)
_MARKS: Final = _UNKNOWN_TEXTS | {HIDDEN}
_SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
_SECRET_SIGNATURE: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105
_OUTPUT_SIGNATURE: Final = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
_DEEPEST: Final = 40
# The kinds that JSON gives first: whether a value is a Mapping is found out slowly.
_SCALARS: Final = (int, float, type(None))
_AS_THEY_ARE: Final = frozenset({bool, int, type(None)})
_KNOWN: Final = (dict, Unknown, Mapping)
_NESTING: Final = (dict, list, tuple, Mapping)


def plain(properties: object, place: str) -> Mapping[str, object] | Unknown:
    """The inputs of a resource without the engine's own marks; raises PackError at what is no mapping."""
    if properties is None:
        return {}
    known = value(properties, place)
    if isinstance(known, _KNOWN):
        return known
    raise PackError(f"{place}: expected a mapping of properties, got {type(properties).__name__}")


def value(raw: object, place: str, depth: int = 0) -> object:
    """One value, with UNKNOWN and SECRET in the places of what cannot be read; raises PackError."""
    if isinstance(raw, str):
        return UNKNOWN if raw in _UNKNOWN_TEXTS else SECRET if raw == HIDDEN else raw
    if isinstance(raw, _SCALARS):
        # The wire makes 22.0 of 22, a saved file does not: a finding must read the same.
        return int(raw) if isinstance(raw, float) and raw.is_integer() else raw
    if isinstance(raw, _NESTING) and depth >= _DEEPEST:
        raise PackError(f"{place}: properties are nested more than {_DEEPEST} deep")
    if isinstance(raw, MAPPINGS):
        return _mapping(raw, place, depth)
    if isinstance(raw, Sequence) and not isinstance(raw, bytes):
        return [value(item, place, depth + 1) for item in raw]
    return raw


def _mapping(raw: Mapping[object, object], place: str, depth: int) -> object:
    mark = raw.get(_SIGNATURE)
    if mark == _SECRET_SIGNATURE:
        return SECRET
    if mark == _OUTPUT_SIGNATURE:
        if raw.get("secret"):
            return SECRET
        return value(raw["value"], place, depth + 1) if "value" in raw else UNKNOWN
    return {
        # Most values are texts that are no marks, or numbers.
        key: item
        if (kind := type(item)) in _AS_THEY_ARE or (kind is str and item not in _MARKS)
        else value(item, place, depth + 1)
        for key, item in raw.items()
        if isinstance(key, str) and key[:2] != "__"
    }
