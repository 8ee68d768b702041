"""The order of `steward patch`: window, health of all, then one server after the other."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from threading import Event

from orchestrator.adapters import Adapters, HostAccess
from orchestrator.errors import InputError, ToolError
from orchestrator.patching.order import PatchOrder, closed_for, patch_order
from orchestrator.patching.order import summary as order_summary
from orchestrator.phases import patch as patch_phase
from orchestrator.phases import verify as verify_phase
from orchestrator.phases.reach import check_wanted
from orchestrator.pipelines.reach import reach_steps
from orchestrator.pipelines.step import Step, Steps
from orchestrator.reporting.model import Check
from orchestrator.results import RunResults
from stacks.outputs import ServerOutput


def patch_steps(
    adapters: Adapters, results: RunResults, wanted: Sequence[str], *, now: bool, security_only: bool
) -> Steps:
    """Patch what may be interrupted now; the first server that is not well afterwards stops the rest."""
    fleet, stack = adapters.target.loaded.fleet, adapters.target.stack.name
    check_wanted(fleet, wanted)
    outputs = adapters.provisioner.outputs(stack)
    ask = partial(patch_order, fleet, outputs.servers, adapters.clock.now(), wanted, now=now)
    order: PatchOrder = yield Step("window", "patch", "read", ask, order_summary)
    outputs, access = yield from reach_steps(adapters, results)
    _refuse_unreachable(results)
    look = partial(verify_phase.verify, fleet, outputs.servers, access.verifier, adapters.roles)
    results.checks = yield Step("before", "verify", "read", look, verify_phase.summary)
    patch_phase.refuse_unhealthy(results.checks)
    tools = _tools(adapters, access)
    for number, server in enumerate(order.servers):
        if not now:
            _refuse_late(adapters, server, order.servers[number:])
        act = partial(patch_phase.patch, server, tools, security_only=security_only)
        patched = yield Step(f"patch {server.name}", "patch", "write", act, patch_phase.summary)
        results.patched = [*results.patched, patched]
        patch_phase.refuse_to_go_on(patched, order.servers[number + 1 :])
    results.checks = yield Step("verify", "verify", "read", look, verify_phase.summary)


def _tools(adapters: Adapters, access: HostAccess) -> patch_phase.PatchTools:
    fleet = adapters.target.loaded.fleet

    def look(server: ServerOutput) -> Sequence[Check]:
        return verify_phase.verify(fleet, [server], access.verifier, adapters.roles)

    power_on = partial(adapters.provisioner.up, adapters.target, refresh=True)
    return patch_phase.PatchTools(access.shell, look, power_on, adapters.say, Event())


def _refuse_unreachable(results: RunResults) -> None:
    stuck = [each for each in results.readiness if each.missing]
    if stuck:
        raise ToolError(
            stuck[0].server, f"not begun: {stuck[0].message}",
            rule="servers are patched while all others are well", next_step="Mend it first: steward up.",
        )  # fmt: skip


def _refuse_late(adapters: Adapters, server: ServerOutput, rest: Sequence[ServerOutput]) -> None:
    """The window may close while servers are patched; what is begun is ended, nothing more is begun."""
    closed = closed_for(adapters.target.loaded.fleet, server.group, adapters.clock.now())
    if closed is not None:
        names = ", ".join(each.name for each in rest)
        raise InputError(
            server.name, f"the window closed before its turn; not begun: {names}", rule=str(closed),
            next_step="Run it then, or now with --now, which is recorded.",
        )  # fmt: skip
