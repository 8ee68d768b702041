"""References to secrets, where a variable would hold the secret itself.

`{env: NAME}` and `{file: PATH}` lead to secrets that people keep, `{generated: NAME}` to one that Steward
makes and keeps. `{login: USER}` is no secret: the name by which a database user with such a password logs
in now.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_ENVIRONMENT = re.compile(r"[A-Z_][A-Z0-9_]{0,99}")
_FILE = re.compile(r"[^\x00-\x1f]{1,400}")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,38}")
"""Short enough for a user of a database and the `_2` of its second login."""
GENERATED = "generated"
LOGIN = "login"
_PLACES = {"env": _ENVIRONMENT, "file": _FILE, GENERATED: _NAME, LOGIN: _NAME}


@dataclass(frozen=True)
class Reference:
    """Where a secret is kept: a variable of the environment, a file, or Steward's own keys of the stack."""

    kind: str
    place: str

    def __str__(self) -> str:
        return f"{{{self.kind}: {self.place}}}"


def reference(value: Any) -> Reference | None:
    """The reference that a value is, if it is one."""
    if not isinstance(value, Mapping) or len(value) != 1:
        return None
    ((kind, place),) = value.items()
    pattern = _PLACES.get(kind)
    if pattern is None or not isinstance(place, str) or not pattern.fullmatch(place):
        return None
    return Reference(kind, place)


def references(value: Any) -> Iterator[Reference]:
    """Every reference in a value, at any depth."""
    if (found := reference(value)) is not None:
        yield found
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from references(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from references(item)


def resolved(value: Any, resolve: Callable[[Reference], str]) -> Any:
    """The same value with every reference replaced by what it leads to."""
    if (found := reference(value)) is not None:
        return resolve(found)
    if isinstance(value, Mapping):
        return {key: resolved(item, resolve) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [resolved(item, resolve) for item in value]
    return value
