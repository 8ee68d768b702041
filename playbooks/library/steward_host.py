#!/usr/bin/python
"""Ansible module: bring kernel settings, mounts, accounts, permissions and PAM of a host to their state.

Each is many small things that are nearly always as they should be; here all of them cost one round trip. What
the kernel refuses is found by trying it, and recorded on the host with the kernel's own reason.
"""

from __future__ import annotations

DOCUMENTATION = r"""
module: steward_host
short_description: Bring kernel settings, mounts, accounts, permissions and PAM to their state at once
description:
  - Corrects what differs. What the kernel refuses is no failure; it goes into the record with its reason.
options:
  sysctl:
    description: Kernel settings by name, as they must be now and after a boot.
    type: dict
    default: {}
  sysctl_file:
    description: File that sets them at boot; must be read after all others.
    type: path
    required: true
  unloaded:
    description: Kernel modules that must not be loaded.
    type: list
    elements: str
    default: []
  mounts:
    description: Folders by mount point with the options that they must have.
    type: dict
    default: {}
  login_accounts:
    description: Accounts of the system that keep their shell.
    type: list
    elements: str
    default: []
  admin:
    description: Account that the control machine uses; its password never grows old.
    type: str
    required: true
  uid_min:
    description: Lowest number of an account of a person.
    type: int
    default: 1000
  modes:
    description: Files by shell pattern, with their owner and the most permissions that they may have.
    type: list
    elements: dict
    default: []
    suboptions:
      path: {description: Absolute path or shell pattern., type: str, required: true}
      mode: {description: Octal permissions; bits beyond these are taken away., type: str, required: true}
      owner: {description: Name of the owner., type: str}
      group: {description: Name of the group; root where there is no such group., type: str}
  home_mode:
    description: Most permissions of a person's home folder.
    type: str
    default: "0750"
  pam:
    description: PAM modules that must be in force, each with the profile that brings it.
    type: dict
    default: {}
  refused:
    description: What was refused already, by name with its reason; goes into the record.
    type: dict
    default: {}
  record:
    description: File that gets the record.
    type: path
    required: true
"""

EXAMPLES = r"""
- name: Hold the host
  steward_host:
    admin: steward
    sysctl: {kernel.dmesg_restrict: "1"}
    sysctl_file: /etc/sysctl.d/zz-example.conf
    record: /etc/example.json
"""

RETURN = r"""
acted: {description: What was changed or would be., returned: always, type: list, elements: str}
not_applicable: {description: By name why this host's kernel refuses it., returned: always, type: dict}
unfinished: {description: By name what the host's own files stand against., returned: always, type: dict}
"""

import json
import os
from typing import Any

from ansible.module_utils import (
    steward_accounts,
    steward_disk,
    steward_kernel,
    steward_modes,
    steward_mounts,
    steward_pam,
)
from ansible.module_utils.basic import AnsibleModule

SCHEMA = "steward.baseline/1"


