"""The vaults of a fleet as witnesses of its evidence: each chain has room of its own on each of them."""

from __future__ import annotations

from typing import Final

from orchestrator.adapters import Adapters
from orchestrator.errors import StewardError
from orchestrator.ports.backups import BackupStore
from orchestrator.ports.run import Say
from orchestrator.settings import Settings
from orchestrator.vault_anchor import Route, VaultAccess, keep_access, read_accesses
from stacks.outputs import FleetOutputs

MAKING: Final = ("up", "configure")
"""Verbs that bring a fleet to what its file says; others change nothing on a vault."""
_MOST_ROUTES: Final = 5


def enrol_chain(settings: Settings, adapters: Adapters, outputs: FleetOutputs, say: Say) -> None:
    """Make room where there is none yet, and keep how the vaults are reached now; one that is away is said.

    The head goes there by credentials of the chain alone. The vault's admin key is asked for here only.
    """
    fleet, chain = adapters.target.loaded.fleet, adapters.target.stack.id
    known = {access.name: access for access in read_accesses(settings.home, chain)}
    for name, spec in fleet.repositories.items():
        stack = spec.stack or adapters.target.stack.name
        try:
            store = adapters.store(name)
            described = store.describe()
            access = VaultAccess(
                chain=chain,
                name=name,
                stack=stack,
                address=store.address,
                port=described.port,
                certificate=described.certificate,
                password=known[name].password if name in known else VaultAccess.fresh_password(),
                routes=_routes(adapters, outputs, name, stack, store),
            )
            if access != known.get(name):
                # Kept before the vault hears of it, so that no stop leaves a credential that nobody knows.
                keep_access(settings.home, access)
            if name not in known or chain not in described.repositories:
                store.enrol_chain(chain, access.password)
                say(f"evidence is anchored on {stack} from now on")
        except StewardError as problem:
            say(f"evidence has no new anchor on {stack}: {str(problem).splitlines()[0]}")


def _routes(
    adapters: Adapters, outputs: FleetOutputs, name: str, stack: str, store: BackupStore
) -> tuple[Route, ...]:
    """The vault itself first, then servers that it lets in for their backups: where its own key is kept by
    others, they carry.
    """
    fleet, own = adapters.target.loaded.fleet, adapters.target.stack.name
    writers = [
        server
        for server in outputs.servers
        if any(plan.repository == name for plan in fleet.plans_of(server.group).values())
    ]
    routes = [Route(stack=stack, server=store.server)]
    routes += [Route(stack=own, server=server) for server in writers[:_MOST_ROUTES]]
    return tuple(routes)
