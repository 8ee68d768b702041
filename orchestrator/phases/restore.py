"""restore: bring a snapshot back next to the living data and compare it with what the backup recorded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pydantic import BaseModel, ConfigDict

from orchestrator.backups.credentials import LentRepository
from orchestrator.backups.documents import RestoreResult
from orchestrator.backups.hosts import restore as ask_host
from orchestrator.backups.predecessors import Earlier
from orchestrator.errors import InputError
from orchestrator.phases.reach import check_wanted
from orchestrator.ports.hosts import HostShell
from stacks.fleet.mistakes import nearest
from stacks.fleet.model import Fleet
from stacks.outputs import ServerOutput

_SHORTEST: Final = 8
"""Of an id that is cut off, as hosts ask for it, too."""


class RestoreRequest(BaseModel):
    """Which snapshot of which plan on which server; `target` and `database` narrow it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    server: str
    plan: str
    snapshot: str
    target: str | None
    database: str | None
    run: str


def check_request(request: RestoreRequest, fleet: Fleet) -> None:
    """Refuse a server or plan that the fleet does not have; raises InputError."""
    check_wanted(fleet, [request.server])
    groups = {name: group for group, name in fleet.server_names()}
    plans = fleet.plans_of(groups[request.server])
    if request.plan not in plans:
        raise InputError(
            request.server, f"no backup plan named '{request.plan}'; {nearest(request.plan, plans)}"
        )
    if request.database is not None and request.database not in plans[request.plan].postgresql:
        known = plans[request.plan].postgresql
        raise InputError(
            request.plan, f"no database named '{request.database}'; {nearest(request.database, known)}"
        )


def choose(request: RestoreRequest, earlier: Sequence[Earlier], *, lost: bool) -> Earlier | None:
    """The predecessor's snapshot that is meant; None where it is the server's own, which the host finds.

    `earlier` are of this server and plan. Without an id the newest of what was `lost` is meant, as a snapshot
    of a server that began empty is not what anybody looks for.
    """
    if request.snapshot == "latest":
        return earlier[-1] if lost and earlier else None
    same = [
        each
        for each in earlier
        if len(request.snapshot) >= _SHORTEST and each.snapshot.id.startswith(request.snapshot)
    ]
    if len(same) > 1:
        raise InputError(
            f"{request.plan}/{request.server}", f"{len(same)} snapshots begin with '{request.snapshot}'",
            next_step="Give more of the id; see steward backup list --json",
        )  # fmt: skip
    return same[0] if same else None


def told_source(source: Earlier | None, server: ServerOutput) -> str:
    """Whose snapshot it is, in words."""
    if source is None:
        return f"of {server.name} itself"
    return (
        f"snapshot {source.snapshot.id[:8]} of a predecessor of {server.name}, arrived "
        f"{source.arrived_at:%Y-%m-%d %H:%M:%S} UTC"
    )


def restore(
    request: RestoreRequest, server: ServerOutput, shell: HostShell, lent: LentRepository | None = None
) -> RestoreResult:
    """Restore and compare; a difference is a result with `ok` false, and so is a comparison of nothing.

    What never began for the sake of what was asked (a snapshot that is not there, a folder that is not empty)
    says nothing about the backups: raises InputError.
    """
    done = ask_host(
        shell, server, request.plan, request.snapshot, request.run, request.target, request.database, lent
    )
    if not done.ok and not done.snapshot and (request.snapshot != "latest" or request.target):
        raise InputError(
            f"{request.plan}/{request.server}", f"nothing was restored: {done.error or 'no reason given'}",
            next_step="See the snapshots: steward backup list",
        )  # fmt: skip
    doubt = _doubt(request, done)
    return done.model_copy(update={"ok": False, "error": doubt}) if done.ok and doubt else done


def _doubt(request: RestoreRequest, done: RestoreResult) -> str:
    """Why an answer that calls itself good proves nothing, '' when it does."""
    if not (done.files_compared or done.tables_compared):
        return "nothing was compared"
    if done.plan != request.plan:
        return "the host answered for another plan"
    asked = request.snapshot
    if asked != "latest" and not (done.snapshot or "").startswith(asked):
        return "the host answered for another snapshot"
    return ""
