"""Bytes and JSON of files that are to be judged: bounded, and refused by name where they are not whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

from orchestrator.errors import InputError
from policies import jsonfile
from policies.facts import shown
from policies.model import PackError
from policies.subjects.document import DocumentError

_T = TypeVar("_T")
MOST_BYTES: Final = 256 * 1024 * 1024
"""Of one file; a preview of ten thousand resources has about a fifth of it."""


def content_of(path: Path) -> bytes:
    """What a file holds; raises InputError."""
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as problem:
        raise InputError(
            "policy check", f"cannot be read: {problem.strerror}", place=str(path),
            next_step="Name a file or folder that is there.",
        ) from problem  # fmt: skip
    if len(content) > MOST_BYTES:
        raise InputError(
            "policy check", "is too large to be judged", place=str(path), rule=f"at most {MOST_BYTES} bytes",
            next_step="Judge it in parts.",
        )  # fmt: skip
    return content


def whole_json(path: Path, content: bytes) -> Any:
    """The value that the text holds; raises InputError where it was cut off, or says a thing twice."""
    try:
        return jsonfile.parsed(content)
    except jsonfile.JsonError as problem:
        raise InputError(
            "policy check", f"nothing in it is judged: {shown(str(problem))}", place=str(path),
            rule="JSON that says each thing once, in numbers that can be counted with",
            next_step="Write it again with the command that makes it.",
        ) from problem  # fmt: skip
    except (ValueError, RecursionError) as problem:
        raise InputError(
            "policy check", "the file is not whole JSON, so nothing in it is judged", place=str(path),
            got=shown(str(problem)), next_step="Write it again: it may have been cut off.",
        ) from problem  # fmt: skip


def json_mapping(path: Path, what: str) -> Mapping[str, Any]:
    """The one mapping in a JSON file; `what` the file should be, for the error. Raises InputError."""
    found = whole_json(path, content_of(path))
    if not isinstance(found, dict):
        raise InputError(
            "policy check", f"this is no {what}", place=str(path), rule="one JSON mapping",
            got=type(found).__name__,
        )  # fmt: skip
    return found


def asked(path: Path, read: Callable[[], _T]) -> _T:
    """What the reader gives; what it refuses is told with the file's name. Raises InputError."""
    try:
        return read()
    except (PackError, DocumentError, UnicodeDecodeError) as problem:
        raise InputError(
            "policy check", f"cannot be judged: {problem}", place=str(path),
            next_step="Mend the file, or write it again.",
        ) from problem  # fmt: skip
