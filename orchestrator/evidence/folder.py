"""Where the evidence of one stack lies: by its immutable id, so that a reused name inherits nothing."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_ID: Final = re.compile(r"[0-9a-f]{32}")
_UNKNOWN: Final = "unknown"
"""The name of a stack of which nothing but keys is left."""
_NAME: Final = re.compile(r"(?P<stack>[a-z0-9][a-z0-9-]{0,127})-(?P<id>[0-9a-f]{32})")


@dataclass(frozen=True)
class EvidenceFolder:
    """One client and environment; `name` is CLIENT-ENVIRONMENT, `id` the stack's own."""

    home: Path
    name: str
    id: str

    @property
    def path(self) -> Path:
        """Chain, fence and payloads."""
        return self.home / "evidence" / f"{self.name}-{self.id}"

    @property
    def chain(self) -> Path:
        """One record a line."""
        return self.path / "chain.jsonl"

    @property
    def payloads(self) -> Path:
        """Ciphertexts by their digest."""
        return self.path / "payloads"

    @property
    def stamps(self) -> Path:
        """Heads that a time stamp authority signed, each with its answer."""
        return self.path / "stamps"

    @property
    def signing_keys(self) -> Path:
        """Private keys that sign this chain; apart from the stack's other keys, which a destroy deletes."""
        return self.home / "keys" / "evidence" / self.id

    def payload_key(self, client_id: str) -> Path:
        """The key of a client's payloads; all stacks of the client share it."""
        return self.home / "keys" / "evidence" / "clients" / f"{client_id}.key"


def found_in(home: Path) -> Sequence[EvidenceFolder]:
    """Every chain of an installation, also those of stacks that were destroyed, by name."""
    names = sorted(path.parent.name for path in (home / "evidence").glob("*/chain.jsonl"))
    matches = (_NAME.fullmatch(name) for name in names)
    return [EvidenceFolder(home, found["stack"], found["id"]) for found in matches if found]


def folders_by_keys(home: Path, names: Mapping[str, str]) -> Sequence[EvidenceFolder]:
    """Where chains must lie whose signing keys are here; `names` are stacks by id, as the ledger has them.

    A key that no record ever brought is a draft, and asks for no chain.
    """
    found = sorted({path.parent.name for path in (home / "keys" / "evidence").glob("*/SHA256-*")})
    ids = [name for name in found if _ID.fullmatch(name)]
    return [EvidenceFolder(home, names.get(each, _UNKNOWN), each) for each in ids]


def sync_folder(folder: Path) -> None:
    """See that names in a folder outlive a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
