"""Reading our own lock file: which version of what this machine should have."""

from __future__ import annotations

import re
from typing import Final

_PIN: Final = re.compile(
    r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;\\]+)(?:\s*;\s*(?P<marker>[^\\]+))?", re.MULTILINE
)


def pins(text: str) -> dict[str, str]:
    """Distribution to version, of the lines whose marker holds here."""
    from packaging.markers import Marker

    found = {}
    for match in _PIN.finditer(text):
        marker = match["marker"]
        if marker is None or Marker(marker.strip()).evaluate():
            found[normal(match["name"])] = match["version"]
    return found


def normal(name: str) -> str:
    """A distribution's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()
