"""What earlier incarnations of a server left in the vault, and which plans' data went with them. Pure.

A repository belongs to one incarnation for ever. Whose it was is told by its credentials, which name stack
and server: an earlier server of that name in a stack of that name is a predecessor.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from orchestrator.backups.credentials import RepositoryCredentials
from orchestrator.backups.documents import Snapshot
from orchestrator.ports.backups import Receipt
from orchestrator.reporting.humanise import plural
from orchestrator.reporting.model import Backup, Verdict
from orchestrator.reporting.seen import Unrestored
from stacks.fleet.backup import BackupPlan
from stacks.fleet.model import Fleet
from stacks.outputs import ServerOutput

Pair = tuple[str, str]
"""(plan, server)."""


@dataclass(frozen=True)
class Predecessor:
    """An earlier incarnation of a server, by the repository that it wrote to.

    `store` is the fleet's name of the vault; `arrivals` are by snapshot, as the vault saw them.
    """

    server: str
    repository: str
    store: str
    arrivals: Mapping[str, datetime]


@dataclass(frozen=True)
class Earlier:
    """One snapshot of a predecessor, with the time at which the vault saw it arrive."""

    of: Predecessor
    snapshot: Snapshot
    arrived_at: datetime


@dataclass(frozen=True)
class Losses:
    """Pairs whose data lie with a predecessor alone; and why those of some servers cannot be read."""

    pairs: Mapping[Pair, Unrestored] = field(default_factory=dict)
    unread: Mapping[str, str] = field(default_factory=dict)


def owned(
    stack: str, credentials: Iterable[RepositoryCredentials], made: Mapping[str, str]
) -> list[RepositoryCredentials]:
    """Those of the stack to which no server of it writes now; `made`: incarnation by name."""
    living = set(made.values())
    return [each for each in credentials if each.stack == stack and each.id not in living]


def predecessors(
    found: Iterable[RepositoryCredentials], store: str, receipts: Iterable[Receipt]
) -> list[Predecessor]:
    """One for each repository in which something lies."""
    arrived = arrivals(receipts)
    return [
        Predecessor(owner.server, owner.id, store, arrived[owner.id])
        for owner in found
        if owner.id in arrived
    ]


def arrivals(receipts: Iterable[Receipt]) -> dict[str, dict[str, datetime]]:
    """When the vault saw each snapshot arrive: repository -> snapshot -> moment."""
    found: dict[str, dict[str, datetime]] = {}
    for each in receipts:
        found.setdefault(each.repository, {})[each.snapshot] = each.arrived_at
    return found


def earlier_snapshots(of: Predecessor, listed: Iterable[Snapshot]) -> list[Earlier]:
    """What lies in the repository, oldest first; a snapshot of which the vault knows nothing is left out."""
    found = [
        Earlier(of, each.model_copy(update={"repository": of.repository, "earlier": True}), arrived)
        for each in listed
        if (arrived := of.arrivals.get(each.id)) is not None
    ]
    return sorted(found, key=lambda each: (each.arrived_at, each.snapshot.id))


def unrestored(
    fleet: Fleet,
    servers: Sequence[ServerOutput],
    earlier: Sequence[Earlier],
    accepted: Collection[Pair],
    volumes: Mapping[str, datetime],
) -> dict[Pair, Unrestored]:
    """The pairs whose data lie with a predecessor alone, until a person says that this is as it should be.

    `accepted` are (incarnation, plan). `volumes`: when each was made; what lies on one that is older than the
    newest of the predecessors' snapshots was not lost.
    """
    found: dict[Pair, Unrestored] = {}
    for server in servers:
        for plan, spec in fleet.plans_of(server.group).items():
            own = [each for each in earlier if (each.of.server, each.snapshot.plan) == (server.name, plan)]
            if not own or (server.incarnation, plan) in accepted:
                continue
            newest = max(own, key=lambda each: each.arrived_at)
            if not outlived(fleet, server, spec, volumes, newest.arrived_at):
                found[plan, server.name] = Unrestored(
                    snapshots=len(own), newest_at=newest.arrived_at, snapshot=newest.snapshot.id
                )
    return found


def outlived(
    fleet: Fleet,
    server: ServerOutput,
    plan: BackupPlan,
    volumes: Mapping[str, datetime],
    since: datetime,
) -> bool:
    """Whether everything that the plan saves lies on volumes that were there at that time already."""
    kept = [
        disk.mount
        for name, disk in fleet.servers[server.group].volumes.items()
        if (made := volumes.get(f"{server.name}-{name}")) is not None and made < since
    ]
    if plan.postgresql:
        return any(plan.covers(mount) for mount in kept)
    return all(any(f"{path}/".startswith(f"{mount}/") for mount in kept) for path in plan.paths)


def marked(rows: Sequence[Backup], found: Losses) -> list[Backup]:
    """The rows, in which no pair is good whose data lie, or may lie, with a predecessor alone."""
    return [_marked(row, found) for row in rows]


def _marked(row: Backup, found: Losses) -> Backup:
    lost, unread = found.pairs.get((row.plan, row.server)), found.unread.get(row.server)
    if lost is not None:
        message = "; ".join(filter(None, (told(lost), row.message)))
        return row.model_copy(update={"verdict": Verdict.FAIL, "unrestored": lost, "message": message})
    if unread is not None and row.verdict is Verdict.PASS:
        message = f"what its predecessors left in the vault cannot be read: {unread}"
        return row.model_copy(update={"verdict": Verdict.UNKNOWN, "message": message})
    return row


def told(lost: Unrestored) -> str:
    """`the server is new and empty: 3 snapshots of its predecessor lie in the vault, newest ...`"""
    count, lie = plural(lost.snapshots, "snapshot"), "lie" if lost.snapshots != 1 else "lies"
    return (
        f"the server is new and empty: {count} of its predecessor {lie} in the vault, newest "
        f"{lost.newest_at:%Y-%m-%d %H:%M:%S} UTC, and none was put back"
    )
