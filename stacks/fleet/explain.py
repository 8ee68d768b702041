"""What pydantic found, in the words of the fleet file: what was got, and what to write instead."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import islice
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from stacks.fleet.mistakes import Mistake, Place, nearest, shown, shown_value
from stacks.fleet.model import Fleet
from stacks.fleet.units import HOW_TO_WRITE

INCLUDE = "include"
"""The key for files that a fleet includes; merged before the model sees anything."""
MOST_MISTAKES = 200
"""More of them help nobody, and each costs time."""

_WRITE = {
    "dict_type": "write a mapping of names, for example {{name: ...}}",
    "model_type": "write a mapping with {keys}",
    "tuple_type": "write a list, for example [one, two]",
    "string_type": "write text, in quotes where it looks like a number",
    "int_type": "write a whole number",
    "int_from_float": "write a whole number",
    "float_type": "write a number",
    "bool_type": "write true or false",
    "finite_number": "write a finite number",
    "string_too_short": "write at least {min_length} character",
    "string_too_long": "write at most {max_length} characters",
    "greater_than": "write a number above {gt}",
    "greater_than_equal": "write a number of at least {ge}",
    "less_than": "write a number below {lt}",
    "less_than_equal": "write a number of at most {le}",
    "decimal_max_places": "write at most {decimal_places} decimal places",
    "too_short": "declare at least {min_length}",
}


def explain(problem: ValidationError) -> Iterator[Mistake]:
    """Each detail of a failed validation as a mistake; at most MOST_MISTAKES of them."""
    for detail in islice(problem.errors(include_url=False), MOST_MISTAKES):
        place = _place(detail)
        yield Mistake(place, _message(detail, place))


def _place(detail: ErrorDetails) -> Place:
    place: Place = detail["loc"]
    if place and place[-1] == "[key]":
        return place[:-1]
    if len(place) > 4 and place[0] == "servers" and place[2] == "roles":
        return place[:4]  # below it is our model of a role, not the file
    return place


def _message(detail: ErrorDetails, place: Place) -> str:
    value, limits = detail["input"], detail.get("ctx", {})
    got = shown_value(value)
    match detail["type"]:
        case "missing":
            return f"is required and missing; add it{_example(place)}"
        case "extra_forbidden":
            last = str(place[-1])
            return f"unknown key '{shown(last)}'; {nearest(last, known_at(place[:-1]))}"
        case "literal_error":
            choices = re.findall(r"'([^']*)'", limits["expected"]) or [limits["expected"]]
            return f"{got} is not a choice here; {nearest(str(value), choices)}"
        case "value_error":
            text = detail["msg"].removeprefix("Value error, ")
        case "string_pattern_mismatch":
            text = HOW_TO_WRITE[limits["pattern"]]
        case kind if kind in _WRITE:
            words = {key: _number(limit) for key, limit in limits.items()}
            text = _WRITE[kind].format(**words, keys=", ".join(keys_at(place)[:8]))
        case _:
            text = shown(detail["msg"], 200)
    return f"{text}; got {got}"


def _number(limit: Any) -> Any:
    """A limit as people write it: 100, not 100.0."""
    return f"{limit:g}" if isinstance(limit, float) else limit


def _example(place: Place) -> str:
    known = {
        "keep": "keep: {daily: 7, weekly: 4}",
        "rpo": "rpo: 26h",
        "rto": "rto: 1h",
        "version": "version: 1",
    }
    text = known.get(str(place[-1]))
    return f", for example {text}" if text else ""


def keys_at(place: Place) -> tuple[str, ...]:
    """The keys that the fleet's model knows at a place; none where names are free."""
    model: type[BaseModel] | None = Fleet
    name_follows = False
    for step in place:
        if name_follows:
            name_follows = False
            continue
        if model is None:
            return ()
        annotation = _annotations(model).get(str(step))
        name_follows = _is_container(annotation)
        model = _model_in(annotation)
    return tuple(_annotations(model)) if model is not None and not name_follows else ()


def known_at(place: Place) -> tuple[str, ...]:
    """What a file may say at a place: the model's keys, and at its top what is read before the model."""
    return keys_at(place) if place else (*keys_at(place), INCLUDE)


@cache
def _annotations(model: type[BaseModel]) -> Mapping[str, Any]:
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part))), None)


def _is_container(annotation: Any) -> bool:
    return get_origin(annotation) in (dict, tuple)
