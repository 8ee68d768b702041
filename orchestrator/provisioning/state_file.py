"""What a stack's last state was, as the file backend keeps it: what `pulumi stack export` shows of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from orchestrator.provisioning.stack_config import stacks_folder

_KNOWN: Final = 3
"""Pulumi's number for the form of a checkpoint; 4 only where a state uses what 3 cannot hold."""


def last_deployment(home: Path, stack: str) -> Mapping[str, Any] | None:
    """The deployment in the state file of a stack below STEWARD_HOME; what is secret in it is encrypted.

    None where there is no such file to read, or one in another form than we know: then Pulumi itself is
    to be asked, which takes a fifth of a second of a processor, and says what is wrong. It replaces the file
    as a whole, so what is read is one state or the next.
    """
    path = stacks_folder(home) / f"{stack}.json"
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    match found:
        case {"version": int(version), "checkpoint": {"latest": {"resources": list()} as latest}}:
            return latest if version == _KNOWN else None
    return None
