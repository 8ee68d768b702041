"""destroy: read the state first, refuse while data would go, and leave nothing behind."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from orchestrator.backups.holdings import Held, holdings, told
from orchestrator.errors import InputError, ToolError
from orchestrator.phases.enrol import StoreOf
from orchestrator.ports.backups import CredentialStore, Receipt
from orchestrator.ports.ledger import Ledger
from orchestrator.ports.provisioning import Provisioner, StateResource
from orchestrator.reporting.model import Change
from stacks.fleet.model import Fleet

_EVER: Final = datetime(2000, 1, 1, tzinfo=UTC)
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


@dataclass(frozen=True)
class Allowed:
    """What a person gave up by name: volumes that bear data, and the backups of fleets that live."""

    data: Sequence[str] = ()
    backups_of: Sequence[str] = ()


def refuse_data_loss(
    stack: str, resources: Sequence[StateResource], allowed: Sequence[str], holds: str = ""
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
            stack, f"data would be lost with {', '.join(kept)}; nothing was touched{holds}",
            rule="data-bearing volumes and vaults go only by name",
            next_step=f"To lose that data for good: {flags}",
        )  # fmt: skip
    return bearing


def refuse_backup_loss(
    stack: str, held: Sequence[Held], living: Collection[str], given_up: Sequence[str]
) -> None:
    """Raises InputError while backups of a fleet that lives would go and that fleet is not named."""
    there = {each.stack for each in held}
    unknown = [name for name in given_up if name not in there]
    if unknown:
        raise InputError(
            stack, f"--delete-backups-of names '{unknown[0]}', without backups here; nothing was touched",
            got=", ".join(sorted(there)) or "no backups of any fleet",
        )  # fmt: skip
    needed = sorted((there & set(living)) - {stack} - set(given_up))
    if needed:
        raise InputError(
            stack, f"{', '.join(needed)} would live on without any backup; nothing was touched"
            + holds_text([each for each in held if each.stack in needed]),
            rule="the backups of a fleet that lives go only by the fleet's name",
            next_step="Destroy that fleet first, or give its backups up: "
            + " ".join(f"--delete-backups-of {name}" for name in needed),
        )  # fmt: skip


def holds_text(held: Sequence[Held]) -> str:
    """Whose backups these are, to go behind a sentence; '' where there are none."""
    return "".join(f"\n  backups of {line}" for line in told(held))


def check(
    stack: str,
    provisioner: Provisioner,
    allowed: Allowed,
    held: Sequence[Held] = (),
    living: Collection[str] = (),
) -> list[StateResource]:
    """Read the state and say what bears data and may go; raises InputError before anything is touched.

    `held` are the backups that lie here, `living` other stacks that were not ended.
    """
    bearing = refuse_data_loss(stack, provisioner.resources(stack), allowed.data, holds_text(held))
    refuse_backup_loss(stack, held, living, allowed.backups_of)
    return bearing


def backups_here(
    fleet: Fleet,
    store_of: StoreOf,
    credentials_of: Callable[[str], CredentialStore],
    ledger: Ledger,
    *,
    elsewhere: bool,
) -> list[Held]:
    """Whose backups lie in the vaults of this fleet; or, `elsewhere`, its own in vaults of other stacks.

    A vault that does not answer is told of by what the ledger saw arrive.
    """
    found: list[Held] = []
    for name, spec in fleet.repositories.items():
        if (spec.stack is not None) is not elsewhere:
            continue
        owners = credentials_of(name).all()
        if elsewhere:
            owners = [each for each in owners if each.stack == fleet.stack]
        receipts: Sequence[Receipt] = ()
        if owners:
            try:
                receipts = store_of(name).receipts()
            except (InputError, ToolError):
                receipts = ledger.arrivals([each.id for each in owners], _EVER)
        found += holdings(owners, receipts)
    return found


def destroy(stack: str, provisioner: Provisioner, bearing: Sequence[StateResource]) -> Sequence[Change]:
    """Delete the stack with these data-bearing resources, and say what went."""
    if bearing:
        provisioner.unprotect(stack, [resource.urn for resource in bearing])
    return provisioner.destroy(stack)
