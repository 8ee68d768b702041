"""records: what vaults, hosts, ledger and earlier runs say of every backup, for rules to judge."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from orchestrator.backups.documents import BackupStatus
from orchestrator.backups.records import Drill, Seen, Vault, backup_records
from orchestrator.errors import InputError, ToolError
from orchestrator.phases.enrol import StoreOf
from orchestrator.ports.backups import CredentialStore, Receipt
from orchestrator.ports.ledger import Ledger
from orchestrator.ports.provisioning import StateResource
from orchestrator.reporting.humanise import plural
from orchestrator.reporting.seen import Unrestored
from stacks.fleet.model import Fleet
from stacks.outputs import ServerOutput

REMEMBERED: Final = timedelta(days=400)
"""How far back arrivals count; the longest span that a rule asks for is a year."""


@dataclass(frozen=True)
class RecordsRequest:
    """Whom to ask of what: `receipts` and `statuses` are what this run has seen already."""

    fleet: Fleet
    servers: Sequence[ServerOutput]
    receipts: Sequence[Receipt] | None
    statuses: Mapping[str, BackupStatus | None] | None
    store_of: StoreOf
    keys_of: Callable[[str], CredentialStore]
    resources_of: Callable[[str], Sequence[StateResource]]
    ledger: Ledger
    drills: Callable[[], Sequence[Drill]]
    unrestored: Mapping[tuple[str, str], Unrestored] = field(default_factory=dict)


def records(request: RecordsRequest, now: datetime) -> Mapping[str, Any]:
    """The document `steward.backup-records/1`; a vault that cannot be asked leaves its part unknown.

    Of servers that this run left out nothing is told: what it saw of the vault is of the others alone.
    """
    fleet = request.fleet
    own = [server.incarnation for server in request.servers]
    names = sorted({plan.repository for plan in fleet.backups.values()})
    document = backup_records(
        fleet,
        request.servers,
        Seen(
            now=now,
            receipts=request.receipts,
            arrivals=request.ledger.arrivals(own, now - REMEMBERED),
            statuses=request.statuses,
            vaults={name: _vault(request, name) for name in names},
            sizes=_sizes(request),
            drills=request.drills(),
            unrestored=request.unrestored,
            credentials=_credentials(request, names),
        ),
    )
    if request.statuses is None:
        return document
    left_out = {server.name for server in request.servers} - set(request.statuses)
    told = [record for record in document["records"] if record["server"] not in left_out]
    return {**document, "records": told}


def summary(found: Mapping[str, Any]) -> str:
    """`3 backup records`"""
    return plural(len(found["records"]), "backup record")


def _vault(request: RecordsRequest, name: str) -> Vault:
    stack = request.fleet.repositories[name].stack or request.fleet.stack
    region = append_only = None
    try:
        region = _region(request.resources_of(stack))
        append_only = request.store_of(name).append_only()
    except (InputError, ToolError):
        pass  # what was not seen stays unknown, and says so
    return Vault(region=region, append_only=append_only)


def _region(resources: Iterable[StateResource]) -> str | None:
    """Where a stack is, by the tags of what it has."""
    tags = (each.inputs.get("tags") for each in resources)
    found = (str(each["region"]) for each in tags if isinstance(each, Mapping) and each.get("region"))
    return next(found, None)


def _sizes(request: RecordsRequest) -> dict[tuple[str, str], Sequence[int]]:
    """Bytes of what lies in the vault of servers with one plan; those of several cannot be told apart."""
    sizes: dict[tuple[str, str], Sequence[int]] = {}
    for server in request.servers:
        plans = list(request.fleet.plans_of(server.group))
        if len(plans) == 1:
            sizes[plans[0], server.name] = [
                each.bytes for each in request.receipts or () if each.repository == server.incarnation
            ]
    return sizes


def _credentials(request: RecordsRequest, names: Sequence[str]) -> dict[str, datetime]:
    """When the credentials of each server's repository were made; a rotation makes them anew."""
    found: dict[str, datetime] = {}
    for name in names:
        keeper = request.keys_of(name)
        for server in request.servers:
            known = keeper.load(server.incarnation)
            if known is not None:
                found[server.incarnation] = known.created_at
    return found
