"""population: what provider and vaults have of the stack, to be held against fleet file and state."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from orchestrator.backups.credentials import RepositoryCredentials
from orchestrator.backups.documents import VaultDescription
from orchestrator.backups.listing import vault_listing
from orchestrator.errors import InputError, StoppedError, ToolError
from orchestrator.phases.enrol import StoreOf
from orchestrator.ports.backups import CredentialStore
from orchestrator.ports.listing import ProviderListing
from orchestrator.ports.run import Say, Target
from stacks.fleet.model import Fleet

Listings = Mapping[str, Mapping[str, Any]]


def listings(
    target: Target,
    provider: ProviderListing,
    store_of: StoreOf,
    keys_of: Callable[[str], CredentialStore],
    chains: Collection[str],
    say: Say,
) -> Listings:
    """Documents `steward.listing/1` by source; one that could not be asked is left out, and said.

    `chains` are ids of evidence chains, which have room on a vault and are nobody's repository.
    """
    found: dict[str, Mapping[str, Any]] = {}
    sources: dict[str, Callable[[], Mapping[str, Any]]] = {
        "provider": lambda: provider.listing(target.stack.id),
        "vault": lambda: _vault(target.loaded.fleet, store_of, keys_of, chains),
    }
    for source, ask in sources.items():
        try:
            found[source] = ask()
        except StoppedError:
            raise
        except (InputError, ToolError) as problem:
            say(f"the {source} could not be listed: {problem.message}")
    return found


def summary(found: Listings) -> str:
    """`provider 5, vault 2`"""
    return ", ".join(
        f"{source} {len(each['entries']) if each['looked_at'] else 'not looked at'}"
        for source, each in found.items()
    )


def _vault(
    fleet: Fleet, store_of: StoreOf, keys_of: Callable[[str], CredentialStore], chains: Collection[str]
) -> Mapping[str, Any]:
    """What lies in every vault that a plan writes to."""
    names = sorted({plan.repository for plan in fleet.backups.values()})
    if not names:
        return vault_listing(fleet.stack, None, {})
    described: dict[str, VaultDescription] = {name: store_of(name).describe() for name in names}
    owners: dict[str, RepositoryCredentials] = {}
    for name, vault in described.items():
        keeper = keys_of(name)
        for repository in vault.repositories:
            known = keeper.load(repository)
            if known is not None:
                owners[repository] = known
    held = [
        vault.model_copy(update={"repositories": [each for each in vault.repositories if each not in chains]})
        for vault in described.values()
    ]
    return vault_listing(fleet.stack, held, owners)
