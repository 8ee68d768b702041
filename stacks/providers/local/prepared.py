"""What a new server is made from: an image that `steward up` prepared for it, else the base image.

Only the run that prepared images names them, in a file: `pulumi up` by hand makes every server from the base
image, and a role of the same name in another project is never taken for this one's.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from stacks.providers.local.machine import Machine

VARIABLE = "STEWARD_PREPARED_IMAGES"
"""Names a file: server name -> image."""
_REFERENCE = re.compile(r"localhost/steward/prepared:[a-z0-9][a-z0-9.-]{0,120}")
_MOST_BYTES = 1 << 20


def image_for(machine: Machine, server: str, base: str) -> str:
    """The image for one server; one that is gone, or was made from another base image, does not count."""
    named = _named(os.environ.get(VARIABLE, "")).get(server)
    if named is None or machine.image_base(named) != base:
        return base
    return named


def _named(path: str) -> dict[str, str]:
    """The file's images by server, nothing where it cannot be read: a server can always be made without."""
    try:
        with Path(path or "/nonexistent").open("rb") as file:
            table = json.loads(file.read(_MOST_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(table, dict):
        return {}
    return {name: one for name, one in table.items() if isinstance(one, str) and _REFERENCE.fullmatch(one)}
