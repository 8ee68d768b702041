"""YAML that comes with Steward, parsed once: what came of it lies beside Python's byte code, as JSON.

Whoever can write there can write the byte code too, so it is trusted as far as that and no further: plain
values, and a file of other bytes is parsed anew. Nothing of a user's own files is kept.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Final

_PACKAGE: Final = Path(__file__).parent
_PARSER: Final = _PACKAGE / "_yaml_parser.py"
_DAY: Final = "$date"


def is_shipped(path: Path) -> bool:
    """Whether the file is one of ours."""
    return path.is_relative_to(_PACKAGE)


def value_of(path: Path, content: bytes, parse: Callable[[bytes, str], object]) -> object:
    """What the parser makes of the content, from the last time where that is known."""
    kept, made_of = path.parent / "__pycache__" / f"{path.name}.json", _digest(content)
    known = _read(kept)
    if known is not None and known.get("made_of") == made_of:
        return known["value"]
    value = parse(content, path.name)
    if not sys.dont_write_bytecode and (text := _as_text(made_of, value)):
        _keep(kept, text)
    return value


def _digest(content: bytes) -> str:
    """Of the file and of the parser: another one may refuse what this one read."""
    return hashlib.sha256(_parser() + b"\0" + content).hexdigest()


@cache
def _parser() -> bytes:
    return _PARSER.read_bytes()


def _as_text(made_of: str, value: object) -> str:
    """What is kept; '' where JSON would give back another value, as for a key that is no text."""
    try:
        text = json.dumps({"made_of": made_of, "value": value}, default=_written)
    except TypeError:
        return ""
    return text if json.loads(text, object_hook=_day)["value"] == value else ""


def _read(kept: Path) -> dict[str, Any] | None:
    """What was kept; None where nothing was, or nothing that can be read."""
    try:
        known = json.loads(kept.read_bytes(), object_hook=_day)
    except (OSError, ValueError):
        return None
    return known if isinstance(known, dict) and "value" in known else None


def _keep(kept: Path, text: str) -> None:
    """In one step, so that nobody reads half of it."""
    begun = kept.with_name(f"{kept.name}.{os.getpid()}")
    with suppress(OSError):  # an installation that its user may not write to is parsed each time
        kept.parent.mkdir(exist_ok=True)
        begun.write_text(text, encoding="utf-8")
        begun.replace(kept)


def _written(value: object) -> dict[str, str]:
    """The one kind of value that YAML has and JSON has not."""
    if type(value) is not date:
        raise TypeError(f"no JSON for {type(value).__name__}")
    return {_DAY: value.isoformat()}


def _day(found: dict[str, Any]) -> Any:
    return date.fromisoformat(found[_DAY]) if found.keys() == {_DAY} else found
