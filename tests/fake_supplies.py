"""The fake of `ports.roles.Supplier`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orchestrator.errors import InputError
from orchestrator.inventory.supplies import Archive, HostCertificate, Login
from stacks.fleet.secret import Reference


@dataclass
class FakeSupplier:
    """Certificates that say for whom; secrets named after their reference, those in `lost` are gone."""

    lost: Sequence[str] = ()
    signed: dict[str, Sequence[str]] = field(default_factory=dict)

    def certificate(self, server: str, names: Sequence[str]) -> HostCertificate:
        self.signed[server] = names
        return HostCertificate(f"certificate of {server}", f"key of {server}", "authority")

    def archive(self, source: Mapping[str, Any]) -> Archive:
        return Archive(Path("/sources/code.tar"), "a" * 64, str(source.get("tag", "archive")))

    def secret(self, reference: Reference) -> str:
        if str(reference) in self.lost:
            raise InputError("secrets", "is not set", place=str(reference))
        return f"secret of {reference}"

    def logins(self, name: str) -> Sequence[Login]:
        return [Login(name, f"password of {name}")]
