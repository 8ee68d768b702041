"""What a vault holds, as a listing for the population: whose repositories lie there. Pure.

The document is `steward.listing/1` as `policies/subjects/population.py` reads it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from orchestrator.backups.credentials import RepositoryCredentials
from orchestrator.backups.documents import VaultDescription
from policies.subjects.population import listed, not_looked_at

_TYPE: Final = "repository"


def vault_listing(
    stack: str,
    vaults: Sequence[VaultDescription] | None,
    credentials: Mapping[str, RepositoryCredentials],
) -> dict[str, Any]:
    """The repositories of one stack's servers, by what its vaults say; None is vaults that were not asked.

    `credentials` (by repository id) tell whose a repository is. One without any is listed under its id, as
    it may be anybody's; those of other stacks are in their own listings.
    """
    if vaults is None:
        return not_looked_at("vault")
    held = sorted({repository for vault in vaults for repository in vault.repositories})
    entries = [
        {"type": _TYPE, "name": owner.server if owner else repository, "identity": repository}
        for repository in held
        if (owner := credentials.get(repository)) is None or owner.stack == stack
    ]
    return listed("vault", [_TYPE], entries)
