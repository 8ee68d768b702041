"""Everything roles may ask of the control machine, behind one port."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from orchestrator.inventory.supplies import Archive, HostCertificate, Login
from orchestrator.ports.run import Clock
from orchestrator.supplies.logins import LoginBook
from orchestrator.supplies.secrets import read_secret
from orchestrator.supplies.sources import SourceStore
from stacks.fleet.secret import GENERATED, LOGIN, Reference


class LocalSupplier:
    """Implements `ports.roles.Supplier`; relative paths are taken from the folder of the fleet file."""

    def __init__(self, keys: Path, stack: str, cache: Path, beside: Path, clock: Clock) -> None:
        self._keys = keys
        self._stack = stack
        self._logins = LoginBook(keys)
        self._sources = SourceStore(cache / "sources")
        self._beside = beside
        self._clock = clock

    def certificate(self, server: str, names: Sequence[str]) -> HostCertificate:
        """The server's certificate of the stack's own authority."""
        from orchestrator.supplies.authority import StackAuthority  # X.509 is heavy, and few fleets use TLS

        authority = StackAuthority(self._keys, self._stack)
        return authority.certificate(server, names, self._clock.now())

    def archive(self, source: Mapping[str, Any]) -> Archive:
        """An application's code."""
        return self._sources.fetch(source, self._beside, self.secret)

    def secret(self, reference: Reference) -> str:
        """The value behind a reference."""
        if reference.kind == GENERATED:
            return self._logins.password(reference.place)
        if reference.kind == LOGIN:
            return self._logins.current(reference.place).name
        return read_secret(reference, self._beside)

    def logins(self, name: str) -> Sequence[Login]:
        """Every login that is to be open for a user with a generated password."""
        return self._logins.opened(name)