class Host:
    """One run over the wanted state; in check mode it only tells what would change."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.dry = bool(module.check_mode)
        self.acted: list[str] = []
        self.refused: dict[str, str] = {str(k): str(v) for k, v in module.params["refused"].items() if v}
        self.unfinished: dict[str, str] = {}

    def kernel(self, wanted: dict[str, str], path: str) -> None:
        """Values now, and the file that sets them at boot without those that would cut the host off."""
        kept = dict(wanted)
        if self.learns_its_route():
            for name in [each for each in wanted if each.endswith(".accept_ra")]:
                self.refused[f"sysctl {name}"] = "this host's IPv6 route comes by router advertisement"
                del kept[name]
        kept = dict(sorted(kept.items(), key=lambda each: steward_kernel.order(each[0])))
        lines = [f"{name} = {value}\n" for name, value in kept.items()]
        self.own_file(path, "# Steward, role baseline.\n" + "".join(lines), 0o644)
        acted, refused = steward_kernel.settle(kept, self.dry)
        self.acted += [f"sysctl {name}" for name in acted]
        self.refused |= {f"sysctl {name}": reason for name, reason in refused.items()}

    def learns_its_route(self) -> bool:
        """Whether IPv6 here hangs on what a router says."""
        try:
            with open("/proc/net/ipv6_route", encoding="utf-8") as routes:
                return steward_kernel.learns_its_route(routes)
        except FileNotFoundError:
            return False

    def modules(self, names: list[str]) -> None:
        """Modules that are loaded already stay until the next boot; those of a shared kernel for ever."""
        for name in steward_kernel.loaded(names):
            reason = "loaded before, goes with the next boot"
            if not os.path.isdir(f"/lib/modules/{os.uname().release}"):
                reason = "loaded in a kernel whose modules are not this host's"
            self.refused[f"module {name}"] = reason

    def mounts(self, wanted: dict[str, list[str]]) -> None:
        """Options now, and in fstab where the kernel takes them."""
        fstab = (
            steward_disk.read(steward_mounts.FSTAB).decode() if os.path.exists(steward_mounts.FSTAB) else ""
        )
        text = fstab
        for path, options in wanted.items():
            changed, reason, kind = steward_mounts.restrict(path, options, self.dry)
            if changed:
                self.acted.append(f"mount {path}")
            if reason:
                self.refused[f"mount {path}"] = reason
            else:
                text = steward_mounts.with_options(text, path, kind, options)
        if text != fstab:
            self.own_file(steward_mounts.FSTAB, text, 0o644)
            if not self.dry:
                self.run(["systemctl", "daemon-reload"])

    def accounts(self) -> None:
        """Locks, shells and ages of passwords."""
        asked = self.module.params
        passwd = steward_accounts.records(steward_disk.read("/etc/passwd").decode("utf-8", "replace"), 7)
        shadow = steward_accounts.records(steward_disk.read("/etc/shadow").decode("utf-8", "replace"), 9)
        with open("/etc/shells", encoding="utf-8") as source:
            shells = {line.strip() for line in source if line.startswith("/")}
        keep = {*asked["login_accounts"], asked["admin"]}
        by_name = {parts[0]: parts for parts in shadow}
        for argv in steward_accounts.steps(passwd, by_name, shells, keep, asked["uid_min"]):
            self.acted.append(" ".join(argv))
            if not self.dry:
                self.run(argv)

    def modes(self, items: list[dict[str, Any]], home_mode: str) -> None:
        """Owners and permissions; what is immutable is told, not fought."""
        passwd = steward_accounts.records(steward_disk.read("/etc/passwd").decode("utf-8", "replace"), 7)
        wanted = list(steward_modes.wanted_of(items))
        for path, uid in steward_accounts.homes(passwd, self.module.params["uid_min"]):
            if os.path.isdir(path):
                wanted.append((path, uid, -1, int(home_mode, 8)))
        acted, refused = steward_modes.settle(wanted, self.dry)
        self.acted += [f"mode {path}" for path in acted]
        self.unfinished |= {f"mode {path}": reason for path, reason in refused.items()}

    def pam(self, wanted: dict[str, str]) -> None:
        """PAM modules in force; common files that were changed by hand stay as they are."""
        missing = steward_pam.lacking(wanted)
        if not missing:
            return
        if not self.dry:
            reason = steward_pam.enable(missing, self.module.params["admin"], self.module.run_command)
            if reason:
                self.module.fail_json(msg=f"/etc/pam.d: taken back: {reason}")
        for profile in steward_pam.lacking(wanted) if not self.dry else []:
            text = f"/etc/pam.d/common-* were changed by hand and have no {wanted[profile]}"
            self.unfinished[f"pam {wanted[profile]}"] = text
        self.acted += [f"pam {each}" for each in missing if f"pam {wanted[each]}" not in self.unfinished]

    def own_file(self, path: str, content: str, mode: int) -> None:
        """Write a file of ours when it differs."""
        found = steward_disk.stat_of(path)
        if found is not None and steward_disk.read(path) == content.encode():
            return
        self.acted.append(path)
        if not self.dry:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            steward_disk.replace_file(path, content.encode(), mode)

    def run(self, argv: list[str]) -> None:
        """A command that must succeed."""
        code, out, err = self.module.run_command(argv)
        if code != 0:
            self.module.fail_json(msg=f"{' '.join(argv)}: {(err or out).strip()[-1000:]}")


def argument_spec() -> dict[str, Any]:
    """The options of DOCUMENTATION, as Ansible checks them."""
    names = {"type": "list", "elements": "str", "default": []}
    table = {"type": "dict", "default": {}}
    mode = {
        "path": {"type": "str", "required": True},
        "mode": {"type": "str", "required": True},
        "owner": {"type": "str"},
        "group": {"type": "str"},
    }
    return {
        "sysctl": table,
        "sysctl_file": {"type": "path", "required": True},
        "unloaded": names,
        "mounts": table,
        "login_accounts": names,
        "admin": {"type": "str", "required": True},
        "uid_min": {"type": "int", "default": 1000},
        "modes": {"type": "list", "elements": "dict", "default": [], "options": mode},
        "home_mode": {"type": "str", "default": "0750"},
        "pam": table,
        "refused": table,
        "record": {"type": "path", "required": True},
    }


def main() -> None:
    """Read the wanted state, correct what differs, write the record, and report."""
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    asked, host = module.params, Host(module)
    host.kernel({str(name): str(value) for name, value in asked["sysctl"].items()}, asked["sysctl_file"])
    host.modules(asked["unloaded"])
    host.mounts(asked["mounts"])
    host.pam(asked["pam"])
    host.accounts()
    host.modes(asked["modes"], asked["home_mode"])
    record = {"schema": SCHEMA, "not_applicable": host.refused, "unfinished": host.unfinished}
    host.own_file(asked["record"], json.dumps(record, indent=1, sort_keys=True) + "\n", 0o644)
    module.exit_json(
        changed=bool(host.acted), acted=host.acted, not_applicable=host.refused, unfinished=host.unfinished
    )


if __name__ == "__main__":
    main()
