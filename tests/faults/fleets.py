"""The fleets that faults are made in: a vault, and two web servers that are backed up to it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orchestrator.processes import start_ticks
from tests.e2e.world import Outcome, World, container_of, unfolded_document

VAULT_NAMES = {"client: acme": "client: faults", "10.41.0.0/24": "10.76.0.0/24", "10.42.0": "10.75.0"}

SHOP = """\
version: 1
client: faults
environment: shop
owner: tests@faults.example
provider: local
region: local-1
profile: demo
networks:
  lan: {cidr: 10.76.0.0/24}
services:
  site:
    purpose: Something to break
    owner: tests@faults.example
    availability: {target_percent: 99.0}
    servers: [web]
servers:
  web:
    count: 2
    size: small
    network: lan
    roles:
      - nginx
    ingress:
      - {from: anywhere, port: 80}
    backup: [site]
repositories:
  vault: {stack: faults-vault}
backups:
  site:
    paths: [/var/www]
    repository: vault
    schedule: "30 1 * * *"
    keep: {daily: 7, weekly: 4}
    rpo: 26h
    rto: 30m
"""


@dataclass
class Broken:
    """The world of the faults, and what must be true after each of them."""

    world: World
    vault: Path
    shop: Path
    scratch: Path
    _containers: dict[str, str] = field(default_factory=dict)

    def container(self, server: str) -> str:
        """The container behind a server, asked anew where it may have been replaced."""
        if server not in self._containers:
            fleet = self.vault if server.startswith("vault") else self.shop
            self._containers[server] = container_of(fleet, server)
        return self._containers[server]

    def up(self, *words: str, **env: str) -> Outcome:
        """`steward up` of the shop."""
        return self.world.steward("up", "--fleet", self.shop, *words, env=env)

    def at(self, *words: str | Path, line: str, act: Callable[[subprocess.Popen[str]], None]) -> Outcome:
        """Run a verb, and do something as soon as it says a line that holds `line`."""
        process = self.world.start(*words)
        assert process.stderr is not None
        said, struck = [], False
        for text in process.stderr:
            said.append(text)
            if not struck and line in text:
                struck = True
                act(process)
        out, _ = process.communicate(timeout=300)
        assert struck, "".join(said)
        return Outcome(process.returncode, out, "".join(said))

    def report(self) -> dict[str, Any]:
        """The report of the newest run."""
        return unfolded_document((self.newest_run() / "report.json").read_text())

    def newest_run(self) -> Path:
        """The folder of the newest run."""
        return max((self.world.home / "runs").iterdir())

    def ledger(self) -> list[dict[str, Any]]:
        """The rows of the ledger, newest first."""
        found = self.world.steward("runs", "--json", "--limit", "10000")
        assert found.code == 0, found.all
        return list(json.loads(found.out)["runs"])

    def is_true(self, outcome: Outcome, code: int, *texts: str) -> None:
        """It ended in that code and words, report and ledger agree, and nothing is left behind."""
        assert outcome.code == code, outcome.all
        assert "Traceback" not in outcome.all and "This is a defect" not in outcome.all, outcome.all
        folded = " ".join(outcome.all.split())
        for text in texts:
            assert text in folded, (text, outcome.all)
        assert self.ledger()[0]["exit_code"] == code
        assert self.report()["exit_code"] == code
        self.left_nothing()

    def left_nothing(self) -> None:
        """No run is at work for ever; no secret and no scratch folder of the dead is on this disk."""
        assert [row["id"] for row in self.ledger() if row["exit_code"] is None] == []
        assert list((self.world.home / "runs").glob("*/plays/*/inventory/secrets.yml")) == []
        assert abandoned(self.scratch) == []

    def heals(self) -> None:
        """The next `up` ends well, and what it looks at on every server passes."""
        healed = self.up()
        assert healed.code == 0, healed.all
        checks = self.report()["checks"]
        assert {check["server"] for check in checks} == {"web-1", "web-2"}
        assert {check["verdict"] for check in checks} <= {"pass", "not_applicable"}
        self.left_nothing()


def abandoned(folder: Path) -> list[Path]:
    """Scratch folders whose owner is dead."""
    found = []
    for owner in folder.glob("steward-*/.owner"):
        told = json.loads(owner.read_text())
        if start_ticks(told["pid"]) != told["start_ticks"]:
            found.append(owner.parent)
    return found
