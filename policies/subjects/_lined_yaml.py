"""YAML of playbooks as values that know their line: bounded in size, depth and aliases; nothing is run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NoReturn

import yaml
from yaml.constructor import SafeConstructor

from policies.facts import Unknown, shown
from policies.model import PackError

MOST_CHARACTERS: Final = 1_048_576
"""Of one file: a thousand tasks need a tenth of it."""
MOST_DEPTH: Final = 64
MOST_VALUES: Final = 200_000
"""With every alias counted as often as it is used, so that aliases of aliases cannot grow without end."""
MOST_NUMBER: Final = 100
VAULTED: Final = Unknown("encrypted by Ansible Vault")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_RESOLVERS: Final = yaml.SafeLoader.yaml_implicit_resolvers
_PREFIX: Final = "tag:yaml.org,2002:"
_SCALARS: Final = frozenset({"bool", "int", "float", "null"})
_COLLECTIONS: Final = frozenset({"map", "seq"})


class Lined(dict[str, object]):
    """A mapping with the line its first key stands on."""

    line: int = 0


class UnsafeText(str):
    """A text marked `!unsafe`, in which Ansible looks for no template."""

    __slots__ = ()


class _Open:
    """A collection whose end was not read yet."""

    def __init__(self, kind: str, anchor: str | None, line: int) -> None:
        self.kind, self.anchor, self.line = kind, anchor, line
        self.values: list[object] = []
        self.size = 1


def read_lined(text: str, place: str) -> object:
    """The one document in a text, None where there is none; raises PackError that names place and line."""
    if len(text) > MOST_CHARACTERS:
        raise PackError(
            f"{shown(place)}: {len(text)} characters long; a file of a playbook has at most {MOST_CHARACTERS}"
        )
    try:
        return _Reader(place).document(yaml.parse(text, Loader=_LOADER))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f" line {mark.line + 1}" if mark else ""
        raise PackError(f"{shown(place)}{line}: not YAML: {shown(error.problem or error.context)}") from None
    except (yaml.YAMLError, ValueError) as error:
        raise PackError(f"{shown(place)}: not YAML: {shown(str(error))}") from None


class _Reader:
    """Builds values from the parser's events: what nests too deep ends here, not in a recursion."""

    def __init__(self, place: str) -> None:
        self._place = place
        self._open: list[_Open] = []
        self._anchors: dict[str, tuple[object, int]] = {}
        self._constructor = SafeConstructor()
        self._documents: list[object] = []

    def document(self, events: Iterator[yaml.Event]) -> object:
        """Reads to the end; a second document is a mistake."""
        for event in events:
            self._take(event)
        return self._documents[0] if self._documents else None

    def _take(self, event: yaml.Event) -> None:
        line = event.start_mark.line + 1 if event.start_mark else 0
        if isinstance(event, yaml.ScalarEvent):
            self._put(self._scalar(event, line), 1, event.anchor, line)
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor not in self._anchors:
                self._refuse(
                    line, f"the alias *{shown(event.anchor)} names nothing that is complete above it"
                )
            value, size = self._anchors[event.anchor]
            self._put(value, size, None, line)
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            self._begin(event, line)
        elif isinstance(event, yaml.CollectionEndEvent):
            done = self._open.pop()
            self._put(self._collection(done), done.size, done.anchor, done.line)

    def _begin(self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent, line: int) -> None:
        kind = "map" if isinstance(event, yaml.MappingStartEvent) else "seq"
        if event.tag and event.tag not in ("!", *(_PREFIX + name for name in _COLLECTIONS)):
            self._refuse(line, f"the tag {shown(event.tag)} is not understood on a {kind}")
        if len(self._open) >= MOST_DEPTH:
            self._refuse(line, f"nested deeper than {MOST_DEPTH} levels")
        self._open.append(_Open(kind, event.anchor, line))

    def _put(self, value: object, size: int, anchor: str | None, line: int) -> None:
        if anchor:
            self._anchors[anchor] = (value, size)
        if not self._open:
            if self._documents:
                self._refuse(line, "a second document; Ansible reads the first alone")
            self._documents.append(value)
            return
        self._open[-1].values.append(value)
        self._open[-1].size += size
        if self._open[-1].size > MOST_VALUES:
            self._refuse(line, f"more than {MOST_VALUES} values, aliases counted where they are used")

    def _collection(self, done: _Open) -> object:
        if done.kind == "seq":
            return done.values
        made = Lined()
        made.line = done.line
        merged: list[object] = []
        for key, value in zip(done.values[::2], done.values[1::2], strict=True):
            if key == "<<":
                merged += value if isinstance(value, list) else [value]
            elif isinstance(key, dict | list | Unknown):
                self._refuse(done.line, "a key that is not a plain text")
            else:
                made[str(key)] = value
        for earlier in merged:
            if not isinstance(earlier, dict):
                self._refuse(done.line, "<< merges a mapping, and nothing else")
            made.update({key: value for key, value in earlier.items() if key not in made})
        return made

    def _scalar(self, event: yaml.ScalarEvent, line: int) -> object:
        tag, text = event.tag, event.value
        if tag in ("!vault", "!vault-encrypted"):
            return VAULTED
        if tag == "!unsafe":
            return UnsafeText(text)
        if tag in (None, "!"):
            tag = _implicit(text) if event.implicit[0] and tag is None else f"{_PREFIX}str"
        name = tag.removeprefix(_PREFIX) if tag.startswith(_PREFIX) else ""
        if name in ("str", "timestamp", "merge", "value"):
            return text
        if len(text) > MOST_NUMBER and name in _SCALARS:
            self._refuse(line, f"a number of {len(text)} characters")
        if name not in _SCALARS:
            self._refuse(line, f"the tag {shown(event.tag)} is not understood")
        try:
            return self._constructor.construct_object(yaml.ScalarNode(tag, text))
        except (ValueError, KeyError, yaml.YAMLError):
            self._refuse(line, f"{shown(text)} is no {name}")

    def _refuse(self, line: int, problem: str) -> NoReturn:
        raise PackError(f"{shown(self._place)} line {line}: {problem}")


def _implicit(text: str) -> str:
    """The tag that YAML 1.1 gives a plain scalar, as Ansible reads it: `yes` is true, 0644 is octal."""
    first = text[0] if text else ""
    for tag, pattern in (*_RESOLVERS.get(first, ()), *_RESOLVERS.get(None, ())):
        if pattern.match(text):
            return str(tag)
    return f"{_PREFIX}str"
