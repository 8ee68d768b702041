"""diagnose: tell why hosts failed, in plain words, from what they said and a bounded look at each."""

from __future__ import annotations

import errno
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.resources import files

from orchestrator.diagnosis.causes import Cause, Failure, cause_of, units_named
from orchestrator.diagnosis.sight import Sight, read_sight
from orchestrator.errors import ToolError
from orchestrator.parallel import for_each
from orchestrator.ports.hosts import PYTHON_AS_ROOT, HostShell
from orchestrator.ports.plays import PlayResult
from orchestrator.ports.run import Say
from orchestrator.reporting.model import Host
from orchestrator.results import Readiness
from orchestrator.room import full
from stacks.outputs import ServerOutput

_LOOK_SECONDS = 20.0


def diagnose_play(
    play: PlayResult, servers: Sequence[ServerOutput], shell: HostShell, say: Say
) -> PlayResult:
    """The same result; before the message of each failed host stands its cause, where that is known."""
    known = {server.name: server for server in servers}
    if "No space left on device" in play.problem:
        raise full(OSError(errno.ENOSPC, play.problem))
    bad = [host for host in play.hosts if (host.failed or host.unreachable) and host.name in known]
    if not bad:
        return play
    causes = for_each(bad, lambda host, _: _of_host(host, known[host.name], shell))
    told = dict(zip((host.name for host in bad), causes, strict=True))
    for host in bad:
        if cause := told[host.name]:
            say(f"{host.name}: {cause}")
    return PlayResult([_with_cause(host, told) for host in play.hosts], play.problem)


def diagnose_gate(
    found: Sequence[Readiness], servers: Sequence[ServerOutput], shell: HostShell
) -> Sequence[Readiness]:
    """What the gate waited for in vain, with its cause."""
    known = {server.name: server for server in servers}
    stuck = [each for each in found if each.missing]
    told = dict(
        zip(
            (e.server for e in stuck),
            for_each(stuck, lambda e, _: _of_gate(e, known[e.server], shell)),
            strict=True,
        )
    )
    return [told.get(each.server, each) for each in found]


def look(server: ServerOutput, shell: HostShell, units: Sequence[str] = ()) -> Sight | None:
    """What stands in the way on one host; None where nobody can look any more."""
    script = files("orchestrator.diagnosis").joinpath("look.py").read_text()
    try:
        done = shell.run(
            server, [*PYTHON_AS_ROOT, "-", *units], timeout=_LOOK_SECONDS, stdin=script, check=False
        )
    except ToolError:
        return None
    return read_sight(done.stdout) if done.returncode == 0 else None


def _of_host(host: Host, server: ServerOutput, shell: HostShell) -> Cause | None:
    failure = Failure(host.failed_task, host.message, host.unreachable)
    sight = None if host.unreachable else look(server, shell, units_named(failure))
    if sight is None and not host.unreachable:  # it was there when the task failed, and is not any more
        return cause_of(failure) or cause_of(Failure(host.failed_task, "", unreachable=True))
    return cause_of(failure, sight)


def _with_cause(host: Host, told: Mapping[str, Cause | None]) -> Host:
    cause = told.get(host.name)
    if cause is None:
        return host
    message = f"{cause}. The task said: {host.message}" if host.message else f"{cause}."
    return host.model_copy(update={"message": message})


def _of_gate(each: Readiness, server: ServerOutput, shell: HostShell) -> Readiness:
    outside = each.missing in ("tcp", "ssh")
    failure = Failure(f"ready: {each.missing}", each.message, outside)
    cause = cause_of(failure, None if outside else look(server, shell))
    if cause is None:
        return each
    return replace(each, message=f"{cause}. The gate said: {each.message}")
