#!/usr/bin/python
"""Ansible module: learn in one quick look what a role would otherwise start slow modules for.

Opening the package cache costs `apt` half a second on every converge, only to find that nothing is missing.
The package database itself says that in milliseconds; `apt` then runs where there is something to do.
"""

from __future__ import annotations

DOCUMENTATION = r"""
module: steward_probe
short_description: Learn quickly which packages are missing and how old the package lists are
description:
  - Reads the dpkg database, package lists, the group file, paths, firewall tables, connections, and
    what the kernel lets this host do, memory. Changes nothing.
options:
  packages:
    description: Packages that should be installed.
    type: list
    elements: str
    default: []
  paths:
    description: Paths that should exist.
    type: list
    elements: path
    default: []
  group:
    description: Group whose members are listed.
    type: str
  tables:
    description: Firewall tables of family inet, each with the file that says what was loaded.
    type: dict
    default: {}
  unwanted:
    description: Packages that should not be installed.
    type: list
    elements: str
    default: []
  where_possible:
    description: Packages by what the kernel must allow; C(audit), C(clock), C(apparmor) or C(journal).
    type: dict
    default: {}
  ssh_file:
    description: File of SSH settings that sshd should read before all others.
    type: path
  ssh_openings:
    description: Addresses or networks from which SSH will be reachable.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Look at the host
  steward_probe:
    packages: [nginx]
  register: seen
"""

RETURN = r"""
missing: {description: Packages that are not fully installed., returned: always, type: list}
absent: {description: Paths that do not exist., returned: always, type: list}
lists_stale: {description: Whether the package lists are absent or a day old., returned: always, type: bool}
memory_mib: {description: Memory of the host., returned: always, type: int}
members: {description: Members of the group, if it exists., returned: always, type: list}
tables_changed: {description: Tables that are not loaded as they were., returned: always, type: list}
wanted: {description: Packages that should be installed on this host., returned: always, type: list}
present: {description: Unwanted packages that are installed., returned: always, type: list}
interrupted: {description: Whether an installation broke off half way., returned: always, type: bool}
refused: {description: By name why the kernel does not let this host do it., returned: always, type: dict}
ssh_first: {description: Whether the file of SSH settings is read first., returned: always, type: bool}
ssh_admitted: {description: Whether who speaks SSH to us now could do so again., returned: always, type: bool}
ssh_peers: {description: Who speaks SSH to this host now., returned: always, type: list}
"""

import grp
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ansible.module_utils import steward_kernel, steward_ssh
from ansible.module_utils.basic import AnsibleModule

STATUS = Path("/var/lib/dpkg/status")
JOURNAL = Path("/var/lib/dpkg/updates")
LISTS = Path("/var/lib/apt/lists")
A_DAY = 86400.0  # seconds
SSH_PORT = 22
REFUSALS = {
    "audit": steward_kernel.audit_refusal,
    "clock": steward_kernel.clock_refusal,
    "apparmor": steward_kernel.apparmor_refusal,
    "journal": steward_kernel.journal_refusal,
}


def installed(lines: Iterable[str]) -> set[str]:
    """Names of the packages that a dpkg status file calls installed."""
    names: set[str] = set()
    name = ""
    for line in lines:
        if line.startswith("Package: "):
            name = line[9:].strip()
        elif line.startswith("Status: ") and line.rstrip().endswith(" ok installed"):
            names.add(name)
    return names


def interrupted(lines: Iterable[str], journal: Path) -> bool:
    """Whether dpkg was ended in the middle of its work: a package half way, or entries in its journal."""
    half = ("half-installed", "half-configured", "unpacked", "triggers-awaited", "triggers-pending")
    if any(line.startswith("Status: ") and line.split()[-1] in half for line in lines):
        return True
    return journal.is_dir() and any(name.isdigit() for name in os.listdir(journal))


def lists_stale(folder: Path, now: float) -> bool:
    """Whether there are no package lists, or the last update is over a day ago.

    The files carry the archive's dates; the folder `partial` is touched by every update, but it comes with
    an image that has no lists, so both are asked.
    """
    try:
        names = os.listdir(folder)
        touched = (folder / "partial").stat().st_mtime
    except FileNotFoundError:
        return True
    return not any(name.endswith("_InRelease") for name in names) or now - touched > A_DAY


def members(group: str | None) -> list[str]:
    """Members of a group, sorted; none when there is no such group."""
    if not group:
        return []
    try:
        return sorted(grp.getgrnam(group).gr_mem)
    except KeyError:
        return []


def tables_changed(module: AnsibleModule, tables: dict[str, str]) -> list[str]:
    """Firewall tables that are gone, or not as the file beside them says they were loaded."""
    changed = []
    for table, path in tables.items():
        code, said, _ = module.run_command(["nft", "--stateless", "list", "table", "inet", table])
        try:
            as_loaded = Path(path).read_text(encoding="utf-8")
        except OSError:
            as_loaded = ""
        if code != 0 or said != as_loaded:
            changed.append(table)
    return changed


def memory_mib(lines: Iterable[str]) -> int:
    """Memory of the host by /proc/meminfo, which counts in KiB."""
    return next((int(line.split()[1]) // 1024 for line in lines if line.startswith("MemTotal:")), 0)


def reach(ssh_file: str | None, openings: list[str]) -> dict[str, Any]:
    """How this host is reached by SSH, and whether it still would be."""
    if not ssh_file:
        return {"ssh_first": True, "ssh_admitted": True, "ssh_peers": []}
    tables: list[str] = []
    for path in ("/proc/net/tcp", "/proc/net/tcp6"):
        if os.path.exists(path):
            tables += Path(path).read_text(encoding="utf-8").splitlines()[1:]
    found = steward_ssh.peers(tables, SSH_PORT)
    return {
        "ssh_first": not os.path.exists(steward_ssh.CONFIG) or steward_ssh.comes_first(ssh_file),
        "ssh_admitted": steward_ssh.admits(openings, found),
        "ssh_peers": [str(each) for each in found],
    }


def argument_spec() -> dict[str, Any]:
    """The options of DOCUMENTATION, as Ansible checks them."""
    names = {"type": "list", "elements": "str", "default": []}
    return {
        "packages": names,
        "paths": {"type": "list", "elements": "path", "default": []},
        "group": {"type": "str"},
        "tables": {"type": "dict", "default": {}},
        "unwanted": names,
        "where_possible": {"type": "dict", "default": {}},
        "ssh_file": {"type": "path"},
        "ssh_openings": names,
    }


def main() -> None:
    """Look, and report."""
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    asked = module.params
    lines = STATUS.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
    present = installed(lines)
    refused = {name: REFUSALS[name]() for name in asked["where_possible"]}
    wanted = [*asked["packages"]]
    for name, packages in asked["where_possible"].items():
        wanted += packages if not refused[name] else []
    module.exit_json(
        changed=False,
        wanted=wanted,
        missing=sorted(set(wanted) - present),
        present=sorted(set(asked["unwanted"]) & present),
        interrupted=interrupted(lines, JOURNAL),
        refused=refused,
        absent=[path for path in asked["paths"] if not os.path.lexists(path)],
        lists_stale=lists_stale(LISTS, time.time()),
        members=members(asked["group"]),
        memory_mib=memory_mib(Path("/proc/meminfo").read_text(encoding="ascii").splitlines()),
        tables_changed=tables_changed(module, asked["tables"]),
        **reach(asked["ssh_file"], asked["ssh_openings"]),
    )


if __name__ == "__main__":
    main()
