"""The order of `steward rotate database`: let another login in, use it, then shut the one before."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from orchestrator.adapters import Adapters
from orchestrator.errors import ToolError
from orchestrator.inventory.logins import groups_told
from orchestrator.phases import rotate_database
from orchestrator.pipelines.configure import converge_steps
from orchestrator.pipelines.reach import reach_steps
from orchestrator.pipelines.step import Step, Steps
from orchestrator.results import RunResults


def database_steps(adapters: Adapters, results: RunResults) -> Steps:
    """Each converge ends before the next step, so no application is told of a login that is not open."""
    fleet, rotation = adapters.target.loaded.fleet, adapters.rotation
    users = rotate_database.rotated_users(fleet, adapters.say)
    outputs, access = yield from reach_steps(adapters, results)
    names = sorted({user.name for user in users})
    databases = [s for s in outputs.servers if s.group in {user.group for user in users}]
    told = groups_told(fleet, names)
    stores = [server.name for server in databases]
    tellers = [server.name for server in outputs.servers if server.group in told]
    stuck = [each.server for each in results.readiness if each.missing and each.server in {*stores, *tellers}]
    if stuck:
        raise ToolError(
            ", ".join(stuck), "is out of reach, and would keep the old password; nothing was changed",
            next_step="Run steward up, then steward rotate database again.",
        )  # fmt: skip
    enter = partial(rotate_database.let_in, users, rotation)
    yield Step("let-in", "rotate", "write", enter, lambda found: f"{len(found)} users have a login to come")
    yield from _settle(adapters, results, stores)
    where = (fleet, users, databases, access.shell, rotation)
    use = partial(rotate_database.switch, *where)
    yield Step("switch", "rotate", "write", use, lambda found: f"{len(found)} new logins are in use")
    yield from _settle(adapters, results, tellers)
    leave = partial(rotate_database.close, *where)
    yield Step("close", "rotate", "write", leave, lambda found: f"{len(found)} old logins are to be shut")
    yield from _settle(adapters, results, stores)
    end = partial(rotate_database.shut_out, *where, adapters.say)
    yield Step("shut-out", "rotate", "write", end, lambda found: f"{len(found)} old passwords are refused")


def _settle(adapters: Adapters, results: RunResults, wanted: Sequence[str]) -> Steps:
    """Converge these servers; raises ToolError, with both logins open, where one did not take it."""
    yield from converge_steps(adapters, results, wanted, always=False)
    healthy = {server.name for server in results.healthy(wanted)}
    failed = [name for name in wanted if name not in healthy]
    if failed:
        raise ToolError(
            ", ".join(failed), "did not take the new login; the one that it uses still works",
            next_step="Mend what the report names, then run steward rotate database again.",
        )  # fmt: skip
