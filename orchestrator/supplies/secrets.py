"""The values behind references to secrets; they exist here and in a play's secret inventory alone.

Every program that is started inherits the environment, so what a fleet names there is taken out of it first.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from orchestrator.errors import InputError
from orchestrator.redaction import know
from stacks.fleet.secret import Reference

_LARGEST_BYTES = 64 * 1024
_NEEDED = frozenset({"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TERM", "TMPDIR"})
_NEEDED_BY_OTHERS = ("STEWARD_", "PULUMI_", "AWS_", "SSH_", "GIT_", "LC_")
"""Programs that are started may live by these, whoever else is given them."""

_taken: dict[str, str] = {}


def take_secrets(wanted: Iterable[Reference]) -> None:
    """Move what these name from the environment into this process alone."""
    for each in wanted:
        name = each.place
        if each.kind != "env" or name in _NEEDED or name.startswith(_NEEDED_BY_OTHERS):
            continue
        if (value := os.environ.pop(name, None)) is not None:
            _taken[name] = value
            know(value)


def read_secret(reference: Reference, beside: Path, environ: Mapping[str, str] | None = None) -> str:
    """The secret without the line break at its end; raises InputError that names where it was looked for."""
    if reference.kind == "env":
        found = ({**_taken, **os.environ} if environ is None else environ).get(reference.place)
        if not found:
            raise InputError(
                "secrets", "the variable of the environment is not set, or empty", place=str(reference),
                next_step=f"Set {reference.place} and run the same command again.",
            )  # fmt: skip
        know(found)
        return found
    path = beside / reference.place
    try:
        with path.open("rb") as file:
            raw = file.read(_LARGEST_BYTES + 1)
        text = raw.decode().rstrip("\r\n")
    except (OSError, ValueError) as problem:
        told = problem.strerror if isinstance(problem, OSError) else "it is not text"
        raise InputError("secrets", f"{path} cannot be read: {told}", place=str(reference)) from problem
    if not text or len(raw) > _LARGEST_BYTES:
        what = "is empty" if not text else f"is larger than {_LARGEST_BYTES // 1024} KiB"
        raise InputError("secrets", f"{path} {what}", place=str(reference))
    know(text)
    return text
