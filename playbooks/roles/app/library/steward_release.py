#!/usr/bin/python
"""Ansible module: put a release of an application in place, and back when it does not become healthy.

A release is one folder: code, environment and start command; `current` points to one of them, so going back
restores all three at once.
"""

from __future__ import annotations

DOCUMENTATION = r"""
module: steward_release
short_description: Unpack, build, switch to and check a release of an application; roll back when it is not healthy
options:
  name: {description: Name of the application; account and unit are app-NAME., type: str, required: true}
  label: {description: What people call the release., type: str, required: true}
  archive: {description: Path on this host of the tarball with the code., type: path, required: true}
  sha256: {description: Digest of the tarball., type: str, required: true}
  command: {description: Program and arguments., type: list, elements: str, required: true}
  given: {description: Environment variables that are no secret., type: dict, default: {}}
  environment: {description: Environment variables over those; may be secret., type: dict, default: {}}
  build: {description: Commands run once in a new release as the application's account., type: list, elements: list, default: []}
  keep: {description: Releases that stay on disk., type: int, default: 5}
  restart: {description: Whether the unit changed., type: bool, default: false}
  drain_seconds: {description: How long a stop waits for requests that are being answered., type: int, default: 0}
  health:
    description: How to see that it works. Without a port the unit must stay up for the time.
    type: dict
    required: true
    options:
      port: {description: Port of the HTTP request., type: int, default: 0}
      path: {description: Path of the request., type: str, default: /}
      expect: {description: Status of a healthy answer., type: int, default: 200}
      seconds: {description: How long it may take., type: int, default: 30}
"""

EXAMPLES = r"""
- name: Put the release in place
  steward_release:
    name: shop
    label: v1.2.0
    archive: /opt/shop/archive.tar
    sha256: "{{ digest }}"
    command: [python3, server.py]
    health: {port: 8000}
"""

RETURN = r"""
release: {description: Folder of the release that serves now., returned: always, type: str}
rolled_back: {description: Whether an earlier release was put back., returned: always, type: bool}
"""

import grp
import hashlib
import json
import os
import re
import shlex
import shutil
import time
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.steward_release_files import (
    flatten,
    give_to_root,
    private,
    quoted,
    sha256_of,
)
from ansible.module_utils.steward_release_unit import Unit

ROOT = Path("/opt")


