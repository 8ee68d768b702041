"""FleetOutputs: the only contract between Pulumi and everything that follows. Version 1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from stacks.fleet.mistakes import shown

OUTPUT_NAME = "fleet"
"""Name under which the program exports it."""


class Part(BaseModel):
    """Base of the parts: frozen, nothing unknown, every value known."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class NetworkOutput(Part):
    """One network; `gateway` is the address from which the control machine reaches servers in it."""

    name: str
    cidr: str
    network_id: str
    gateway: str


class ServerOutput(Part):
    """One server incarnation: how to reach it, and the host key that it must show."""

    name: str
    group: str
    network: str
    incarnation: str = Field(pattern=r"^[0-9a-f]{32}$")
    address: str
    ssh_host: str
    ssh_port: int = Field(ge=1, le=65_535)
    ssh_user: str
    host_key: str = Field(pattern=r"^ssh-ed25519 [A-Za-z0-9+/=]+$")
    published: Mapping[str, int]


class RepositoryOutput(Part):
    """A vault of this fleet that other stacks may write to."""

    name: str
    server: str
    address: str


class PlanOutput(Part):
    """A backup plan with the id it got when it was first made."""

    name: str
    id: str = Field(pattern=r"^[0-9a-f]{32}$")


class FleetOutputs(Part):
    """What exists after `pulumi up`, named as in the fleet file."""

    version: Literal[1] = 1
    client: str
    client_id: str
    environment: str
    stack: str
    stack_id: str
    networks: Sequence[NetworkOutput]
    servers: Sequence[ServerOutput]
    repositories: Sequence[RepositoryOutput] = ()
    plans: Sequence[PlanOutput] = ()

    def server(self, name: str) -> ServerOutput:
        """The server of that name; raises KeyError."""
        return self._by_name[name]

    def group(self, name: str) -> Sequence[ServerOutput]:
        """The servers of a group, in order."""
        return self._by_group.get(name, ())

    @cached_property
    def _by_name(self) -> Mapping[str, ServerOutput]:
        return {server.name: server for server in reversed(self.servers)}

    @cached_property
    def _by_group(self) -> Mapping[str, Sequence[ServerOutput]]:
        found: dict[str, list[ServerOutput]] = {}
        for server in self.servers:
            found.setdefault(server.group, []).append(server)
        return found

    def network(self, name: str) -> NetworkOutput:
        """The network of that name; raises KeyError."""
        for network in self.networks:
            if network.name == name:
                return network
        raise KeyError(name)


class OutputsInvalid(Exception):  # noqa: N818  # reads as what it says
    """A stack's outputs are not what the program of this version exports; each problem names its output."""

    def __init__(self, stack: str, problems: Sequence[str]) -> None:
        self.stack = stack
        self.problems = tuple(problems)
        super().__init__(f"{stack}: {'; '.join(problems)}")


def read_outputs(stack: str, value: Any) -> FleetOutputs:
    """Check what a stack exported; raises OutputsInvalid that names each missing or wrong output."""
    if value is None:
        raise OutputsInvalid(stack, [f"output '{OUTPUT_NAME}' is missing"])
    try:
        outputs = FleetOutputs.model_validate(_integers(value))
    except ValidationError as problem:
        details = problem.errors(include_url=False, include_input=False)
        texts = [f"output '{_place(d['loc'])}': {d['msg']}" for d in details]
        raise OutputsInvalid(stack, texts) from problem
    if outputs.stack != stack:
        raise OutputsInvalid(
            stack, [f"output '{OUTPUT_NAME}.stack' is '{shown(outputs.stack)}', another stack"]
        )
    return outputs


def _place(steps: Sequence[str | int]) -> str:
    return ".".join([OUTPUT_NAME, *(shown(str(step)) for step in steps)])


def _integers(value: Any) -> Any:
    """Pulumi carries every number as a float; ports are whole again here."""
    if isinstance(value, Mapping):
        return {key: _integers(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_integers(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
