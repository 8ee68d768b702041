"""The ports about roles: what they say of themselves, and what they ask of the control machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from orchestrator.inventory.own_checks import OwnCheck
from orchestrator.inventory.prepared import Contents
from orchestrator.inventory.supplies import Archive, HostCertificate, Login
from stacks.fleet.secret import Reference


class Supplier(Protocol):
    """What roles ask of the control machine."""

    def certificate(self, server: str, names: Sequence[str]) -> HostCertificate:
        """The server's certificate of the stack's own authority, good for these names and addresses."""
        ...

    def archive(self, source: Mapping[str, Any]) -> Archive:
        """An application's code, fetched; raises InputError where it is not what the fleet names."""
        ...

    def secret(self, reference: Reference) -> str:
        """The value behind a reference; raises InputError where there is none."""
        ...

    def logins(self, name: str) -> Sequence[Login]:
        """Every login that is to be open for a user with a generated password, the one in use first."""
        ...


class RoleBook(Protocol):
    """What the roles say of themselves: Steward's, and the project's own."""

    def own(self, role: str) -> bool:
        """Whether the role is the project's own."""
        ...

    def options(self, role: str) -> frozenset[str]:
        """Names of every variable that a role declares."""
        ...

    def default(self, role: str, variable: str) -> Any:
        """What a role's defaults say of a variable, None where they say nothing."""
        ...

    def checks(self, role: str) -> Sequence[OwnCheck]:
        """What an own role says must be true on its servers."""
        ...

    def prepared(self, role: str, variables: Mapping[str, Any]) -> Contents:
        """What may be in the image that a server with this use of the role is made from."""
        ...
