"""Everything roles may ask of the control machine, behind one port."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from orchestrator.inventory.supplies import Archive, HostCertificate
from orchestrator.ports.run import Clock
from orchestrator.supplies.authority import StackAuthority
from orchestrator.supplies.secrets import read_secret
from orchestrator.supplies.sources import SourceStore
from stacks.fleet.secret import Reference


class LocalSupplier:
    """Implements `ports.roles.Supplier`; relative paths are taken from the folder of the fleet file."""

    def __init__(self, keys: Path, stack: str, cache: Path, beside: Path, clock: Clock) -> None:
        self._authority = StackAuthority(keys, stack)
        self._sources = SourceStore(cache / "sources")
        self._beside = beside
        self._clock = clock

    def certificate(self, server: str, names: Sequence[str]) -> HostCertificate:
        """The server's certificate of the stack's own authority."""
        return self._authority.certificate(server, names, self._clock.now())

    def archive(self, source: Mapping[str, Any]) -> Archive:
        """An application's code."""
        return self._sources.fetch(source, self._beside)

    def secret(self, reference: Reference) -> str:
        """The value behind a reference."""
        return read_secret(reference, self._beside)