class Deployment:
    """One application on this host."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.wanted = module.params
        self.name = str(module.params["name"])
        self.account = f"app-{self.name}"
        self.unit = Unit(module, f"{self.account}.service")
        self.folder = ROOT / self.name
        self.releases = self.folder / "releases"
        self.link = self.folder / "current"
        self.proving = self.folder / "proving"
        """While it is there, `current` was not yet seen healthy; it names the release before it."""

    def digest(self) -> str:
        """Of everything that makes this release what it is."""
        parts = {key: self.wanted[key] for key in ("sha256", "command", "given", "environment", "build")}
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def record(self, release: Path) -> dict[str, Any]:
        """What a release says of itself; nothing for one that was not finished."""
        try:
            found = json.loads((release / "release.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def all(self) -> list[Path]:
        """Finished releases, oldest first."""
        return [path for path in sorted(self.releases.glob("[0-9]*")) if self.record(path)]

    def current(self) -> Path | None:
        """The release that serves."""
        path = self.link.resolve()
        return path if self.link.is_symlink() and path.is_dir() else None

    def find(self, digest: str) -> Path | None:
        """A good release with exactly this content."""
        known = {path: self.record(path) for path in self.all()}
        good = [path for path, told in known.items() if told["digest"] == digest and not told.get("failed")]
        return good[-1] if good else None

    def make(self, digest: str) -> Path:
        """A new release, not yet pointed to."""
        if sha256_of(self.wanted["archive"]) != self.wanted["sha256"]:
            self.module.fail_json(
                msg=f"{self.wanted['archive']}: not the tarball whose digest the fleet names"
            )
        numbers = [int(path.name.partition("-")[0]) for path in self.releases.glob("[0-9]*-*")]
        label = re.sub(r"[^A-Za-z0-9._-]", "_", self.wanted["label"])[:60]
        release = self.releases / f"{max(numbers, default=0) + 1:04d}-{label}"
        group = grp.getgrnam(self.account).gr_gid
        code = release / "app"
        code.mkdir(parents=True)
        try:
            os.chown(release, 0, group)
            os.chmod(release, 0o750)
            shutil.chown(code, self.account, self.account)
            # As the application's own account: an archive can then make no device and no file of root's.
            tar = [
                "tar",
                "--extract",
                "--no-same-owner",
                "--file",
                self.wanted["archive"],
                "--directory",
                str(code),
            ]
            self.call([*self.as_account(), *tar], code, "the archive cannot be unpacked")
            flatten(code)
            for command in self.wanted["build"]:
                self.call(
                    [*self.as_account(), *map(str, command)], code, f"{command[0]} failed while it was built"
                )
            give_to_root(code, group)
            self.write(release, group, digest)
        except BaseException:
            shutil.rmtree(release, ignore_errors=True)
            raise
        return release

    def as_account(self) -> list[str]:
        """The beginning of a command that runs as the application."""
        clean = f"HOME=/var/lib/{self.account} PATH=/usr/local/bin:/usr/bin:/bin LANG=C.UTF-8"
        return f"runuser -u {self.account} -- env -i {clean}".split()

    def call(self, argv: list[str], folder: Path, failed: str) -> None:
        """Run a command that must succeed."""
        code, out, err = self.module.run_command(argv, cwd=str(folder))
        if code != 0:
            self.module.fail_json(
                msg=f"{self.name} {self.wanted['label']}: {failed}: {(err or out).strip()[-1500:]}"
            )

    def write(self, release: Path, group: int, digest: str) -> None:
        """Start command, environment, and last of all the record, which says that the release is whole."""
        start = (
            f"#!/bin/sh\ncd {shlex.quote(str(release / 'app'))}\nexec {shlex.join(self.wanted['command'])}\n"
        )
        variables = self.wanted["given"] | self.wanted["environment"]
        lines = [f"{key}={quoted(str(value))}\n" for key, value in sorted(variables.items())]
        private(release / "start", start, 0o750, group)
        private(release / "environment", "".join(lines), 0o600, 0)
        record = {"label": self.wanted["label"], "digest": digest, "made_at": int(time.time())}
        private(release / "release.json", json.dumps(record), 0o600, 0)

    def before(self) -> Path | None:
        """The release to go back to: what serves, or what served before a switch that nobody saw the end of."""
        if not self.proving.exists():
            return self.current()
        path = self.releases / (self.proving.read_text(encoding="utf-8").strip() or "-")
        return path if self.record(path) else None

    def switch(self, release: Path, before: Path | None) -> str:
        """Let a release serve; why it is not healthy, or nothing. A kill meanwhile leaves the question open."""
        private(self.proving, before.name if before else "", 0o600, 0)
        self.point_to(release)
        why: str = self.unit.start()
        return why

    def point_to(self, release: Path) -> None:
        """Let `current` lead to a release, in one step."""
        temporary = self.folder / ".current"
        temporary.unlink(missing_ok=True)
        temporary.symlink_to(release)
        os.replace(temporary, self.link)

    def roll_back(self, release: Path, before: Path | None, why: str) -> None:
        """Put back what served before, and end the task with the reason."""
        record = self.record(release) | {"failed": why}
        private(release / "release.json", json.dumps(record), 0o600, 0)
        told = f"{self.name} {self.wanted['label']} is not healthy: {why}. Its last words: {self.unit.last_words()}"
        if before is None or before == release:
            self.unit.stop()
            self.link.unlink(missing_ok=True)
            self.unit.admit()
            self.proving.unlink()
            self.module.fail_json(
                msg=f"{told}. There was no release before it; it is stopped.", rolled_back=False
            )
        self.point_to(before)
        again = self.unit.start()
        self.proving.unlink()
        state = "serves again" if not again else f"was put back and is not healthy either: {again}"
        label = self.record(before).get("label", before.name)
        self.module.fail_json(msg=f"{told}. The previous release {label} {state}.", rolled_back=True)

    def prune(self, before: Path | None) -> None:
        """Remove the oldest releases; the current one and the one before it stay."""
        stay = {self.current(), before, *self.all()[-self.wanted["keep"] :]}
        for path in self.releases.glob("[0-9]*"):
            if path not in stay:
                shutil.rmtree(path, ignore_errors=True)


def deploy(module: AnsibleModule) -> None:
    """Bring the application to the wanted release."""
    app = Deployment(module)
    current, before, digest = app.current(), app.before(), app.digest()
    there = current if current is not None and app.record(current).get("digest") == digest else None
    if there and not module.params["restart"] and not app.proving.exists():
        module.exit_json(changed=False, release=str(there), rolled_back=False)
    if module.check_mode:
        module.exit_json(changed=True, release=str(current or ""), rolled_back=False)
    release = there or app.find(digest) or app.make(digest)
    why = app.switch(release, before)
    if why:
        app.roll_back(release, before, why)
    app.proving.unlink()
    app.prune(before)
    module.exit_json(changed=True, release=str(release), rolled_back=False)


def main() -> None:
    """Read what is wanted and bring it about."""
    health = {
        "port": {"type": "int", "default": 0},
        "path": {"type": "str", "default": "/"},
        "expect": {"type": "int", "default": 200},
        "seconds": {"type": "int", "default": 30},
    }
    spec = {
        "name": {"type": "str", "required": True},
        "label": {"type": "str", "required": True},
        "archive": {"type": "path", "required": True},
        "sha256": {"type": "str", "required": True},
        "command": {"type": "list", "elements": "str", "required": True},
        "given": {"type": "dict", "default": {}},
        "environment": {"type": "dict", "default": {}, "no_log": True},
        "build": {"type": "list", "elements": "list", "default": []},
        "keep": {"type": "int", "default": 5},
        "restart": {"type": "bool", "default": False},
        "drain_seconds": {"type": "int", "default": 0},
        "health": {"type": "dict", "required": True, "options": health},
    }
    deploy(AnsibleModule(argument_spec=spec, supports_check_mode=True))


if __name__ == "__main__":
    main()
