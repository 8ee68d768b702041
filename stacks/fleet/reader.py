"""The text of one file to plain values, with the line of each place; the one reader of YAML in the spec."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import yaml
from yaml.events import (
    AliasEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from stacks.fleet.explain import MOST_MISTAKES
from stacks.fleet.mistakes import Mistake, Place, shown

LARGEST_FILE_BYTES: Final = 262_144
MOST_VALUES: Final = 20_000
MERGE: Final = "<<"
_DEEPEST = 20
_NULL = re.compile(r"|~|null|Null|NULL")
_BOOL = re.compile(r"(true|True|TRUE)|false|False|FALSE")
_INT = re.compile(r"[-+]?[0-9]{1,18}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]{1,40}|[0-9]{1,40}(\.[0-9]{0,40})?)([eE][-+]?[0-9]{1,3})?")
# The last three end a line for some readers of YAML and not for others.
_CONTROL = re.compile(r"[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\x85\u2028\u2029]")
_OF_VALUES = (
    AliasEvent,
    ScalarEvent,
    MappingStartEvent,
    MappingEndEvent,
    SequenceStartEvent,
    SequenceEndEvent,
)
# Ten times as fast as the one in Python. Only its events are used: no tag can make an object.
_PARSER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class NotYaml(Exception):  # noqa: N818  # says what it is
    """The text cannot be read any further; nothing that follows it can be judged."""

    def __init__(self, message: str, line: int | None = None) -> None:
        self.message = message
        self.line = line
        super().__init__(message)


@dataclass
class Budget:
    """How many values a fleet may still have, over all of its files, those counted that an alias repeats."""

    left: int = MOST_VALUES


@dataclass(frozen=True)
class Spot:
    """A line of a file; the file is "" for the fleet file itself."""

    source: str
    line: int


@dataclass(frozen=True)
class Document:
    """The values of one file or of several merged ones, where each stands, and what is wrong already."""

    values: Any
    spots: dict[Place, Spot]
    mistakes: list[Mistake] = field(default_factory=list)


def text_of(raw: bytes) -> str:
    """The bytes of a file as text; raises NotYaml."""
    if len(raw) > LARGEST_FILE_BYTES:
        raise NotYaml(
            f"is larger than the {LARGEST_FILE_BYTES // 1024} KiB a fleet may have; split the fleet"
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise NotYaml(f"is not UTF-8 text at byte {problem.start}; save it as UTF-8") from problem
    if found := _CONTROL.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise NotYaml(f"the control character {shown(found[0])} is not allowed; remove it", line)
    return text


def read(text: str, source: str, budget: Budget) -> Document:
    """The only document of a text; raises NotYaml."""
    reader = _Reader(text, source, budget)
    return Document(reader.document(), reader.spots, reader.mistakes)


class _Reader:
    """Builds plain values from YAML events: mappings, lists and the scalars of JSON, and nothing else."""

    def __init__(self, text: str, source: str, budget: Budget) -> None:
        self.spots: dict[Place, Spot] = {}
        self.mistakes: list[Mistake] = []
        self._source = source
        self._budget = budget
        self._events = _events(text)
        self._anchors: dict[str, tuple[Any, int]] = {}

    def document(self) -> Any:
        event = next(self._events, None)
        if event is None:
            raise NotYaml("is empty. Begin with version: 1, client: and environment:.")
        value = self._value(event, ())
        if (extra := next(self._events, None)) is not None:
            raise NotYaml(
                "holds more than one document; write one fleet a file, without ---", _line_of(extra)
            )
        return value

    def _value(self, event: Event, place: Place) -> Any:
        before = self._budget.left
        self._take(1, event)
        if len(place) > _DEEPEST:
            raise NotYaml(f"is nested deeper than {_DEEPEST} levels; nothing in a fleet is", _line_of(event))
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
            raise NotYaml("is not valid YAML: a list or mapping ends that did not begin", _line_of(event))
        if tag is not None:
            self._tell(place, event, f"the tag {shown(str(tag))} is not read; write the value without it")
        if event.anchor is not None:
            self._anchors[event.anchor] = value, before - self._budget.left
        return value

    def _repeated(self, event: AliasEvent) -> Any:
        if event.anchor not in self._anchors:
            raise NotYaml(f"the alias *{shown(str(event.anchor))} names nothing before it", _line_of(event))
        value, size = self._anchors[event.anchor]
        self._take(size, event)
        return value

    def _mapping(self, place: Place) -> dict[str, Any]:
        found: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        while not isinstance(event := next(self._events), MappingEndEvent):
            key = self._key(event, place)
            below = (*place, key if key is not None else "?")
            again = key is not None and (key in found or (key == MERGE and below in self.spots))
            self.spots.setdefault(below, self._spot(event))
            value = self._value(next(self._events), below)
            if again:
                first = self.spots[below].line
                self._tell(
                    below,
                    event,
                    f"the key '{shown(below[-1])}' is said twice, first in line {first}; remove one",
                )
            elif key == MERGE:
                merged = self._merged(value, below, event)
            elif key is not None:
                found[key] = value
        if merged:  # what a mapping says itself wins over what it merges
            merge_spot = self.spots[(*place, MERGE)]
            for key in merged.keys() - found.keys():
                self.spots[(*place, key)] = merge_spot
            found = {**{key: value for key, value in merged.items() if key not in found}, **found}
        return found

    def _merged(self, value: Any, place: Place, event: Event) -> dict[str, Any]:
        """The mapping behind `<<`; of several the first wins, as YAML has it."""
        parts = value if isinstance(value, list) else [value]
        if not parts or not all(isinstance(part, dict) for part in parts):
            self._tell(place, event, "merges a mapping or a list of mappings, for example <<: *common")
            return {}
        found: dict[str, Any] = {}
        for part in parts:
            found.update((key, item) for key, item in part.items() if key not in found)
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
        return key

    def _list(self, place: Place) -> list[Any]:
        found: list[Any] = []
        while not isinstance(event := next(self._events), SequenceEndEvent):
            below = (*place, len(found))
            self.spots.setdefault(below, self._spot(event))
            found.append(self._value(event, below))
        return found

    def _take(self, count: int, event: Event) -> None:
        self._budget.left -= count
        if self._budget.left < 0:
            raise NotYaml(
                f"holds more than {MOST_VALUES} values, aliases and included files counted; split the fleet",
                _line_of(event),
            )

    def _spot(self, event: Event) -> Spot:
        return Spot(self._source, _line_of(event))

    def _tell(self, place: Place, event: Event, message: str) -> None:
        if len(self.mistakes) < MOST_MISTAKES:
            self.mistakes.append(Mistake(place, message, _line_of(event), self._source))


def _events(text: str) -> Iterator[Event]:
    """The events of values; raises NotYaml where the text is not YAML."""
    try:
        for event in yaml.parse(text, Loader=_PARSER):
            if isinstance(event, _OF_VALUES):
                yield event
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark or problem.context_mark
        told = " ".join(part for part in (problem.context, problem.problem) if part)
        tab = mark is not None and text[mark.index : mark.index + 1] == "\t"
        advice = "; indent with spaces, not tabs" if tab else ""
        raise NotYaml(
            f"is not valid YAML: {shown(told, 200)}{advice}", mark.line + 1 if mark else None
        ) from problem
    except (yaml.YAMLError, ValueError, OverflowError) as problem:
        # The last two: escapes of characters that do not exist.
        raise NotYaml(f"is not valid YAML: {shown(str(problem), 200)}") from problem


def _line_of(event: Event) -> int:
    return int(event.start_mark.line) + 1 if event.start_mark else 1


def _scalar(event: ScalarEvent) -> Any:
    """The value of YAML 1.2's core schema; infinities, dates and numbers without end stay text."""
    text = str(event.value)
    if not event.implicit[0] or event.tag is not None:
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
