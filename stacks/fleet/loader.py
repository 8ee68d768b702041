"""YAML to `Fleet`: the one place where raw text becomes trusted values. All mistakes come at once."""

from __future__ import annotations

import hashlib
import io
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from stacks.fleet.explain import MOST_MISTAKES, explain
from stacks.fleet.mistakes import FleetInvalid, Mistake, Place, RoleCheck, shown, shown_value
from stacks.fleet.model import Fleet
from stacks.fleet.parts import parts_of
from stacks.fleet.references import mistakes

_LARGEST_FILE_BYTES = 262_144
_DEEPEST = 20
_MOST_VALUES = 20_000
_NULL = re.compile(r"|~|null|Null|NULL")
_BOOL = re.compile(r"(true|True|TRUE)|false|False|FALSE")
_INT = re.compile(r"[-+]?[0-9]{1,18}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]{1,40}|[0-9]{1,40}(\.[0-9]{0,40})?)([eE][-+]?[0-9]{1,3})?")
_CONTROL = re.compile(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_OF_VALUES = (
    AliasEvent,
    ScalarEvent,
    MappingStartEvent,
    MappingEndEvent,
    SequenceStartEvent,
    SequenceEndEvent,
)


@dataclass(frozen=True)
class LoadedFleet:
    """A valid fleet with where it came from; `digest` is the SHA-256 of the file's bytes in hex."""

    fleet: Fleet
    path: Path
    digest: str


def load(path: Path, role_check: RoleCheck | None = None) -> LoadedFleet:
    """Read and check a fleet file; raises FleetInvalid with every mistake, OSError never."""
    try:
        if path.exists() and not path.is_file():
            raise FleetInvalid(str(path), [Mistake((), "is not a file. Name an existing fleet file.")])
        with path.open("rb") as file:
            raw = file.read(_LARGEST_FILE_BYTES + 1)
    except OSError as problem:
        message = f"cannot be read: {problem.strerror}. Name an existing fleet file."
        raise FleetInvalid(str(path), [Mistake((), message)]) from problem
    except ValueError as problem:  # a NUL in the name
        raise FleetInvalid(
            str(path), [Mistake((), "is not the name of a file. Name a fleet file.")]
        ) from problem
    fleet = parse(raw, path.name, role_check)
    return LoadedFleet(fleet, path.absolute(), hashlib.sha256(raw).hexdigest())


def parse(raw: bytes, source: str, role_check: RoleCheck | None = None) -> Fleet:
    """Check the bytes of a fleet file; raises FleetInvalid."""
    try:
        reader = _Reader(_text(raw))
        values = reader.document()
    except _NotYaml as problem:
        raise FleetInvalid(source, [Mistake((), problem.message, problem.line)]) from problem
    if not isinstance(values, dict):
        message = f"a fleet is a mapping of keys, not {shown_value(values)}. Begin with version: 1."
        raise FleetInvalid(source, [*reader.mistakes, Mistake((), message)])
    found = list(reader.mistakes)
    fleet: Fleet | None = None
    try:
        fleet = Fleet.model_validate(values)
    except ValidationError as problem:
        found.extend(explain(problem))
    found.extend(islice(mistakes(parts_of(values, fleet), role_check), MOST_MISTAKES))
    if found or fleet is None:
        lines = reader.lines
        if len(found) > MOST_MISTAKES:
            found[MOST_MISTAKES:] = [Mistake((), f"more than {MOST_MISTAKES} mistakes; mend these first")]
        raise FleetInvalid(
            source, [Mistake(m.place, m.message, m.line or _line(lines, m.place)) for m in found]
        )
    return fleet


class _NotYaml(Exception):  # noqa: N818  # says what it is
    """The text cannot be read any further; nothing that follows it can be judged."""

    def __init__(self, message: str, line: int | None = None) -> None:
        self.message = message
        self.line = line
        super().__init__(message)


def _text(raw: bytes) -> str:
    if len(raw) > _LARGEST_FILE_BYTES:
        raise _NotYaml(
            f"is larger than the {_LARGEST_FILE_BYTES // 1024} KiB a fleet may have; split the fleet"
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise _NotYaml(f"is not UTF-8 text at byte {problem.start}; save it as UTF-8") from problem
    if found := _CONTROL.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise _NotYaml(f"the control character {shown(found[0])} is not allowed; remove it", line)
    return text


class _Reader:
    """Builds plain values from YAML events, and remembers the line of each place.

    Only mappings, lists and the scalars of JSON come out. Every value counts, also those an alias repeats, so
    that a small file cannot grow without bound.
    """

    def __init__(self, text: str) -> None:
        self.lines: dict[Place, int] = {}
        self.mistakes: list[Mistake] = []
        self._events = _events(text)
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._left = _MOST_VALUES

    def document(self) -> Any:
        """The only document of the text; raises _NotYaml."""
        event = next(self._events, None)
        if event is None:
            raise _NotYaml("is empty. Begin with version: 1, client: and environment:.")
        value = self._value(event, ())
        if (extra := next(self._events, None)) is not None:
            raise _NotYaml(
                "holds more than one document; write one fleet a file, without ---", _line_of(extra)
            )
        return value

    def _value(self, event: Event, place: Place) -> Any:
        before = self._left
        self._take(1, event)
        if len(place) > _DEEPEST:
            raise _NotYaml(f"is nested deeper than {_DEEPEST} levels; nothing in a fleet is", _line_of(event))
        if isinstance(event, AliasEvent):
            return self._repeated(event)
        value: Any
        if isinstance(event, ScalarEvent):
            value, tag = _scalar(event), event.tag
        elif isinstance(event, MappingStartEvent):
            value, tag = self._mapping(place), event.tag
        elif isinstance(event, SequenceStartEvent):
            value, tag = self._list(place), event.tag
        else:
            raise _NotYaml("is not valid YAML: a list or mapping ends that did not begin", _line_of(event))
        if tag is not None:
            self._tell(place, event, f"the tag {shown(str(tag))} is not read; write the value without it")
        if event.anchor is not None:
            self._anchors[event.anchor] = value, before - self._left
        return value

    def _repeated(self, event: AliasEvent) -> Any:
        if event.anchor not in self._anchors:
            raise _NotYaml(f"the alias *{shown(str(event.anchor))} names nothing before it", _line_of(event))
        value, size = self._anchors[event.anchor]
        self._take(size, event)
        return value

    def _mapping(self, place: Place) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while not isinstance(event := next(self._events), MappingEndEvent):
            key = self._key(event, place)
            below = (*place, key if key is not None else "?")
            self.lines.setdefault(below, _line_of(event))
            value = self._value(next(self._events), below)
            if key is not None and key in found:
                first = self.lines[below]
                self._tell(
                    below, event, f"the key '{shown(key)}' is said twice, first in line {first}; remove one"
                )
            elif key is not None:
                found[key] = value
        return found

    def _key(self, event: Event, place: Place) -> str | None:
        """The key as text, or None after telling why it is none."""
        if not isinstance(event, ScalarEvent):
            self._value(event, (*place, "?"))
            self._tell(place, event, "a key is a list, a mapping or an alias; write keys as plain text")
            return None
        key = _scalar(event)
        if not isinstance(key, str):
            self._tell(place, event, f"the key {shown(event.value)} is not text; put it in quotes")
            return None
        if key == "<<":
            self._tell((*place, key), event, "merge keys are not read; write the values out")
            return None
        return key

    def _list(self, place: Place) -> list[Any]:
        found: list[Any] = []
        while not isinstance(event := next(self._events), SequenceEndEvent):
            below = (*place, len(found))
            self.lines.setdefault(below, _line_of(event))
            found.append(self._value(event, below))
        return found

    def _take(self, count: int, event: Event) -> None:
        self._left -= count
        if self._left < 0:
            raise _NotYaml(
                f"holds more than {_MOST_VALUES} values, aliases counted; split the fleet", _line_of(event)
            )

    def _tell(self, place: Place, event: Event, message: str) -> None:
        if len(self.mistakes) < MOST_MISTAKES:
            self.mistakes.append(Mistake(place, message, _line_of(event)))


def _events(text: str) -> Iterator[Event]:
    """The events of values; raises _NotYaml where the text is not YAML."""
    try:
        for event in YAML(typ="safe", pure=True).parse(io.StringIO(text)):
            if isinstance(event, _OF_VALUES):
                yield event
    except MarkedYAMLError as problem:
        mark = problem.problem_mark or problem.context_mark
        told = " ".join(part for part in (problem.context, problem.problem) if part)
        advice = "; indent with spaces" if "'\\t'" in told else ""
        raise _NotYaml(
            f"is not valid YAML: {shown(told, 200)}{advice}", mark.line + 1 if mark else None
        ) from problem
    except (
        YAMLError,
        ValueError,
        OverflowError,
    ) as problem:  # the last two: escapes of characters that do not exist
        raise _NotYaml(f"is not valid YAML: {shown(str(problem), 200)}") from problem


def _line_of(event: Event) -> int:
    return int(event.start_mark.line) + 1


def _scalar(event: ScalarEvent) -> Any:
    """The value of YAML 1.2's core schema; infinities, dates and numbers without end stay text."""
    text = str(event.value)
    if event.style is not None or event.tag is not None:
        return text
    if _NULL.fullmatch(text):
        return None
    if match := _BOOL.fullmatch(text):
        return match[1] is not None
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text) and not text.lstrip("+-").isdigit() and math.isfinite(float(text)):
        return float(text)
    return text


def _line(lines: dict[Place, int], place: Place) -> int | None:
    """The line of a place, or of the nearest place above it that the file has."""
    return next((lines[place[:end]] for end in range(len(place), 0, -1) if place[:end] in lines), None)
