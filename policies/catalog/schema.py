"""The small part of JSON Schema that rule parameters need: enough to refuse a typing mistake by name."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from policies import yamlfile
from policies.facts import shown
from policies.model import PackError

STRICTER: Final = ("lower", "higher")
"""Which way a parameter gets stricter; a weakening is the other way."""
_KINDS: Final[Mapping[str, tuple[type, ...]]] = {"integer": (int,), "number": (int, float), "string": (str,)}


def check_schema(schema: object, place: str) -> Mapping[str, object]:
    """The schema of one parameter, whose default must fit it; raises PackError."""
    checked = yamlfile.mapping(
        schema,
        place,
        required=("type", "default", "description"),
        optional=("minimum", "maximum", "items", "stricter"),
    )
    _check_type(checked, place)
    if "stricter" in checked and checked["stricter"] not in STRICTER:
        raise PackError(
            f"{place}.stricter: expected {' or '.join(STRICTER)}; got {shown(checked['stricter'])!r}"
        )
    check_value(checked["default"], checked, f"{place}.default")
    return checked


def _check_type(schema: Mapping[str, object], place: str) -> None:
    """Raises PackError where the schema says no type, or bounds that are none; of what a list holds too."""
    kind = schema.get("type")
    if kind not in (*_KINDS, "array") or (kind == "array") != ("items" in schema):
        raise PackError(f"{place}.type: expected {', '.join(_KINDS)}, or array with items; got {shown(kind)}")
    for key in ("minimum", "maximum"):
        _bound(schema, key, place)
    if "items" in schema:
        items = yamlfile.mapping(
            schema["items"], f"{place}.items", required=("type",), optional=("minimum", "maximum", "items")
        )
        _check_type(items, f"{place}.items")


def check_value(value: object, schema: Mapping[str, object], place: str) -> None:
    """Raises PackError when the value does not fit the schema."""
    if schema["type"] == "array":
        if not isinstance(value, list):
            raise PackError(f"{place}: expected a list, got {shown(value)}")
        items = yamlfile.mapping(schema["items"], f"{place} (schema)")
        for number, item in enumerate(value):
            check_value(item, items, f"{place}[{number}]")
        return
    if isinstance(value, bool) or not isinstance(value, _KINDS[str(schema["type"])]):
        raise PackError(f"{place}: expected {schema['type']}, got {shown(value)!r}")
    if isinstance(value, float) and not math.isfinite(value):
        raise PackError(f"{place}: expected a finite number, got {value}")
    if isinstance(value, int | float):
        least, most = _bound(schema, "minimum", place), _bound(schema, "maximum", place)
        if (least is not None and value < least) or (most is not None and value > most):
            raise PackError(f"{place}: {shown(value)} is outside {least} to {most}")


def _bound(schema: Mapping[str, object], key: str, place: str) -> float | None:
    bound = schema.get(key)
    if bound is None:
        return None
    if isinstance(bound, bool) or not isinstance(bound, int | float) or not math.isfinite(bound):
        raise PackError(f"{place}: {key} is not a finite number, got {shown(bound)}")
    return bound


def stricter_way(name: str, schema: Mapping[str, object]) -> str:
    """`lower` or `higher`, as the schema says or the name does; '' where neither says."""
    if "stricter" in schema:
        return str(schema["stricter"])
    if name.startswith(("min_", "widest_")):
        return "higher"
    return "lower" if name.startswith("max_") else ""
