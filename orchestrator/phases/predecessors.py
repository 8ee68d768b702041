"""predecessors: what earlier incarnations of servers left in the vaults, asked without any host.

The vault gives out encrypted records, which are opened here: no host learns of another's repository.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from orchestrator.backups.predecessors import (
    Earlier,
    Losses,
    Pair,
    Predecessor,
    earlier_snapshots,
    owned,
    predecessors,
    unrestored,
)
from orchestrator.errors import InputError, ToolError
from orchestrator.phases.enrol import StoreOf
from orchestrator.ports.backups import CredentialStore
from orchestrator.ports.ledger import Ledger
from orchestrator.ports.provisioning import StateResource
from orchestrator.reporting.seen import Unrestored
from stacks.fleet.model import Fleet
from stacks.outputs import FleetOutputs, ServerOutput

CredentialsOf = Callable[[str], CredentialStore]
"""Repository name of the fleet -> the credentials of its vault."""


def find(
    fleet: Fleet, outputs: FleetOutputs, store_of: StoreOf, credentials_of: CredentialsOf
) -> list[Predecessor]:
    """Every repository of this stack to which no server writes any more; asks only where one is."""
    made = {server.name: server.incarnation for server in outputs.servers}
    found: dict[str, Predecessor] = {}
    for name in sorted({plan.repository for plan in fleet.backups.values()}):
        left = owned(outputs.stack, credentials_of(name).all(), made)
        receipts = store_of(name).receipts() if left else ()
        for each in predecessors(left, name, receipts):
            found.setdefault(each.repository, each)
    return list(found.values())


def listed(
    found: Sequence[Predecessor], store_of: StoreOf, credentials_of: CredentialsOf
) -> tuple[list[Earlier], dict[str, str]]:
    """The snapshots of these, oldest first; and why those of some servers cannot be read.

    A repository that cannot be read stops nothing: its last writer may have been hostile.
    """
    earlier, unread = list[Earlier](), dict[str, str]()
    for each in found:
        credentials = credentials_of(each.store).load(each.repository)
        if credentials is not None:
            try:
                earlier += earlier_snapshots(each, store_of(each.store).snapshots(credentials))
            except ToolError as problem:
                unread[each.server] = problem.message
    return sorted(earlier, key=lambda each: (each.arrived_at, each.snapshot.id)), unread


def lost(
    fleet: Fleet,
    outputs: FleetOutputs,
    store_of: StoreOf,
    credentials_of: CredentialsOf,
    ledger: Ledger,
    resources_of: Callable[[str], Sequence[StateResource]],
) -> Losses:
    """Whose data lie with a predecessor alone; nothing is asked that need not be."""
    accepted = ledger.accepted([server.incarnation for server in outputs.servers])
    servers = [
        server
        for server in outputs.servers
        if server.group in fleet.servers
        and any((server.incarnation, plan) not in accepted for plan in fleet.plans_of(server.group))
    ]
    names = {server.name for server in servers}
    found = [each for each in find(fleet, outputs, store_of, credentials_of) if each.server in names]
    earlier, unread = listed(found, store_of, credentials_of)
    return Losses(left_behind(fleet, outputs.stack, servers, earlier, ledger, resources_of), unread)


def left_behind(
    fleet: Fleet,
    stack: str,
    servers: Sequence[ServerOutput],
    earlier: Sequence[Earlier],
    ledger: Ledger,
    resources_of: Callable[[str], Sequence[StateResource]],
) -> dict[Pair, Unrestored]:
    """The pairs of these servers whose data lie in these snapshots alone; without any, nothing is asked."""
    if not earlier:
        return {}
    accepted = ledger.accepted([server.incarnation for server in servers])
    return unrestored(fleet, servers, earlier, accepted, _volumes(resources_of(stack)))


def accept(
    fleet: Fleet,
    outputs: FleetOutputs,
    wanted: Sequence[str],
    plans: Sequence[str],
    ledger: Ledger,
    run: str,
    at: datetime,
) -> list[Pair]:
    """Record that these servers have what they need of predecessors; raises InputError for no server."""
    servers = [server for server in outputs.servers if server.name in wanted]
    pairs = [
        (plan, server)
        for server in servers
        for plan in fleet.plans_of(server.group)
        if not plans or plan in plans
    ]
    if not pairs:
        raise InputError(fleet.stack, "no such plan on these servers", got=", ".join([*wanted, *plans]))
    for plan, server in pairs:
        ledger.accept(server.incarnation, plan, run, at)
    return [(plan, server.name) for plan, server in pairs]


def _volumes(resources: Sequence[StateResource]) -> dict[str, datetime]:
    """When each volume was made, by its name in the state."""
    return {
        each.urn.rsplit("::", 1)[-1]: each.created_at
        for each in resources
        if each.type.endswith(":Volume") and not each.type.startswith("steward:") and each.created_at
    }
