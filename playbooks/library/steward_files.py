#!/usr/bin/python
"""Ansible module: bring a role's folders and files to their wanted state in one round trip.

A role of ours writes about ten small files. Through `copy` and `template` each costs two module runs on the
host; here all of them cost one, and every file is checked by its own program before it replaces the old one.
"""

from __future__ import annotations

DOCUMENTATION = r"""
module: steward_files
short_description: Bring folders and files to their wanted state in one round trip
description:
  - Writes whole files atomically, each validated before it replaces what is there.
  - Makes folders, removes paths, and removes files of a folder that are no longer wanted.
options:
  directories:
    description: Folders that must exist, parents before children.
    type: list
    elements: dict
    default: []
    suboptions:
      path: {description: Absolute path., type: path, required: true}
      owner: {description: Name of the owner., type: str, default: root}
      group: {description: Name of the group., type: str, default: root}
      mode: {description: Octal permissions., type: str, default: "0755"}
  files:
    description: Files that must exist with exactly this content.
    type: list
    elements: dict
    default: []
    suboptions:
      path: {description: Absolute path., type: path, required: true}
      content: {description: The whole content., type: str, required: true}
      owner: {description: Name of the owner., type: str, default: root}
      group: {description: Name of the group., type: str, default: root}
      mode: {description: Octal permissions., type: str, default: "0644"}
      validate:
        description: Program and arguments that must accept the new file; C(%s) stands for its path.
        type: list
        elements: str
        default: []
      initial: {description: Whether a file that is there keeps its content., type: bool, default: false}
  edits:
    description: Lines that a file of somebody else must have; a file that is not there is left out.
    type: list
    elements: dict
    default: []
    suboptions:
      path: {description: Absolute path., type: path, required: true}
      match: {description: Pattern of the lines that are replaced., type: str, required: true}
      line: {description: The line., type: str, required: true}
      at: {description: Where it goes when no line matches., type: str, choices: [first, last], default: last}
      validate:
        description: Program and arguments that must accept the new file; C(%s) stands for its path.
        type: list
        elements: str
        default: []
  absent:
    description: Files or links that must not exist.
    type: list
    elements: path
    default: []
  only:
    description: Folders in which files of a pattern may exist only if they are listed here.
    type: list
    elements: dict
    default: []
    suboptions:
      directory: {description: Absolute path., type: path, required: true}
      pattern: {description: Shell pattern of the file names that are judged., type: str, required: true}
      keep: {description: File names that stay., type: list, elements: str, required: true}
"""

EXAMPLES = r"""
- name: Write the configuration
  steward_files:
    directories:
      - path: /etc/example
    files:
      - path: /etc/example/main.conf
        content: "{{ lookup('ansible.builtin.template', 'main.conf.j2') }}"
        validate: [/usr/sbin/example, --check, "%s"]
"""

RETURN = r"""
written: {description: Paths that were made or changed., returned: always, type: list, elements: str}
removed: {description: Paths that were removed., returned: always, type: list, elements: str}
"""

import fnmatch
import grp
import os
import pwd
import stat
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.steward_disk import attributes, read, stat_of
from ansible.module_utils.steward_staging import Staging
from ansible.module_utils.steward_text import edited

LONGEST_DIFF = 64 * 1024


