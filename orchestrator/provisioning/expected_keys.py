"""Host keys that servers of a stack may show beside the pinned ones, while theirs change."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from orchestrator.private_file import write_private

_FILE = Path("ssh") / "host-keys.coming"


def expected_keys(keys: Path) -> dict[str, str]:
    """Public keys by server incarnation; none when nothing is being changed."""
    path = keys / _FILE
    return dict(json.loads(path.read_text())) if path.exists() else {}


def keep_expected(keys: Path, coming: Mapping[str, str]) -> None:
    """From now on these alone."""
    if coming:
        write_private(keys / _FILE, json.dumps(dict(coming)))
    else:
        (keys / _FILE).unlink(missing_ok=True)
