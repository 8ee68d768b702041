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
  - Reads the dpkg database, the folder of package lists, the group file, paths and firewall tables. Changes nothing.
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
"""

EXAMPLES = r"""
- name: Look at the host
  steward_probe:
    packages: [nginx]
  register: seen
"""

RETURN = r"""
missing: {description: Packages that are not fully installed., returned: always, type: list, elements: str}
absent: {description: Paths that do not exist., returned: always, type: list, elements: str}
interrupted: {description: Whether an installation broke off and must be finished., returned: always, type: bool}
lists_stale: {description: Whether the package lists are absent or a day old., returned: always, type: bool}
members: {description: Members of the group, if it exists., returned: always, type: list, elements: str}
tables_changed: {description: Tables that are not loaded as they were., returned: always, type: list, elements: str}
"""

import grp
import os
import time
from collections.abc import Iterable
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

STATUS = Path("/var/lib/dpkg/status")
JOURNAL = Path("/var/lib/dpkg/updates")
LISTS = Path("/var/lib/apt/lists")
A_DAY = 86400.0  # seconds


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


def main() -> None:
    """Look, and report."""
    options = {
        "packages": {"type": "list", "elements": "str", "default": []},
        "paths": {"type": "list", "elements": "path", "default": []},
        "group": {"type": "str"},
        "tables": {"type": "dict", "default": {}},
    }
    module = AnsibleModule(argument_spec=options, supports_check_mode=True)
    lines = STATUS.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
    present = installed(lines)
    module.exit_json(
        changed=False,
        missing=sorted(set(module.params["packages"]) - present),
        absent=[path for path in module.params["paths"] if not os.path.lexists(path)],
        interrupted=interrupted(lines, JOURNAL),
        lists_stale=lists_stale(LISTS, time.time()),
        members=members(module.params["group"]),
        tables_changed=tables_changed(module, module.params["tables"]),
    )


if __name__ == "__main__":
    main()
