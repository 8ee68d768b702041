"""patch: upgrade one server, reboot it where that is due, and see that it is healthy before the next one."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from threading import Event
from time import monotonic

from orchestrator.errors import FindingsError, ToolError
from orchestrator.patching.documents import HostPatch, read_patch
from orchestrator.phases.ready import GATE_SECONDS, ready, silent
from orchestrator.ports.hosts import PYTHON_AS_ROOT, HostShell
from orchestrator.ports.run import Say
from orchestrator.reporting.model import Check, Verdict
from orchestrator.reporting.patched import Patched, Upgrade
from stacks.outputs import ServerOutput

_UPGRADE_SECONDS = 1_800.0
_ASK_SECONDS = 30.0
_GONE_SECONDS = 60.0
_POLL_SECONDS = 0.5
_OFF_SECONDS = 8.0
"""A machine that accepts no connection for so long after a reboot may have been switched off by it."""


@dataclass(frozen=True)
class PatchTools:
    """What patching one server needs; `power_on` starts a server that its reboot switched off."""

    shell: HostShell
    look: Callable[[ServerOutput], Sequence[Check]]
    power_on: Callable[[], object]
    say: Say
    stopping: Event


def patch(server: ServerOutput, tools: PatchTools, *, security_only: bool) -> Patched:
    """Upgrade, reboot where due, wait, look; raises ToolError where the server is not well afterwards."""
    began = monotonic()
    done = _ask(server, tools.shell, "upgrade", security=security_only)
    told = f"{len(done.changes)} packages upgraded" if done.changes else "nothing to upgrade"
    tools.say(f"{server.name}: {told}" + (f"; reboot: {done.reboot}" if done.reboot else ""))
    if done.reboot:
        reboot(server, tools, done.boot)
    patched = Patched(
        server=server.name,
        upgrades=[Upgrade(**change.model_dump()) for change in done.changes],
        restarted=done.restarted,
        rebooted=done.reboot,
        duration_seconds=round(monotonic() - began, 1),
    )
    checks = tools.look(server)
    return patched.model_copy(update={"unhealthy": [check.check for check in checks if _bad(check)]})


def due(server: ServerOutput, shell: HostShell, *, security_only: bool) -> HostPatch:
    """What would be upgraded now; changes nothing but the package lists."""
    return _ask(server, shell, "look", security=security_only)


def refuse_unhealthy(checks: Sequence[Check]) -> None:
    """Before the first server: one that is not well may be the one that its service stands on meanwhile."""
    bad = [f"{check.server} {check.check}" for check in checks if _bad(check)]
    if bad:
        raise FindingsError(
            "patch", f"not begun: {len(bad)} checks fail already", got=", ".join(bad[:5]),
            rule="servers are patched while all others of their services are well",
            next_step="steward verify tells them; mend them first.",
        )  # fmt: skip


def refuse_to_go_on(patched: Patched, rest: Sequence[ServerOutput]) -> None:
    """After a server that is not well: the others stay as they are; raises ToolError."""
    if patched.unhealthy:
        left = ", ".join(server.name for server in rest) or "none"
        raise ToolError(
            patched.server, "is not healthy after it was patched", got=", ".join(patched.unhealthy[:5]),
            next_step=f"Servers that were not begun: {left}. Mend this one, then patch again.",
        )  # fmt: skip


def reboot(server: ServerOutput, tools: PatchTools, boot_before: str) -> None:
    """Reboot and wait until the server is there again, by another boot than before."""
    tools.shell.run(
        server,
        ["sudo", "-n", "systemd-run", "--quiet", "--on-active=1", "systemctl", "reboot"],
        timeout=_ASK_SECONDS,
    )
    _await_gone(server, tools, boot_before)
    if not _answers(server, tools.stopping, _OFF_SECONDS):
        tools.say(f"{server.name}: stays off after its reboot; switching it on")
        tools.power_on()
    (found,) = ready([server], tools.shell, tools.say, connect_seconds=GATE_SECONDS)
    if found.missing:
        raise ToolError(server.name, f"did not come back from its reboot: {found.message}")
    if _ask(server, tools.shell, "boot").boot == boot_before:
        raise ToolError(server.name, "did not reboot: it is still in the boot from before")


def _await_gone(server: ServerOutput, tools: PatchTools, boot_before: str) -> None:
    """Until the old boot no longer answers; a quick machine may be in its new one already."""
    deadline = monotonic() + _GONE_SECONDS
    while monotonic() < deadline and not tools.stopping.is_set():
        try:
            if _ask(server, tools.shell, "boot").boot != boot_before:
                return
        except ToolError:
            return
        tools.stopping.wait(_POLL_SECONDS)
    raise ToolError(server.name, f"did not go down for its reboot within {_GONE_SECONDS:.0f} s")


def _answers(server: ServerOutput, stopping: Event, seconds: float) -> bool:
    deadline = monotonic() + seconds
    while silent([server]):
        if monotonic() > deadline or stopping.wait(_POLL_SECONDS):
            return False
    return True


def _ask(server: ServerOutput, shell: HostShell, act: str, *, security: bool = False) -> HostPatch:
    script = files("orchestrator.patching").joinpath("upgrade.py").read_text()
    argument = json.dumps({"act": act, "security": security})
    seconds = _ASK_SECONDS if act == "boot" else _UPGRADE_SECONDS
    done = shell.run(server, [*PYTHON_AS_ROOT, "-", argument], timeout=seconds, stdin=script)
    return read_patch(server.name, done.stdout)


def _bad(check: Check) -> bool:
    return check.verdict in (Verdict.FAIL, Verdict.UNKNOWN)


def summary(patched: Patched) -> str:
    """`12 packages, 3 for security; rebooted`"""
    security = sum(1 for upgrade in patched.upgrades if upgrade.security)
    text = f"{len(patched.upgrades)} packages" + (f", {security} for security" if security else "")
    text += f"; {len(patched.restarted)} services restarted" if patched.restarted else ""
    text += "; rebooted" if patched.rebooted else ""
    return text + (f"; not healthy: {', '.join(patched.unhealthy[:5])}" if patched.unhealthy else "; healthy")