class Converge(Staging):
    """One run over the wanted state; `dry` only tells what would change."""

    def __init__(self, module: AnsibleModule) -> None:
        super().__init__(module)
        self.written: list[str] = []
        self.removed: list[str] = []
        self.diffs: list[dict[str, str]] = []

    def owner_of(self, item: dict[str, Any]) -> tuple[int, int]:
        """Numeric owner and group; in a dry run names that are not made yet count as root."""
        try:
            return pwd.getpwnam(item["owner"]).pw_uid, grp.getgrnam(item["group"]).gr_gid
        except KeyError as problem:
            if self.dry:
                return 0, 0
            self.module.fail_json(msg=f"{item['path']}: owner or group is not on this host: {problem}")
            raise

    def directory(self, item: dict[str, Any]) -> None:
        """Make one folder and set its owner and permissions."""
        path, mode = item["path"], int(item["mode"], 8)
        uid, gid = self.owner_of(item)
        found = stat_of(path)
        if found is not None and not stat.S_ISDIR(found.st_mode):
            self.module.fail_json(msg=f"{path}: must be a folder, and something else is there")
        if found is not None and attributes(found) == (uid, gid, mode):
            return
        self.written.append(path)
        if self.dry:
            return
        self.unlock(path if found else os.path.dirname(path))
        if found is None:
            os.makedirs(path, mode=0o700, exist_ok=True)
        os.chown(path, uid, gid)
        os.chmod(path, mode)

    def file(self, item: dict[str, Any]) -> None:
        """Write one file when content, owner or permissions differ."""
        path, mode = item["path"], int(item["mode"], 8)
        wanted = item["content"].encode()
        uid, gid = self.owner_of(item)
        found = stat_of(path)
        if found is not None and stat.S_ISDIR(found.st_mode):
            self.module.fail_json(msg=f"{path}: must be a file, and a folder is there")
        regular = found is not None and stat.S_ISREG(found.st_mode)
        before = read(path) if regular else None
        if item["initial"] and before is not None:
            wanted = before
        if before == wanted and found is not None and attributes(found) == (uid, gid, mode):
            return
        self.written.append(path)
        self.tell_difference(path, before, wanted)
        if before != wanted:
            self.stage(path, wanted, (uid, gid, mode), item["validate"])
        elif not self.dry:
            self.unlock(path)
            os.chown(path, uid, gid)
            os.chmod(path, mode)

    def edit(self, path: str, items: list[dict[str, Any]]) -> None:
        """Bring single lines of somebody else's file to their state; owner and permissions stay."""
        found = stat_of(path)
        if found is None or not stat.S_ISREG(found.st_mode):
            return
        before = read(path)
        wanted = edited(before.decode("utf-8", "surrogateescape"), items).encode("utf-8", "surrogateescape")
        if before == wanted:
            return
        self.written.append(path)
        self.tell_difference(path, before, wanted)
        validate = next((item["validate"] for item in items if item["validate"]), [])
        self.stage(path, wanted, attributes(found), validate)

    def remove(self, path: str) -> None:
        """Remove one file or link that must not be there."""
        found = stat_of(path)
        if found is None:
            return
        if stat.S_ISDIR(found.st_mode):
            self.module.fail_json(msg=f"{path}: a folder is there; only files and links are removed")
        self.removed.append(path)
        if not self.dry:
            self.unlock(os.path.dirname(path))
            self.unlock(path)
            os.unlink(path)

    def only(self, item: dict[str, Any]) -> None:
        """Remove the files of a folder that match the pattern and are not to be kept."""
        if not os.path.isdir(item["directory"]):
            return
        for name in sorted(os.listdir(item["directory"])):
            if fnmatch.fnmatchcase(name, item["pattern"]) and name not in item["keep"]:
                self.remove(os.path.join(item["directory"], name))

    def tell_difference(self, path: str, before: bytes | None, after: bytes) -> None:
        """Keep a bounded text difference for `--diff`; Ansible hides it where the task says no_log."""
        self.diffs.append(
            {
                "before_header": path,
                "after_header": path,
                "before": (before or b"")[:LONGEST_DIFF].decode("utf-8", "replace"),
                "after": after[:LONGEST_DIFF].decode("utf-8", "replace"),
            }
        )


def argument_spec() -> dict[str, Any]:
    """The options of DOCUMENTATION, as Ansible checks them."""
    owned = {
        "path": {"type": "path", "required": True},
        "owner": {"type": "str", "default": "root"},
        "group": {"type": "str", "default": "root"},
    }
    files = {
        **owned,
        "content": {"type": "str", "required": True},
        "mode": {"type": "str", "default": "0644"},
        "validate": {"type": "list", "elements": "str", "default": []},
        "initial": {"type": "bool", "default": False},
    }
    edits = {
        "path": {"type": "path", "required": True},
        "match": {"type": "str", "required": True},
        "line": {"type": "str", "required": True},
        "at": {"type": "str", "choices": ["first", "last"], "default": "last"},
        "validate": {"type": "list", "elements": "str", "default": []},
    }
    only = {
        "directory": {"type": "path", "required": True},
        "pattern": {"type": "str", "required": True},
        "keep": {"type": "list", "elements": "str", "required": True},
    }
    return {
        "directories": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": {**owned, "mode": {"type": "str", "default": "0755"}},
        },
        "files": {"type": "list", "elements": "dict", "default": [], "options": files},
        "edits": {"type": "list", "elements": "dict", "default": [], "options": edits},
        "absent": {"type": "list", "elements": "path", "default": []},
        "only": {"type": "list", "elements": "dict", "default": [], "options": only},
    }


def main() -> None:
    """Read the wanted state, converge, and report what was touched."""
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    run = Converge(module)
    edits: dict[str, list[dict[str, Any]]] = {}
    for item in module.params["edits"]:
        edits.setdefault(item["path"], []).append(item)
    try:
        for item in module.params["directories"]:
            run.directory(item)
        for item in module.params["files"]:
            run.file(item)
        for path, items in edits.items():
            run.edit(path, items)
        run.commit()
        for path in module.params["absent"]:
            run.remove(path)
        for item in module.params["only"]:
            run.only(item)
    finally:
        run.discard()
        run.relock()
    module.exit_json(
        changed=bool(run.written or run.removed), written=run.written, removed=run.removed, diff=run.diffs
    )


if __name__ == "__main__":
    main()
