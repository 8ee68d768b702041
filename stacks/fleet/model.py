"""The fleet: everything one file says, checked and frozen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from stacks.fleet.backup import BackupPlan, Repository
from stacks.fleet.budget import Budget
from stacks.fleet.network import Network
from stacks.fleet.secret import Reference, references
from stacks.fleet.server import Server
from stacks.fleet.service import Service
from stacks.fleet.storage import Bucket
from stacks.fleet.units import Address, Name, Spec, told


def _first(version: Any) -> Any:
    """Refuse what only equals 1: true and 1.0."""
    if type(version) is not int:
        raise ValueError("write version: 1")
    return version


def _undashed(environment: str) -> str:
    """Refuse a dash: acme with eu-prod and acme-eu with prod would be one stack."""
    if "-" in environment:
        raise ValueError("write an environment without dashes: the stack is named client-environment")
    return environment


class Fleet(Spec):
    """One client's servers in one environment; the stack is named after both."""

    version: Annotated[Literal[1], BeforeValidator(_first)]
    client: Name
    environment: Annotated[Name, AfterValidator(_undashed)] = Field(
        description="Lower-case letters and digits, no dashes; the stack is named client-environment.",
        json_schema_extra={"pattern": "^[a-z][a-z0-9]{0,29}$"},
    )
    owner: Address
    cost_centre: Name | None = None
    provider: Literal["local"]
    region: Annotated[
        str,
        Field(
            pattern=told(
                r"^[a-z][a-z0-9-]{1,30}$",
                "write a region such as local-1: lower-case letters, digits, dashes",
            )
        ),
    ]
    profile: Literal["demo", "standard", "strict"] = Field(
        description="Policy profile; the minimum that the policies set for this client can only be raised."
    )
    budget: Budget | None = None
    networks: dict[Name, Network] = Field(min_length=1)
    services: dict[Name, Service] = Field(default_factory=dict)
    servers: dict[Name, Server] = Field(min_length=1)
    storage: dict[Name, Bucket] = Field(default_factory=dict, description="Buckets.")
    repositories: dict[Name, Repository] = Field(default_factory=dict)
    backups: dict[Name, BackupPlan] = Field(default_factory=dict)

    @property
    def stack(self) -> str:
        """Name of the Pulumi stack: `{client}-{environment}`."""
        return f"{self.client}-{self.environment}"

    def server_names(self) -> Iterator[tuple[str, str]]:
        """Pairs (group, server) in the order of the file: ('web', 'web-1'), ..."""
        for group, server in self.servers.items():
            for name in server.names(group):
                yield group, name

    def secrets(self) -> list[Reference]:
        """Every reference to a secret that its roles are given, each once, in order."""
        found = {
            each for s in self.servers.values() for role in s.roles for each in references(role.variables)
        }
        return sorted(found, key=str)

    def plans_of(self, group: str) -> dict[str, BackupPlan]:
        """The backup plans of a server group, by name."""
        return {name: self.backups[name] for name in self.servers[group].backup}

    def groups_with_plan(self, plan: str) -> tuple[str, ...]:
        """The server groups a backup plan applies to."""
        return tuple(group for group, server in self.servers.items() if plan in server.backup)

    def repository_label(self, name: str) -> str:
        """A repository as people call it: `acme-vault/vault`, the stack that runs it first."""
        spec = self.repositories[name]
        return f"{spec.stack or self.stack}/{spec.repository or name}"
