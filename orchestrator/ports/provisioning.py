"""What the phases ask of Pulumi: plan, make, read and delete one stack."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from orchestrator.errors import StewardError
from orchestrator.ports.run import Target
from orchestrator.reporting.model import Change, PolicyResult
from policies.subjects.steps import PlannedStep
from stacks.outputs import FleetOutputs


@dataclass(frozen=True)
class Preview:
    """What a preview with the policy pack found; `refusal`, `refused`: why Pulumi stopped, when it did.

    `differs`: what is no resource of its own is not as in the state. `before`, `after`: properties by URN.
    `steps`: everything the engine would do, also to what groups and to what stays as it is.
    """

    changes: Sequence[Change]
    unchanged: int
    policies: Sequence[PolicyResult]
    refusal: str = ""
    differs: bool = False
    refused: StewardError | None = None
    before: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    after: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    state_at: datetime | None = None
    steps: Sequence[PlannedStep] = ()

    @property
    def blocked(self) -> bool:
        """Whether a mandatory rule found something."""
        return any(row.blocks for row in self.policies)


@dataclass(frozen=True)
class Provisioned:
    """What `pulumi up` did, and judged with all values known; `failure` names what could not be made."""

    changes: Sequence[Change]
    unchanged: int
    policies: Sequence[PolicyResult] = ()
    failure: str = ""


@dataclass(frozen=True)
class StateResource:
    """One resource of the stack's state."""

    urn: str
    type: str
    id: str
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]
    protect: bool
    edges: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Property -> URNs of the resources that feed it."""
    created_at: datetime | None = None
    """When the engine made it, by its state; None where the state does not say."""


def deletes(resources: Iterable[StateResource], going: Sequence[str] = ()) -> list[PlannedStep]:
    """A delete of everything in the state, as `destroy` makes it; `going`: URNs without protection then."""
    return [
        PlannedStep(
            op="delete",
            urn=each.urn,
            type=each.type,
            old=each.inputs,
            protected_before=each.protect,
            protected_after=each.protect and each.urn not in going,
            is_component=each.type.startswith(("steward:", "pulumi:")),
        )
        for each in resources
    ]


_IDENTITIES = ("incarnation", "networkId", "volumeId", "bucketId")
"""Outputs that tell one thing of a name from another of that name."""


def as_made(resources: Iterable[StateResource]) -> list[PlannedStep]:
    """Everything in the state as steps that change nothing, with the identities that it was made with."""
    return [
        PlannedStep(
            op="same",
            urn=each.urn,
            type=each.type,
            new={**each.inputs, **{key: each.outputs[key] for key in _IDENTITIES if key in each.outputs}},
            protected_after=each.protect,
            is_component=each.type.startswith(("steward:", "pulumi:")),
            new_edges=each.edges,
        )
        for each in resources
    ]


class Provisioner(Protocol):
    """Pulumi, driven for one stack."""

    def preview(self, target: Target, *, refresh: bool = False) -> Preview:
        """Plan and judge; changes nothing. A refused plan is a value; `refresh` looks at reality first."""
        ...

    def up(self, target: Target, *, refresh: bool = False) -> Provisioned:
        """Make it so; half-made resources are in the state and told in `failure`."""
        ...

    def resources(self, stack: str) -> Sequence[StateResource]:
        """Everything in the stack's state, in order."""
        ...

    def outputs(self, stack: str) -> FleetOutputs:
        """What the stack exports; raises ToolError that names a missing output."""
        ...

    def unprotect(self, stack: str, urns: Sequence[str]) -> None:
        """Allow these resources to be deleted."""
        ...

    def destroy(self, stack: str) -> Sequence[Change]:
        """Delete every resource of the stack and then the stack itself."""
        ...
