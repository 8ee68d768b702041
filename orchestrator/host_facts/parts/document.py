"""The whole document: every section on its own, so that none that fails takes another with it."""

from __future__ import annotations

import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from orchestrator.host_facts.parts import accounts, machine, packages, services, sshd, trees
from orchestrator.host_facts.parts.reading import section

SCHEMA, VERSION = "steward.host-facts/1", 1


def collect() -> dict[str, Any]:
    """Look once at everything; each value is what was seen, or `{"unknown": why}`."""
    began = time.monotonic()
    found: dict[str, Any] = {"schema": SCHEMA, "collector": {"version": VERSION}, "root": os.geteuid() == 0}
    # Most of the time is spent waiting for other programs and for the disk.
    with ThreadPoolExecutor(max_workers=5) as pool:
        for part in pool.map(lambda read: read(), (_machine, _logins, _files, _running, _software)):
            found.update(part)
    found["took_seconds"] = round(time.monotonic() - began, 3)
    return found


def _machine() -> dict[str, Any]:
    names = ("release", "kernel", "boot", "virtualisation", "capabilities", "clock", "sysctl", "modules",
             "mounts", "audit", "apparmor", "core_dumps")  # fmt: skip
    return {name: section(getattr(machine, name)) for name in names}


def _logins() -> dict[str, Any]:
    config = section(sshd.sshd)
    names = ("accounts", "groups", "sudo", "login_defs", "pam", "banners", "shell_umask")
    return {
        "sshd": config,
        **{name: section(getattr(accounts, name)) for name in names},
        "authorized_keys": section(lambda: accounts.authorized_keys(sshd.key_files(config))),
    }


def _files() -> dict[str, Any]:
    return {
        "file_modes": section(trees.modes),
        "homes": section(trees.homes),
        "open_files": section(trees.open_files),
    }


def _running() -> dict[str, Any]:
    units = section(services.units)
    names = ("listening", "firewall", "journal", "log_rotation", "scheduling")
    found = {name: section(getattr(services, name)) for name in names}
    running = units.get("running")
    daemons = units if running is None else services.time_daemons(running)
    return {"units": units, "time_daemons": daemons, **found}


def _software() -> dict[str, Any]:
    installed = section(packages.packages)
    readable = isinstance(installed, list)
    return {
        "packages": installed,
        "upgrades": section(lambda: packages.offers(installed)) if readable else installed,
        "reboot": section(packages.reboot),
        "automatic_upgrades": section(packages.automatic_upgrades),
    }


def main() -> None:
    """Print the document; control characters and broken names leave as escapes."""
    json.dump(collect(), sys.stdout, sort_keys=True)
