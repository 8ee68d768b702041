"""Subjects and parameters as JSON, for the processes of own rules; what JSON has no word for is marked.

The mark is made anew in each judging process, so that no text of a fleet can pass for it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Final

from policies.facts import Facts, Unknown
from policies.model import Kind, Subject

MARK: Final = os.urandom(16).hex()


def subject_text(subject: Subject) -> str:
    """The whole subject; raises ValueError or TypeError where it holds what cannot be put into JSON."""
    return packed([
        subject.kind, subject.type, subject.name, subject.urn, subject.stack, subject.facts,
        subject.source_type, subject.protect, dict(subject.depends_on), subject.witness,
    ])  # fmt: skip


def subject_of(text: str, mark: str) -> Subject:
    """The subject of such a text."""
    kind, type_, name, urn, stack, facts, source_type, protect, depends_on, witness = unpacked(text, mark)
    edges = {key: tuple(urns) for key, urns in depends_on.items()}
    return Subject(Kind(kind), type_, name, urn, stack, facts, source_type, protect, edges, witness)


def packed(value: object) -> str:
    """A value of facts as JSON in one line of ASCII; raises ValueError or TypeError."""
    try:
        try:
            return json.dumps(value, default=_marked)
        except TypeError:  # of a key that JSON does not know; facts are read by text
            return json.dumps(_text_keys(value), default=_marked)
    except RecursionError as error:
        raise ValueError("it is nested too deeply to be handed over") from error


def unpacked(text: str, mark: str) -> Any:
    """The value of such a text, whose marks are `mark`."""

    def unmarked(found: dict[str, Any]) -> object:
        if len(found) != 1 or mark not in found:
            return found
        kind, *values = found[mark]
        return _MADE[kind](*values)

    return json.loads(text, object_hook=unmarked if mark in text else None)


_MADE: Final[Mapping[str, Callable[..., object]]] = {
    "facts": Facts,
    "unknown": Unknown,
    "decimal": Decimal,
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "bytes": bytes.fromhex,
}
_MARKS: Final[tuple[tuple[type, str, Callable[[Any], list[object]]], ...]] = (
    (Facts, "facts", lambda facts: [facts.raw(), facts.path]),
    (Unknown, "unknown", lambda unknown: [unknown.reason]),
    (Decimal, "decimal", lambda number: [str(number)]),
    (datetime, "datetime", lambda moment: [moment.isoformat()]),
    (date, "date", lambda day: [day.isoformat()]),
    (time, "time", lambda moment: [moment.isoformat()]),
    (bytes, "bytes", lambda raw: [raw.hex()]),
)


def _marked(value: object) -> object:
    for kind, name, plain in _MARKS:
        if isinstance(value, kind):
            return {MARK: [name, *plain(value)]}
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset):
        return sorted(value, key=str)
    raise TypeError(f"a value of type {type(value).__name__} cannot be handed over")


def _text_keys(value: object) -> object:
    if isinstance(value, Facts):
        return {MARK: ["facts", _text_keys(value.raw()), value.path]}
    if isinstance(value, Mapping):
        return {str(key): _text_keys(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_text_keys(each) for each in value]
    return value
