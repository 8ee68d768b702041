#!/usr/bin/python
"""Ansible module: packages of a role installed at the version that is pinned, and held there.

One look at dpkg's own database says on most converges that nothing is to be done; apt starts only where
something is. A pinned version goes into apt's preferences, so that every later apt obeys it too.
"""

from __future__ import annotations

DOCUMENTATION = r"""
module: steward_packages
short_description: Install packages, pinned and held
description:
  - Installs what is missing, brings a pinned source package to its version, and holds what is named.
  - A hold keeps a package where it is until `steward patch` upgrades it in the service's window.
options:
  role:
    description: Name of the role; its pin is C(/etc/apt/preferences.d/steward-ROLE).
    type: str
    required: true
  packages:
    description: Packages that must be installed.
    type: list
    elements: str
    required: true
  held:
    description: Those of them that are pinned and held.
    type: list
    elements: str
    default: []
  source:
    description: Source package that the version belongs to; all packages built from it stay together.
    type: str
    required: true
  version:
    description: Version that must be installed, or its beginning and C(*); empty takes what apt offers first.
    type: str
    default: ""
  lock_seconds:
    description: How long apt waits for another program that holds its lock.
    type: int
    default: 300
"""

EXAMPLES = r"""
- name: Install the web server
  steward_packages:
    role: nginx
    packages: [nginx]
    held: [nginx]
    source: nginx
    version: 1.22.*
"""

RETURN = r"""
installed: {description: Packages that were missing before., returned: always, type: list, elements: str}
moved: {description: Packages that were at another version., returned: always, type: list, elements: str}
held: {description: Packages that were not held before., returned: always, type: list, elements: str}
versions: {description: Versions of the held packages as they were found., returned: always, type: dict}
"""

import fnmatch
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

STATUS = Path("/var/lib/dpkg/status")
PREFERENCES = "/etc/apt/preferences.d/steward-%s"
APT = [
    "apt-get", "-qq", "--yes", "--no-install-recommends", "--allow-change-held-packages", "--allow-downgrades",
    "-o", "Acquire::Retries=3", "-o", "Dpkg::Options::=--force-confdef", "-o", "Dpkg::Options::=--force-confold",
]  # fmt: skip


def known(lines: Iterable[str]) -> dict[str, tuple[str, bool]]:
    """Version and hold of every package that a dpkg status file calls installed."""
    found: dict[str, tuple[str, bool]] = {}
    name, status = "", ""
    for line in lines:
        if line.startswith("Package: "):
            name, status = line[9:].strip(), ""
        elif line.startswith("Status: "):
            status = line[8:].strip()
        elif line.startswith("Version: ") and status.endswith(" ok installed"):
            found[name] = (line[9:].strip(), status.startswith("hold "))
    return found


def look() -> dict[str, tuple[str, bool]]:
    """What is installed on this host now."""
    with STATUS.open(encoding="utf-8", errors="replace") as lines:
        return known(lines)


def pin(source: str, version: str) -> str:
    """The preferences that keep every package of a source at one version, also against newer ones."""
    return f"# Steward\nPackage: src:{source}\nPin: version {version}\nPin-Priority: 1001\n"


def differs(path: str, wanted: str) -> bool:
    """Whether the preferences file is not as wanted; '' wants none."""
    try:
        return Path(path).read_text(encoding="utf-8") != wanted
    except FileNotFoundError:
        return bool(wanted)


def write(path: str, wanted: str) -> None:
    """Put the preferences in place, or away."""
    if not wanted:
        os.unlink(path)
        return
    temporary = f"{path}.new"
    Path(temporary).write_text(wanted, encoding="utf-8")
    os.chmod(temporary, 0o644)
    os.replace(temporary, path)


def call(module: AnsibleModule, argv: list[str], failed: str, given: str | None = None) -> None:
    """Run apt or dpkg; what it says ends the task."""
    environment = {"DEBIAN_FRONTEND": "noninteractive"}
    code, out, err = module.run_command(argv, environ_update=environment, data=given)
    if code != 0:
        module.fail_json(msg=f"{failed}: {(err or out).strip()[-1500:]}")


def available(module: AnsibleModule, package: str) -> str:
    """The versions that apt could install, for a message."""
    _, out, _ = module.run_command(["apt-cache", "madison", package])
    versions = [line.split("|")[1].strip() for line in out.splitlines() if line.count("|") >= 2]
    return ", ".join(dict.fromkeys(versions)) or "none"


def require_version(module: AnsibleModule, names: list[str], version: str) -> None:
    """After apt: a pinned package that is elsewhere means that no source offers the version."""
    now = look()
    for name in names:
        if not fnmatch.fnmatchcase(now.get(name, ("nothing", False))[0], version):
            module.fail_json(
                msg=f"{name}: version {version} is asked for and {now.get(name, ('nothing', False))[0]} is installed; "
                f"apt offers {available(module, name)}"
            )


def converge(module: AnsibleModule, plan: dict[str, Any]) -> None:
    """Write the pin, install, hold."""
    options = module.params
    if plan["pin_changed"]:
        write(PREFERENCES % options["role"], plan["pin"])
    if plan["missing"] or plan["moved"]:
        names = sorted({*plan["missing"], *plan["moved"]})
        wait = ["-o", f"DPkg::Lock::Timeout={options['lock_seconds']}"]
        call(module, [*APT, *wait, "install", *names], f"apt could not install {', '.join(names)}")
    if options["version"]:
        require_version(module, options["held"], options["version"])
    now = look()
    loose = [name for name in options["held"] if not now.get(name, ("", True))[1]]
    if loose:
        # What apt-mark does, without building apt's cache of all package lists first.
        wishes = "".join(f"{name} hold\n" for name in loose)
        call(module, ["dpkg", "--set-selections"], f"dpkg could not hold {', '.join(loose)}", wishes)


def main() -> None:
    """Look, act on what differs, report."""
    names = {"type": "list", "elements": "str"}
    spec = {
        "role": {"type": "str", "required": True},
        "packages": {**names, "required": True},
        "held": {**names, "default": []},
        "source": {"type": "str", "required": True},
        "version": {"type": "str", "default": ""},
        "lock_seconds": {"type": "int", "default": 300},
    }
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)
    options, seen = module.params, look()
    wanted = pin(options["source"], options["version"]) if options["version"] else ""
    missing = [name for name in options["packages"] if name not in seen]
    moved = [
        name for name in options["held"]
        if name in seen and options["version"] and not fnmatch.fnmatchcase(seen[name][0], options["version"])
    ]  # fmt: skip
    loose = [name for name in options["held"] if not seen.get(name, ("", False))[1]]
    plan = {
        "pin": wanted,
        "pin_changed": differs(PREFERENCES % options["role"], wanted),
        "missing": missing,
        "moved": moved,
    }
    changed = bool(plan["pin_changed"] or missing or moved or loose)
    if changed and not module.check_mode:
        converge(module, plan)
    module.exit_json(
        changed=changed,
        installed=missing,
        moved=moved,
        held=loose,
        versions={name: seen[name][0] for name in options["held"] if name in seen},
    )


if __name__ == "__main__":
    main()
