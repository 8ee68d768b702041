"""The shape of each resource's inputs: one declaration serves Check, GetSchema and readers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Literal

from stacks.providers.local.wire import UNKNOWN, Properties

Type = Literal["string", "integer", "number", "boolean", "strings", "map", "records", "integers"]

_PYTHON: dict[Type, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "strings": (list,),
    "map": (dict,),
    "integers": (dict,),
    "records": (list,),
}
_WORDS: dict[Type, str] = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "strings": "a list of texts",
    "map": "a map of texts",
    "integers": "a map of whole numbers",
    "records": "a list of records",
}


@dataclass(frozen=True)
class Field:
    """One property: its type, whether it must be there, and for records the fields of one record."""

    type: Type
    required: bool = True
    record: Mapping[str, Field] = field(default_factory=dict)


@dataclass(frozen=True)
class Failure:
    """One thing wrong with the inputs: the property's path and a sentence with a next step."""

    path: str
    reason: str


TAGS = Field("map", required=False)


def misfits(inputs: Properties, fields: Mapping[str, Field], prefix: str = "") -> list[Failure]:
    """All missing, unknown and wrongly typed properties; values not known yet are let through."""
    found = [_stray(key, fields, prefix) for key in inputs if key not in fields]
    for key, shape in fields.items():
        value = inputs.get(key)
        path = f"{prefix}{key}"
        if value is None:
            if shape.required:
                found.append(Failure(path, f"is missing: {_WORDS[shape.type]} is wanted."))
        elif value != UNKNOWN:
            found.extend(_mistyped(path, value, shape))
    return found


def _stray(key: str, fields: Mapping[str, Field], prefix: str) -> Failure:
    close = get_close_matches(key, fields, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return Failure(f"{prefix}{key}", f"no such property; known: {', '.join(sorted(fields))}.{hint}")


def _mistyped(path: str, value: object, shape: Field) -> list[Failure]:
    wrong_bool = isinstance(value, bool) and shape.type != "boolean"
    if wrong_bool or not isinstance(value, _PYTHON[shape.type]):
        return [Failure(path, f"must be {_WORDS[shape.type]}, got {value!r}.")]
    found: list[Failure] = []
    if isinstance(value, list):
        for index, item in enumerate(value):
            place = f"{path}[{index}]"
            if shape.type == "strings" and not isinstance(item, str):
                found.append(Failure(place, f"must be text, got {item!r}."))
            elif shape.type == "records" and item != UNKNOWN:
                if isinstance(item, dict):
                    found.extend(misfits(item, shape.record, f"{place}."))
                else:
                    found.append(Failure(place, f"must be a record, got {item!r}."))
    if isinstance(value, dict) and shape.type == "map":
        found.extend(
            Failure(f"{path}.{key}", f"must be text, got {item!r}.")
            for key, item in value.items()
            if not isinstance(item, str)
        )
    return found
