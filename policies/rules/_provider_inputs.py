"""Reading of a provider's inputs: every leaf with the keys that lead to it.

The engine may write whatever is no text as JSON in a text (`endpoints: '[{"s3": "http://…"}]'`), so such
a text is read as what it stands for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from policies.facts import Facts, Unknown, UnknownFactError

_OURS: Final = ("name", "tags", "version")
"""Names of a provider itself, which reach nothing."""
_HIDDEN: Final = "[secret]"
_WORDS: Final = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")
_TRUE: Final = ("true", "1", "yes", "on")
_FALSE: Final = ("false", "0", "no", "off")
_LONGEST: Final = 100_000
_DEEPEST: Final = 20


@dataclass(frozen=True)
class Setting:
    """One value; `keys` are the names that lead to it, the last one its own."""

    path: str
    keys: tuple[str, ...]
    value: object

    @property
    def words(self) -> tuple[str, ...]:
        """The words of its own name, in lower case."""
        return words(self.keys[-1])

    @property
    def text(self) -> str:
        """The value where it is a text, else ''."""
        return self.value.strip() if isinstance(self.value, str) else ""

    @property
    def is_on(self) -> bool:
        """Whether it is a flag that is set."""
        return self.value is True or self.text.lower() in _TRUE

    @property
    def is_off(self) -> bool:
        """Whether it is a flag that is not set, and stands there."""
        return self.value is False or self.text.lower() in _FALSE


def words(key: str) -> tuple[str, ...]:
    """`skipTlsVerify` and `skip_tls_verify` as skip, tls, verify."""
    return tuple(word.lower() for word in _WORDS.findall(key))


def settings(facts: Facts) -> Iterator[Setting]:
    """Every setting of a provider, a secret one as Unknown; raises UnknownFactError where none is known."""
    inputs = facts.raw()
    if isinstance(inputs, Unknown):
        raise UnknownFactError("all properties", reason=inputs.reason)
    for key, value in inputs.items():
        if key not in _OURS:
            yield from _leaves(value, (key,), key, 0)


def _leaves(value: object, keys: tuple[str, ...], path: str, depth: int) -> Iterator[Setting]:
    value = _decoded(value) if isinstance(value, str) else value
    if depth > _DEEPEST:
        yield Setting(path, keys, Unknown(f"nested more than {_DEEPEST} deep"))
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from _leaves(each, (*keys, str(key)), f"{path}.{key}", depth + 1)
    elif isinstance(value, list | tuple):
        for number, each in enumerate(value):
            yield from _leaves(each, keys, f"{path}[{number}]", depth + 1)
    elif value is not None:
        yield Setting(path, keys, value)


def _decoded(text: str) -> object:
    if text == _HIDDEN:
        return Unknown("a secret, which no rule is shown")
    if not text.lstrip().startswith(("{", "[")) or len(text) > _LONGEST:
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
