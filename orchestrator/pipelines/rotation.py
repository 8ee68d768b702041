"""The order of rotations: let the new one in, prove it, use it, and only then take the old one away."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from orchestrator.adapters import Adapters
from orchestrator.errors import InputError, ToolError
from orchestrator.phases import plan as plan_phase
from orchestrator.phases import rotate_host_keys, rotate_repository, rotate_ssh
from orchestrator.pipelines.configure import converge_steps
from orchestrator.pipelines.reach import reach_steps
from orchestrator.pipelines.step import Step, Steps
from orchestrator.ports.provisioning import Provisioned
from orchestrator.results import RunResults

_AUTHORIZED_KEYS = "/home/steward/.ssh/authorized_keys"
"""Changed by a rotation and no converge, so drift has to be told of it."""
_HOST_KEYS = ("/etc/ssh/ssh_host_ed25519_key", "/etc/ssh/ssh_host_ed25519_key.pub")
"""As above."""


def ssh_steps(adapters: Adapters, results: RunResults) -> Steps:
    """A stack has one admin key, so all of its servers are rotated, or none."""
    outputs, access = yield from reach_steps(adapters, results)
    stuck = [each.server for each in results.readiness if each.missing]
    if stuck:
        raise ToolError(
            ", ".join(stuck), "is out of reach, and would be locked out by a new key; no key was taken away",
            next_step="Run steward up, then steward rotate ssh again.",
        )  # fmt: skip
    stack, rotation = adapters.target.stack.name, adapters.rotation
    enter = partial(rotate_ssh.let_in, stack, outputs.servers, access.shell, rotation)
    yield Step(
        "let-in", "rotate", "write", enter, lambda _: f"{len(outputs.servers)} servers know the new key"
    )
    leave = partial(rotate_ssh.shut_out, stack, outputs.servers, rotation, adapters.say)
    yield Step(
        "shut-out", "rotate", "write", leave, lambda done: f"{done.servers} servers refuse the old key"
    )
    learn = partial(access.drifts.learn, outputs.servers, [_AUTHORIZED_KEYS])
    yield Step("learn", "rotate", "read", learn)
    yield from record_steps(adapters, results)


def host_key_steps(adapters: Adapters, results: RunResults, wanted: Sequence[str] = ()) -> Steps:
    """Clients know the new key before a server shows it, and the old one until none does."""
    _, access = yield from reach_steps(adapters, results, wanted)
    servers, rotation = results.reachable(wanted), adapters.rotation
    stuck = [each.server for each in results.readiness if each.missing]
    if stuck:
        raise ToolError(
            ", ".join(stuck), "is out of reach; no host key was changed",
            next_step="Run steward up, then steward rotate host-keys again.",
        )  # fmt: skip
    tell = partial(rotate_host_keys.announce, servers, access.shell, rotation)
    keys = yield Step("announce", "rotate", "write", tell, lambda found: f"{len(found)} keys are known")
    change = partial(rotate_host_keys.switch, servers, keys, access.shell, rotation)
    known = yield Step("switch", "rotate", "write", change, lambda found: f"{len(found)} show another key")
    end = partial(rotate_host_keys.finish, known, rotation, adapters.say)
    yield Step("finish", "rotate", "write", end, lambda done: f"{len(done.servers)} old keys are gone")
    learn = partial(access.drifts.learn, known, _HOST_KEYS)
    yield Step("learn", "rotate", "read", learn)


def record_steps(adapters: Adapters, results: RunResults) -> Steps:
    """The state names the new key too, unless other changes of the fleet wait: those are for `up`."""
    adapters.rotation.record_admin_key()
    preview = partial(plan_phase.plan, adapters.target, adapters.provisioner)
    found = yield Step("plan", "plan", "read", preview, plan_phase.summary)
    only_keys = all((change.op, change.kind) == ("update", "server") for change in found.changes)
    if found.blocked or not only_keys:
        adapters.say("other changes wait: the next steward up records the new key in the state")
    elif found.changes:
        act = partial(adapters.provisioner.up, adapters.target)
        done: Provisioned = yield Step(
            "record", "rotate", "write", act, lambda d: f"{len(d.changes)} recorded"
        )
        results.provisioned = done


def repository_steps(adapters: Adapters, results: RunResults, wanted: Sequence[str] = ()) -> Steps:
    """Vault, control machine, then hosts learn the new credentials; the old ones work until the end."""
    _, access = yield from reach_steps(adapters, results, wanted)
    fleet = adapters.target.loaded.fleet
    servers = [s for s in results.reachable(wanted) if fleet.servers[s.group].backup]
    if not servers:
        raise InputError(
            fleet.stack, "none of these servers has a backup plan", got=", ".join(wanted) or "the whole fleet"
        )
    rotation, now = adapters.rotation, adapters.clock.now()
    enter = partial(rotate_repository.let_in, fleet, servers, rotation, now, adapters.say)
    yield Step("let-in", "rotate", "write", enter, lambda names: f"{len(names)} repositories know both")
    names = [server.name for server in servers]
    yield from converge_steps(adapters, results, names, always=False)
    healthy = results.healthy(names)
    leave = partial(rotate_repository.shut_out, fleet, healthy, access.shell, rotation, adapters.say)
    yield Step(
        "shut-out", "rotate", "write", leave, lambda done: f"{len(done.servers)} old credentials are gone"
    )
