"""Read YAML files of the pack and of its users: strict about what nobody would see, bounded, fast to load.

A file that governs is reviewed and signed by people, so it holds nothing that a viewer shows otherwise than
the parser reads it: no character that nobody sees, no second kind of line end, no merge key, no tag.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final, NoReturn

import yaml

from policies.facts import shown
from policies.model import PackError

MOST_BYTES: Final = 1 << 20
MOST_DEEP: Final = 200
_MOST_NAMED: Final = 5
MOST_VALUES: Final = 100_000
"""Of one file, those counted that an alias repeats: ten lines of aliases can stand for 10^10 values."""
_INDENTS: Final = re.compile(r"^[ ?:\-]+", re.MULTILINE)
# Where a tag or an anchor may stand; most files have neither, and are not looked through for them.
_MAY_BE_ODD: Final = re.compile(r"(?:^|[\s\[{,:?-])[!&]", re.MULTILINE)
_HIDDEN: Final = re.compile(
    "\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2"
    "\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0"
    "\ufff0-\uffff\ud800-\udfff\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Control and format characters, line ends that only some readers know, and letters that take no room."""
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


def read(path: Path) -> object:
    """The document in the file; raises PackError that names it."""
    return parse(read_bytes(path), path.name)


def read_bytes(path: Path) -> bytes:
    """The whole of a regular file of at most MOST_BYTES; raises PackError that names it."""
    try:
        if not path.is_file():
            raise PackError(f"{path.name}: is missing, or no file")
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise PackError(f"{path.name}: {error.strerror}") from error
    if len(content) > MOST_BYTES:
        raise PackError(f"{path.name}: is larger than {MOST_BYTES >> 20} MiB")
    return content


def parse(content: bytes, place: str, *, as_it_looks: bool = False) -> object:
    """The document in the text; raises PackError that begins with the place and says the line.

    `as_it_looks`: no escape in quotes may stand for another character either.
    """
    try:
        # A mark at the very start is what some editors for Windows save; after it, it would hide.
        text = content.decode("utf-8-sig")
        if hidden := _HIDDEN.search(text):
            line = text.count("\n", 0, hidden.start()) + 1
            raise PackError(
                f"{place}: line {line}: the character U+{ord(hidden[0]):04X} is not what a reader sees; "
                "take it out, and end lines by LF"
            )
        if _may_be_deep(text) or _MAY_BE_ODD.search(text) or (as_it_looks and "\\" in text):
            _look_through(text, as_it_looks=as_it_looks)
        return yaml.load(text, Loader=_Loader)  # noqa: S506  # a safe one
    except (ValueError, OverflowError, yaml.YAMLError) as error:
        raise PackError(f"{place}: {_told(error)}") from error


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


def mapping(
    value: object,
    place: str,
    *,
    required: Collection[str] = (),
    optional: Collection[str] | None = None,
    called: str = "",
) -> Mapping[str, object]:
    """A mapping with the required keys and no others than these and the optional ones (None: any).

    `called`: what the keys name, so that a wrong one is told as "no rule named ...".
    """
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise PackError(f"{place}: expected a mapping, got {shown(value)}")
    missing = [key for key in required if key not in value]
    extra = [] if optional is None else [key for key in value if key not in required and key not in optional]
    if missing or extra:
        wrong = f"no {called} named" if called else "not understood:"
        told = [f"missing: {', '.join(missing)}"] if missing else []
        told += [f"{wrong} {_quoted(extra)}"] if extra else []
        raise PackError(f"{place}: {'; '.join(told)}")
    return value


def _quoted(names: list[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(f"'{shown(name)}'" for name in names[:_MOST_NAMED]) + more
