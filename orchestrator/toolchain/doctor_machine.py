"""The doctor's checks of the control machine: Python, packages, containers, kernel, folders."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from importlib import metadata
from pathlib import Path
from typing import Final

from orchestrator.errors import StewardError
from orchestrator.toolchain import base_image, container_runtime, control_machine, lockfile, recipe
from orchestrator.toolchain.part import SET_UP, Part, absent, good, wrong
from orchestrator.toolchain.versions import program_version, show

LOWEST_PYTHON: Final = (3, 11)
LOWEST_PODMAN: Final = (4, 3)
FREE_GIB_WANTED: Final = 5


def python() -> Part:
    """The Python that runs this, and all children."""
    version = show(sys.version_info[:3])
    if sys.version_info[:2] < LOWEST_PYTHON:
        return wrong(
            "python",
            sys.executable,
            f"is older than {show(LOWEST_PYTHON)}",
            "install a newer Python",
            version=version,
        )
    return good("python", version, sys.executable)


def dependencies(code: Path) -> Part:
    """Whether what is installed is what the lock file says; an installed package has none to compare with."""
    lock = code / "requirements" / "lock.txt"
    if not lock.is_file():
        return good("dependencies", "", "no lock file: installed as a package")
    wanted = lockfile.pins(lock.read_text())
    installed = {lockfile.normal(dist.name): dist.version for dist in metadata.distributions()}
    differing = [
        f"{name} {installed.get(name, 'missing')} instead of {version}"
        for name, version in sorted(wanted.items())
        if installed.get(name) != version
    ]
    if differing:
        shown = "; ".join(differing[:3]) + (f" and {len(differing) - 3} more" if len(differing) > 3 else "")
        return wrong("dependencies", lock, f"not as locked: {shown}", "make setup")
    return good("dependencies", f"{len(wanted)} locked", lock)


def packages() -> Part:
    """Debian packages from the list that set-up installs."""
    wanted = control_machine.wanted_packages()
    if shutil.which("dpkg-query") is None:
        return good("system packages", "", "no dpkg: only the programs themselves are checked")
    missing = control_machine.missing_packages(wanted)
    if missing:
        return absent(
            "system packages", "missing: " + " ".join(missing), control_machine.install_command(missing)
        )
    return good("system packages", f"{len(wanted)} installed", "dpkg")


def podman() -> Part:
    """Podman, and the programs it calls for networks."""
    path = shutil.which("podman")
    if path is None:
        return absent("podman", "is not on PATH", control_machine.install_command(["podman"]))
    version = program_version(path, "--version")
    if version is None or version < LOWEST_PODMAN:
        return wrong(
            "podman",
            path,
            f"is older than {show(LOWEST_PODMAN)}",
            "install a newer podman",
            version=show(version),
        )
    programs = {"netavark": "/usr/lib/podman:/usr/libexec/podman", "iptables": "/usr/sbin:/sbin"}
    missing = [
        name for name, extra in programs.items() if not (shutil.which(name) or shutil.which(name, path=extra))
    ]
    if missing:
        # netavark without iptables reports itself as missing.
        return wrong(
            "podman",
            path,
            "networks need " + ", ".join(missing),
            control_machine.install_command(missing),
            version=show(version),
        )
    return good("podman", show(version), path)


def runtime(proven: str) -> Part:
    """The OCI runtime that booted a server during set-up."""
    there = container_runtime.installed()
    if not there:
        return absent(
            "container runtime",
            "neither runc nor crun is installed",
            control_machine.install_command(["runc"]),
        )
    if not proven:
        return wrong("container runtime", ", ".join(there), "not yet proven by a boot", SET_UP)
    if proven not in there:
        return absent(
            "container runtime",
            f"{proven}, which was proven, is gone",
            control_machine.install_command([proven]),
        )
    return good("container runtime", "", f"{proven} (booted a server during set-up)")


def image() -> Part:
    """The base image in Podman's storage."""
    tag = recipe.image_tag()
    try:
        there = base_image.exists()
    except StewardError:
        there = False
    if there:
        return good("base image", recipe.image_digest()[:12], tag)
    return absent("base image", "is not in Podman's storage", SET_UP, where=tag)


def inotify(path: Path = control_machine.INOTIFY) -> Part:
    """The kernel's limit of inotify instances; too low, and servers hang while they boot."""
    limit = control_machine.inotify_limit(path)
    wanted = control_machine.INOTIFY_WANTED
    if limit is None:
        return good("inotify", "", "this kernel has no such limit")
    if limit < wanted:
        problem = f"max_user_instances is {limit}; about {limit // 5} servers can boot"
        return wrong(
            "inotify",
            path,
            problem,
            f"sudo sysctl fs.inotify.max_user_instances={wanted}",
            version=str(limit),
        )
    return good("inotify", str(limit), path)


def ssh() -> Part:
    """The SSH client and its key generator."""
    missing = [name for name in ("ssh", "ssh-keygen") if shutil.which(name) is None]
    if missing:
        return absent(
            "ssh", "not on PATH: " + ", ".join(missing), control_machine.install_command(["openssh-client"])
        )
    path = str(shutil.which("ssh"))
    return good("ssh", show(program_version(path, "-V")), path)


def state_folder(home: Path) -> Part:
    """STEWARD_HOME: ours alone, and writable."""
    if not home.exists():
        return Part(name="state", found=False, where=f"{home} (made by the first run)")
    if not home.is_dir():
        return wrong("state", home, "is no folder", "set STEWARD_HOME to a folder")
    mode = stat.S_IMODE(home.stat().st_mode)
    if mode & 0o077:
        return wrong("state", home, f"others may read it (mode {mode:04o})", f"chmod 700 {home}")
    if not os.access(home, os.W_OK | os.X_OK):
        return wrong("state", home, "is not writable", f"sudo chown -R $USER {home}")
    return good("state", "", home)


def disk(cache: Path) -> Part:
    """Free space where the cache lies; the image, builds and a few servers need some gigabytes."""
    there = next(folder for folder in (cache, *cache.parents) if folder.exists())
    free = shutil.disk_usage(there).free / 2**30
    if free < FREE_GIB_WANTED:
        return wrong(
            "disk",
            there,
            f"{free:.1f} GiB free, {FREE_GIB_WANTED} wanted",
            "free some space, or set STEWARD_CACHE",
        )
    return good("disk", f"{free:.0f} GiB free", there)
