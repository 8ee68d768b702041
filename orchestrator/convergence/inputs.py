"""Everything that decides what the playbooks do to a host, as one digest; only reads the playbooks."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

from orchestrator.inventory.model import Inventory, InventoryHost

_CHANGES_NOTHING = frozenset({"steward_run", "steward_lock_seconds"})
"""Of a run and not of what its hosts become."""
_NOT_PLAYBOOKS = frozenset({"__pycache__", ".mypy_cache", ".ruff_cache", ".ansible"})


def playbooks_digest(folder: Path) -> str:
    """SHA-256 over the names and contents of all playbooks, roles and modules, in hex."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not _NOT_PLAYBOOKS & set(path.relative_to(folder).parts):
            digest.update(f"{path.relative_to(folder)}\0{path.stat().st_mode & 0o777:o}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def declared_digest(text: str, tools: str, key: bytes) -> str:
    """HMAC-SHA-256 in hex over what is declared of a host and `tools`, as in `inputs_digest`."""
    return hmac.new(key, f"declared\0{tools}\0{text}".encode(), hashlib.sha256).hexdigest()


def inputs_digest(host: InventoryHost, inventory: Inventory, tools: str, key: bytes) -> str:
    """HMAC-SHA-256 in hex over a host's groups, variables and secrets, and `tools` (playbooks and toolchain).

    Keyed, because a plain digest of a secret can be guessed at.
    """
    shared = {name: value for name, value in inventory.shared.items() if name not in _CHANGES_NOTHING}
    parts: dict[str, Any] = {
        "groups": sorted(host.groups),
        "variables": host.variables,
        "secrets": host.secrets,
        "shared": shared,
        "tools": tools,
    }
    text = json.dumps(parts, sort_keys=True, default=list)
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
