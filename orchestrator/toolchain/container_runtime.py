"""Which OCI runtime really boots a server on this machine: crun fails on hybrid cgroups, and only a boot
shows it.
"""

from __future__ import annotations

import secrets
import shutil
import time
from typing import Final

from orchestrator.errors import StewardError, ToolError
from orchestrator.process import run

RUNTIMES: Final = ("runc", "crun")
_BOOT_SECONDS: Final = 30.0
_POLL_SECONDS: Final = 0.1
_COMMAND_SECONDS: Final = 60.0


def installed() -> list[str]:
    """Runtimes that are there, best first."""
    places = "/usr/bin:/usr/sbin:/usr/local/bin:/usr/local/sbin:/usr/libexec"
    return [name for name in RUNTIMES if shutil.which(name) or shutil.which(name, path=places)]


def probe(image: str) -> str:
    """Boot one server of `image` with each runtime until one comes up; ToolError tells why none did."""
    reasons = []
    for runtime in installed():
        try:
            state = _boot(runtime, image)
        except StewardError as error:
            state = str(error)
        if state == "running":
            return runtime
        reasons.append(f"{runtime}: {state}")
    raise ToolError(
        "podman",
        "no container runtime boots a server",
        got="; ".join(reasons) or "none installed",
        next_step="Install runc, then run `steward setup` again.",
    )


def probe_argv(runtime: str, name: str, image: str) -> list[str]:
    """Command line with the options that servers get; a network proves netavark and iptables too."""
    limits = ["--ulimit", "nofile=4096:4096", "--ulimit", "nproc=4096:4096"]
    return [
        *("podman", "--runtime", runtime, "run", "--detach", "--name", name, "--hostname", "probe"),
        *("--cap-add", "NET_ADMIN", *limits, "--systemd=always", "--network", "podman"),
        *(image, "/sbin/init"),
    ]


def _boot(runtime: str, image: str) -> str:
    name = f"steward-probe-{secrets.token_hex(4)}"
    try:
        run(probe_argv(runtime, name, image), timeout=_COMMAND_SECONDS)
        return _wait_for_boot(name)
    finally:
        run(["podman", "rm", "--force", "--time", "0", name], timeout=_COMMAND_SECONDS, check=False)


def _wait_for_boot(name: str) -> str:
    deadline = time.monotonic() + _BOOT_SECONDS
    while True:
        asked = run(
            ["podman", "exec", name, "systemctl", "is-system-running"], timeout=_COMMAND_SECONDS, check=False
        )
        state = asked.stdout.strip() or asked.stderr.strip()
        if state in {"running", "degraded"}:
            return state
        if time.monotonic() > deadline:
            return f"still {state or 'silent'} after {_BOOT_SECONDS:g} s"
        time.sleep(_POLL_SECONDS)
