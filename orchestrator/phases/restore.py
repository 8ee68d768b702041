"""restore: bring a snapshot back next to the living data and compare it with what the backup recorded."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from orchestrator.backups.documents import RestoreResult
from orchestrator.backups.hosts import restore as ask_host
from orchestrator.errors import InputError
from orchestrator.phases.reach import check_wanted
from orchestrator.ports.hosts import HostShell
from stacks.fleet.mistakes import nearest
from stacks.fleet.model import Fleet
from stacks.outputs import ServerOutput


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


def restore(request: RestoreRequest, server: ServerOutput, shell: HostShell) -> RestoreResult:
    """Restore and compare; a difference is a result with `ok` false, and so is a comparison of nothing.

    What never began for the sake of what was asked (a snapshot that is not there, a folder that is not empty)
    says nothing about the backups: raises InputError.
    """
    done = ask_host(
        shell, server, request.plan, request.snapshot, request.run, request.target, request.database
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
