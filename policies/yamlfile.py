"""Read YAML files of the pack and of its users: strict about keys, bounded, fast to load."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from policies.facts import shown
from policies.model import PackError

MOST_BYTES: Final = 1 << 20
MOST_DEEP: Final = 200
_SHOWN: Final = 120
_MOST_NAMED: Final = 5
_INDENTS: Final = re.compile(r"^[ ?:\-]+", re.MULTILINE)
# The C loader is ten times faster; both are the safe one, so no tag can make an object.
_SAFE: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_SAFE):  # type: ignore[misc]
    """Refuses a key that stands twice: of two values the milder could be the one that counts."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if key.tag == "tag:yaml.org,2002:str":
                if key.value in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"the key {key.value!r} stands twice", key.start_mark
                    )
                seen.add(key.value)
        found: dict[Any, Any] = super().construct_mapping(node, deep)
        return found


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


def parse(content: bytes, place: str) -> object:
    """The document in the text; raises PackError that begins with the place."""
    try:
        text = content.decode()
        if _may_be_deep(text) and _depth(text) > MOST_DEEP:
            raise PackError(f"{place}: is nested too deeply")
        return yaml.load(text, Loader=_Loader)  # noqa: S506  # a safe one
    except (ValueError, yaml.YAMLError) as error:
        told = " ".join(str(error).replace('in "<unicode string>", ', "at ").split())
        raise PackError(f"{place}: {told}") from error


def _may_be_deep(text: str) -> bool:
    """Cheap, and never wrong where it says no: each level takes a bracket, or room at the start of a line."""
    indented = max((len(found) for found in _INDENTS.findall(text)), default=0)
    return text.count("[") + text.count("{") + indented > MOST_DEEP


def _depth(text: str) -> int:
    """How deeply the document is nested; the C loader would overrun its stack to find out."""
    depth = deepest = 0
    for event in yaml.parse(text, Loader=_SAFE):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            deepest = max(deepest, depth)
            if deepest > MOST_DEEP:
                break
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
    return deepest


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
        raise PackError(f"{place}: expected a mapping, got {repr(value)[:_SHOWN]}")
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
