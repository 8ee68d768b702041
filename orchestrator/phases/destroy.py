"""destroy: read the state first, refuse while data would go, and leave nothing behind."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.errors import InputError
from orchestrator.ports.provisioning import Provisioner, StateResource
from orchestrator.reporting.model import Change

_DATA_TYPES = (":Volume", ":Bucket")


def data_bearing(resources: Sequence[StateResource]) -> list[StateResource]:
    """The resources whose deletion loses data, as the state has them."""
    return [
        resource
        for resource in resources
        if resource.type.endswith(_DATA_TYPES)
        and not resource.type.startswith("steward:")
        and (resource.inputs.get("dataBearing") or resource.protect)
    ]


def name_of(resource: StateResource) -> str:
    """The name by which a person allows the deletion."""
    return resource.urn.rsplit("::", 1)[-1]


def refuse_data_loss(
    stack: str, resources: Sequence[StateResource], allowed: Sequence[str]
) -> list[StateResource]:
    """What may be unprotected; raises InputError while something data-bearing is not allowed by name."""
    bearing = data_bearing(resources)
    names = {name_of(resource) for resource in bearing}
    unknown = [name for name in allowed if name not in names]
    if unknown:
        raise InputError(
            stack, f"--delete-data names '{unknown[0]}', which bears no data here; nothing was touched",
            got=", ".join(sorted(names)) or "no data-bearing resource",
        )  # fmt: skip
    kept = sorted(names - set(allowed))
    if kept:
        flags = " ".join(f"--delete-data {name}" for name in sorted(names))
        raise InputError(
            stack, f"data would be lost with {', '.join(kept)}; nothing was touched",
            rule="data-bearing volumes and vaults go only by name",
            next_step=f"To lose that data for good: {flags}",
        )  # fmt: skip
    return bearing


def check(stack: str, provisioner: Provisioner, allowed: Sequence[str]) -> list[StateResource]:
    """Read the state and say what bears data and may go; raises InputError before anything is touched."""
    return refuse_data_loss(stack, provisioner.resources(stack), allowed)


def destroy(stack: str, provisioner: Provisioner, bearing: Sequence[StateResource]) -> Sequence[Change]:
    """Delete the stack with these data-bearing resources, and say what went."""
    if bearing:
        provisioner.unprotect(stack, [resource.urn for resource in bearing])
    return provisioner.destroy(stack)
