"""Run on a host as root, from standard input: upgrade packages, or only say which would be.

Stays within Python's standard library and Python 3.9. One argument, JSON:
{"act": "look" | "upgrade" | "boot", "security": bool}. Prints one JSON document, `steward.host-patch/1`.
"""

import glob
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

INSTALLED = re.compile(r"^Inst (\S+) \[(\S+)\] \((\S+) ([^\[)]*)")
SECURITY = re.compile(r"-security\b|Debian-Security", re.IGNORECASE)
CONFIGURATION = ["-o", "Dpkg::Options::=--force-confdef", "-o", "Dpkg::Options::=--force-confold"]
APT = ["apt-get", "-qq", "--yes", "-o", "DPkg::Lock::Timeout=300", *CONFIGURATION]
ENVIRONMENT = {
    **os.environ,
    "DEBIAN_FRONTEND": "noninteractive",
    "LC_ALL": "C.UTF-8",
    "NEEDRESTART_SUSPEND": "1",
}
ONLY_BY_REBOOT = ("dbus.service", "dbus-broker.service", "systemd-logind.service", "init.scope")
"""Restarting them under running sessions does more harm than a reboot."""
REBOOT_FILE = "/run/reboot-required"
SECONDS = 1_500


class Failed(Exception):
    """A program that did not succeed, told in its own words."""


def call(*argv: str) -> str:
    """Output of a program that must succeed."""
    done = subprocess.run(argv, capture_output=True, text=True, timeout=SECONDS, check=False, env=ENVIRONMENT)
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip()[-1_500:]
        raise Failed(f"{' '.join(argv[:2])} failed with exit code {done.returncode}: {said}")
    return done.stdout


def versions() -> dict[str, str]:
    """Version of every installed package."""
    shown = call("dpkg-query", "--show", "--showformat", "${Package} ${Version} ${db:Status-Status}\n")
    rows = (line.split(" ") for line in shown.splitlines())
    return {row[0]: row[1] for row in rows if row[-1] == "installed"}


def due(*, security: bool) -> dict[str, dict[str, Any]]:
    """Packages that would be upgraded, held ones too; pinned versions stay, because apt itself obeys pins."""
    shown = call("apt-get", "--simulate", "upgrade", "--with-new-pkgs", "--ignore-hold")
    found = {}
    for match in filter(None, map(INSTALLED.match, shown.splitlines())):
        name, before, after, origin = match.groups()
        is_security = bool(SECURITY.search(origin))
        if is_security or not security:
            found[name] = {"package": name, "before": before, "after": after, "security": is_security}
    return found


def stale_units() -> dict[str, list[str]]:
    """Units with processes that still run a library or program that was replaced: unit -> files."""
    found: dict[str, set[str]] = {}
    for path in glob.glob("/proc/[0-9]*/maps"):
        folder = os.path.dirname(path)
        try:
            with open(path, encoding="utf-8", errors="replace") as maps:
                gone = {
                    line.split()[5]
                    for line in maps
                    if "(deleted)" in line and re.search(r" /(usr/)?(lib|s?bin)", line)
                }
            with open(f"{folder}/cgroup", encoding="utf-8") as groups:
                unit = groups.read().strip().rsplit("/", 1)[-1]
        except (OSError, IndexError):
            continue  # a process that ended meanwhile
        if gone and unit.endswith((".service", ".scope")):
            found.setdefault(unit, set()).update(gone)
    return {unit: sorted(files) for unit, files in found.items()}


def restart(units: dict[str, list[str]]) -> Iterator[str]:
    """Restart services that run what was replaced; sessions and what only a reboot renews stay."""
    for unit in sorted(units):
        if (
            unit.endswith(".service")
            and unit not in ONLY_BY_REBOOT
            and not unit.startswith(("user@", "session-"))
        ):
            call("systemctl", "restart", unit)
            yield unit


def why_reboot(units: dict[str, list[str]]) -> str:
    """Why a reboot is due, '' when none is."""
    if os.path.exists(REBOOT_FILE):
        packages = f"{REBOOT_FILE}.pkgs"
        if os.path.exists(packages):
            with open(packages, encoding="utf-8") as file:
                return f"asked for by {', '.join(sorted(set(file.read().split()))[:5])}"
        return f"{REBOOT_FILE} exists"
    stuck = [unit for unit in ONLY_BY_REBOOT if unit in units]
    return f"{', '.join(stuck)} still run what was replaced" if stuck else ""


def boot() -> str:
    """Says one boot from another, in a container too, which shares the kernel's boot id."""
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        kernel = file.read().strip()
    with open("/proc/1/stat", encoding="utf-8") as file:
        started = file.read().rsplit(")", 1)[1].split()[19]
    return f"{kernel} {started}"


def upgrade(wanted: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Upgrade what is due, hold again what was held, and tell every package that changed."""
    before, held = versions(), call("apt-mark", "showhold").split()
    if not wanted:
        return []
    exact = [f"{name}={change['after']}" for name, change in sorted(wanted.items())]
    try:
        call(*APT, "--only-upgrade", "--allow-change-held-packages", "install", *exact)
    finally:
        if held:
            call("apt-mark", "hold", *held)
    after = versions()
    return [
        {
            "package": name,
            "before": before.get(name, ""),
            "after": version,
            "security": wanted.get(name, {}).get("security", False),
        }
        for name, version in sorted(after.items())
        if before.get(name) != version
    ]


def answer(asked: dict[str, Any]) -> dict[str, Any]:
    """Do what is asked."""
    if asked["act"] == "boot":
        return {"boot": boot()}
    call("dpkg", "--configure", "--pending")  # an upgrade that was interrupted is finished first
    call(*APT, "update")
    wanted = due(security=asked["security"])
    if asked["act"] == "look":
        return {"changes": list(wanted.values()), "reboot": why_reboot(stale_units()), "boot": boot()}
    changes = upgrade(wanted)
    restarted = list(restart(stale_units()))
    return {"changes": changes, "restarted": restarted, "reboot": why_reboot(stale_units()), "boot": boot()}


def main() -> None:
    """Answer once."""
    try:
        told = answer(json.loads(sys.argv[1]))
    except (Failed, OSError, subprocess.SubprocessError) as problem:
        told = {"problem": str(problem)[-3_000:]}
    json.dump({"schema": "steward.host-patch/1", **told}, sys.stdout)


if __name__ == "__main__":
    main()
