"""Read YAML files of the pack and of its users: strict about what nobody would see, bounded, fast to load.

A file that governs is reviewed and signed by people, so it holds nothing that a viewer shows otherwise than
the parser reads it: no character that nobody sees, no second kind of line end, no merge key, no tag.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

from policies import shipped
from policies.facts import shown
from policies.model import PackError

MOST_BYTES: Final = 1 << 20
_MOST_NAMED: Final = 5
_HIDDEN: Final = re.compile(
    "\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2"
    "\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0"
    "\ufff0-\uffff\ud800-\udfff\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Control and format characters, line ends that only some readers know, and letters that take no room."""


def read(path: Path) -> object:
    """The document in the file; raises PackError that names it."""
    content = read_bytes(path)
    if shipped.is_shipped(path):
        return shipped.value_of(path, content, parse)
    return parse(content, path.name)


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
    from policies import _yaml_parser  # what is parsed once a version needs no parser the second time

    try:
        # A mark at the very start is what some editors for Windows save; after it, it would hide.
        text = content.decode("utf-8-sig")
        if hidden := _HIDDEN.search(text):
            line = text.count("\n", 0, hidden.start()) + 1
            raise PackError(
                f"{place}: line {line}: the character U+{ord(hidden[0]):04X} is not what a reader sees; "
                "take it out, and end lines by LF"
            )
        return _yaml_parser.load(text, as_it_looks=as_it_looks)
    except ValueError as error:
        raise PackError(f"{place}: {error}") from error


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
