"""What set-up changes on the control machine itself: Debian packages and the kernel's inotify limit."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

from orchestrator.errors import InputError
from orchestrator.process import run
from orchestrator.toolchain import recipe
from orchestrator.toolchain.progress import Progress

INOTIFY: Final = Path("/proc/sys/fs/inotify/max_user_instances")
INOTIFY_WANTED: Final = 8192
"""Each server's systemd takes about five instances, and the kernel's default of 128 ends at some 25
servers.
"""
SYSCTL_FILE: Final = Path("/etc/sysctl.d/60-steward.conf")
_APT_SECONDS: Final = 1800.0


def wanted_packages() -> list[str]:
    """Debian packages that local servers and the base image need."""
    return (recipe.HERE / "debian-packages.txt").read_text().split()


def missing_packages(wanted: list[str]) -> list[str]:
    """Those of `wanted` that dpkg does not know as installed; none where there is no dpkg to ask."""
    if shutil.which("dpkg-query") is None:
        return []
    form = "${Package} ${db:Status-Status}\n"
    shown = run(["dpkg-query", "--show", "--showformat", form, *wanted], timeout=60, check=False)
    installed = {line.split(" ")[0] for line in shown.stdout.splitlines() if line.endswith(" installed")}
    return [name for name in wanted if name not in installed]


def install_command(packages: list[str]) -> str:
    """What a person types to get these packages."""
    return "sudo apt-get install --no-install-recommends " + " ".join(packages)


def provide_packages(progress: Progress) -> None:
    """Install what is missing as root; otherwise InputError with the list, before anything was touched."""
    missing = missing_packages(wanted_packages())
    if not missing:
        return
    if os.geteuid() != 0:
        raise InputError(
            "system packages",
            "are missing and only root may install them",
            got=" ".join(missing),
            next_step=f"Run: {install_command(missing)}",
        )
    progress.step("installing Debian packages: " + " ".join(missing))
    env = dict(os.environ) | {"DEBIAN_FRONTEND": "noninteractive"}
    run(["apt-get", "update"], timeout=_APT_SECONDS, env=env, on_line=progress.tick)
    options = ["--yes", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300"]
    run(["apt-get", "install", *options, *missing], timeout=_APT_SECONDS, env=env, on_line=progress.tick)


def inotify_limit(path: Path = INOTIFY) -> int | None:
    """The kernel's limit of inotify instances a user, or None where it cannot be read."""
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None


def may_raise_inotify() -> bool:
    """Whether this process could change the limit: root, and no read-only /proc as in most containers."""
    return os.geteuid() == 0 and os.access(INOTIFY, os.W_OK)


def raise_inotify(progress: Progress) -> None:
    """Raise the limit now and for every boot; without root it stays, and doctor says so."""
    limit = inotify_limit()
    if limit is None or limit >= INOTIFY_WANTED or not may_raise_inotify():
        return
    progress.step(f"raising fs.inotify.max_user_instances from {limit} to {INOTIFY_WANTED}")
    SYSCTL_FILE.parent.mkdir(exist_ok=True)
    SYSCTL_FILE.write_text(
        "# Every local server of Steward takes about five inotify instances.\n"
        f"fs.inotify.max_user_instances = {INOTIFY_WANTED}\n"
    )
    INOTIFY.write_text(str(INOTIFY_WANTED))
