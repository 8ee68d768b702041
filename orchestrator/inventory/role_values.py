"""Names and choices inside a role's variable, at any depth, held against what the role declares. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stacks.fleet.mistakes import nearest, shown


def odd_values(spec: Mapping[str, Any], value: Any, at: str = "") -> Iterator[str]:
    """What the role does not know: `[0].access must be one of its choices, got 'raed'; known: read, write. …`

    Ansible's own validator says the same without the place, and suggests nothing.
    """
    if isinstance(value, list):
        element = {key: spec[key] for key in ("options", "choices") if key in spec}
        for number, each in enumerate(value):
            yield from odd_values(element, each, f"{at}[{number}]")
        return
    choices = [str(choice) for choice in spec.get("choices") or ()]
    if choices and isinstance(value, str) and value not in choices:
        yield f"{at} must be one of its choices, got '{shown(value)}'; {nearest(value, choices)}".lstrip()
    options = spec.get("options") or {}
    if not options or not isinstance(value, Mapping):
        return
    for key, inner in value.items():
        place = f"{at}.{key}".lstrip(".")
        if key in options:
            yield from odd_values(options[key] or {}, inner, place)
        else:
            yield f"{at} has no '{shown(str(key))}'; {nearest(str(key), options)}".lstrip()
