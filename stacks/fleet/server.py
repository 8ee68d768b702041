"""Server groups: `web` with count 2 is the servers web-1 and web-2."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, BeforeValidator, Field, JsonValue, WithJsonSchema, model_validator

from stacks.fleet.network import Ingress
from stacks.fleet.storage import Volume
from stacks.fleet.units import Name, Number, RoleName, Spec, Whole, distinct

MOST_SERVERS_OF_A_GROUP = 100


class Capacity(NamedTuple):
    """What one server of a size may use."""

    cpus: float
    memory_gib: float


SIZES: Mapping[str, Capacity] = MappingProxyType(
    {"small": Capacity(1, 1), "medium": Capacity(2, 2), "large": Capacity(4, 8)}
)


class Role(Spec):
    """A role of the playbooks and the values of its variables."""

    name: RoleName
    variables: dict[str, JsonValue] = Field(default_factory=dict)


def _role(value: Any) -> Any:
    """`nginx` or `nginx: {site: debian-reference}`, as people write it."""
    if isinstance(value, str):
        return {"name": value}
    if isinstance(value, dict) and len(value) == 1:
        ((name, variables),) = value.items()
        if variables is None or isinstance(variables, dict):
            return {"name": name, "variables": variables or {}}
    if isinstance(value, Role):
        return value
    raise ValueError("write a role as its name, or as name: {variable: value}")


RoleUse = Annotated[
    Role,
    BeforeValidator(_role),
    WithJsonSchema(
        {
            "oneOf": [
                {"type": "string", "pattern": r"^[a-z][a-z0-9_]{0,40}$"},
                {"type": "object", "minProperties": 1, "maxProperties": 1,
                 "propertyNames": {"pattern": r"^[a-z][a-z0-9_]{0,40}$"},
                 "additionalProperties": {"type": ["object", "null"]}},
            ]
        }
    ),
]  # fmt: skip


class Server(Spec):
    """A group of equal servers: how many, how big, where, and what runs on them."""

    count: Whole = Field(
        1, ge=1, le=MOST_SERVERS_OF_A_GROUP, description="web with count 2 is web-1 and web-2."
    )
    size: Literal["small", "medium", "large"] | None = Field(
        None,
        description="; ".join(f"{name}: {c.cpus:g} CPU, {c.memory_gib:g} GiB" for name, c in SIZES.items()),
    )
    cpus: Number | None = Field(None, gt=0, le=128, description="Instead of size, with memory_gib.")
    memory_gib: Number | None = Field(None, ge=0.25, le=1024, description="Instead of size, with cpus.")
    network: Name = Field(description="The one network of the group.")
    roles: tuple[RoleUse, ...] = Field(
        (), description="Roles of the playbooks, in order: NAME, or NAME: {variable: value}."
    )
    volumes: dict[Name, Volume] = Field(
        default_factory=dict, description="Disks of each server of the group, by name."
    )
    ingress: tuple[Ingress, ...] = Field((), description="Who may reach it; everything else is dropped.")
    backup: Annotated[tuple[Name, ...], AfterValidator(distinct)] = Field(
        (), description="Backup plans that apply to each server of the group."
    )

    @model_validator(mode="after")
    def _one_way_to_say_size(self) -> Server:
        by_number = self.cpus is not None and self.memory_gib is not None
        half = (self.cpus is None) != (self.memory_gib is None)
        if half or by_number == (self.size is not None):
            raise ValueError(f"say either size ({', '.join(SIZES)}) or both cpus and memory_gib")
        return self

    @property
    def capacity(self) -> Capacity:
        """CPUs and GiB of memory of each server."""
        if self.size is not None:
            return SIZES[self.size]
        return Capacity(self.cpus or 0, self.memory_gib or 0)  # the validator saw to it that both are given

    def names(self, group: str) -> tuple[str, ...]:
        """The servers of the group, in order: `web` with count 2 gives web-1, web-2."""
        return tuple(f"{group}-{number}" for number in range(1, self.count + 1))

    def role(self, name: str) -> Role | None:
        """The use of a role by this group, if it has it."""
        return next((role for role in self.roles if role.name == name), None)
