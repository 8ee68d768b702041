"""restore: bring a snapshot back next to the living data and compare it with what the backup recorded."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from orchestrator.backups.documents import RestoreResult
from orchestrator.backups.hosts import restore as ask_host
from orchestrator.errors import InputError
from orchestrator.ports import HostShell
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
    groups = {name: group for group, name in fleet.server_names()}
    if request.server not in groups:
        raise InputError(
            fleet.stack, f"no server named '{request.server}'; {nearest(request.server, groups)}"
        )
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
    """Restore and compare; a difference is a result with `ok` false."""
    return ask_host(
        shell, server, request.plan, request.snapshot, request.run, request.target, request.database
    )
