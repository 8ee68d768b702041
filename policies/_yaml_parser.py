"""The strict YAML parser behind `policies.yamlfile`.

It lies apart so that its library is loaded only when a file has to be parsed: those of ours were.
"""

from __future__ import annotations

import math
import re
from typing import Any, Final, NoReturn

import yaml

from policies.facts import shown

MOST_DEEP: Final = 200
MOST_VALUES: Final = 100_000
"""Of one file, those counted that an alias repeats: ten lines of aliases can stand for 10^10 values."""
_INDENTS: Final = re.compile(r"^[ ?:\-]+", re.MULTILINE)
# Where a tag or an anchor may stand; most files have neither, and are not looked through for them.
_MAY_BE_ODD: Final = re.compile(r"(?:^|[\s\[{,:?-])[!&]", re.MULTILINE)
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_PLAIN_ESCAPES: Final = frozenset('"\\/n')
"""Those that a reader reads as the parser does: a quote, a backslash, a slash and the end of a line."""
_WHOLE: Final = re.compile(r"[-+]?(?:0|[1-9][0-9_]{0,39}|0x[0-9A-Fa-f_]{1,32})")
_FRACTION: Final = re.compile(r"[-+]?[0-9][0-9_]{0,39}\.[0-9]{0,40}(?:[eE][-+]?[0-9]{1,3})?")
_LONGEST_TOLD: Final = 300
# The C loader is ten times faster; both are the safe one, so no tag can make an object.
_SAFE: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_SAFE):  # type: ignore[misc]
    """Refuses what is read otherwise than it looks: keys that stand twice or elsewhere, and odd numbers."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if key.tag == "tag:yaml.org,2002:merge":
                _refuse("a merge key brings in what does not stand here; write it out", key)
            if key.tag == "tag:yaml.org,2002:str":
                if key.value in seen:
                    _refuse(f"the key {shown(key.value)!r} stands twice", key)
                seen.add(key.value)
        found: dict[Any, Any] = super().construct_mapping(node, deep)
        return found

    def whole(self, node: yaml.ScalarNode) -> int:
        """A whole number as people write one: 010 would be eight, and 1:30 ninety."""
        if not _WHOLE.fullmatch(node.value):
            _refuse(f"expected a whole number as 42, got {shown(node.value)}", node)
        return int(self.construct_yaml_int(node))

    def fraction(self, node: yaml.ScalarNode) -> float:
        """A finite number: nothing is above or below one that is none, so a limit of it would hold nobody."""
        value = float(node.value.replace("_", "")) if _FRACTION.fullmatch(node.value) else math.nan
        if not math.isfinite(value):
            _refuse(f"expected a finite number as 4.2, got {shown(node.value)}", node)
        return value

    def day(self, node: yaml.ScalarNode) -> object:
        """A day or a moment that there is."""
        try:
            return self.construct_yaml_timestamp(node)
        except (ValueError, OverflowError) as error:
            _refuse(f"{shown(node.value)}: {error}", node)


_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.whole)
_Loader.add_constructor("tag:yaml.org,2002:float", _Loader.fraction)
_Loader.add_constructor("tag:yaml.org,2002:timestamp", _Loader.day)


def _refuse(message: str, at: Any) -> NoReturn:
    """At a node or an event of either loader."""
    raise yaml.constructor.ConstructorError(None, None, message, at.start_mark)


def load(text: str, *, as_it_looks: bool) -> object:
    """The document in the text; raises ValueError with one line that says where and what.

    `as_it_looks`: no escape in quotes may stand for another character either.
    """
    try:
        if _may_be_deep(text) or _MAY_BE_ODD.search(text) or (as_it_looks and "\\" in text):
            _look_through(text, as_it_looks=as_it_looks)
        return yaml.load(text, Loader=_Loader)  # noqa: S506  # a safe one
    except (ValueError, OverflowError, yaml.YAMLError) as error:
        raise ValueError(_told(error)) from error


def _told(error: Exception) -> str:
    """One line of at most 300 characters that says where."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    parts = [getattr(error, "context", None), getattr(error, "problem", None)]
    text = " ".join(" ".join(filter(None, parts)).split()) if mark else " ".join(str(error).split())
    text = text if len(text) <= _LONGEST_TOLD else text[: _LONGEST_TOLD - 1] + "…"
    return f"line {mark.line + 1}, column {mark.column + 1}: {text}" if mark else text


def _may_be_deep(text: str) -> bool:
    """Cheap, and never wrong where it says no: each level takes a bracket, or room at the start of a line."""
    indented = max((len(found) for found in _INDENTS.findall(text)), default=0)
    return text.count("[") + text.count("{") + indented > MOST_DEEP


def _look_through(text: str, *, as_it_looks: bool) -> None:
    """Refuse what must not be built: it would overrun the stack of the C loader, or fill the memory."""
    sizes: dict[str, int] = {}
    open_: list[tuple[str | None, int]] = []
    count = 0
    for event in yaml.parse(text, Loader=_SAFE):
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in sizes:
                _refuse(f"the alias {shown(event.anchor)} names nothing that ended before it", event)
            count += sizes[event.anchor]
        elif isinstance(event, yaml.NodeEvent):
            count += 1
            _look_at(event, text, as_it_looks=as_it_looks)
            if isinstance(event, yaml.CollectionStartEvent):
                open_.append((event.anchor, count))
                sizes.pop(event.anchor or "", None)
            elif event.anchor:
                sizes[event.anchor] = 1
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = open_.pop()
            if anchor:
                sizes[anchor] = count - before + 1
        if len(open_) > MOST_DEEP:
            _refuse("is nested too deeply", event)
        if count > MOST_VALUES:
            _refuse(f"holds more than {MOST_VALUES} values, those counted that an alias repeats", event)


def _look_at(event: Any, text: str, *, as_it_looks: bool) -> None:
    tag = getattr(event, "tag", None)
    if tag is not None:
        _refuse(f"could not determine a constructor for {shown(tag)}: no tag is read; leave it out", event)
    if as_it_looks and getattr(event, "style", "") == '"':
        written = text[event.start_mark.index : event.end_mark.index]
        for found in _ESCAPE.finditer(written):
            if found[1] not in _PLAIN_ESCAPES:
                _refuse(
                    f"the escape {shown(found[0])} stands for what a reader does not see; write it out", event
                )
