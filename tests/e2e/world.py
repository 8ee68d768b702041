"""A world for end-to-end tests: two fleets like the example's, on networks of their own, driven by the real command."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from orchestrator.reporting.folding import unfolded
from tests import loaded
from tests.loaded import ROOT, STEWARD

FLEETS = ROOT / "stacks" / "fleets"

SHOP = {"client: acme": "client: e2e", "environment: demo": "environment: shop", "10.41.0": "10.72.0",
        "stack: acme-vault": "stack: e2e-vault"}  # fmt: skip
VAULT = {"client: acme": "client: e2e", "10.41.0.0/24": "10.72.0.0/16", "10.42.0": "10.71.0"}
STACKS = ("e2e-shop", "e2e-vault")
"""Of these tests; others of the same client run beside them."""

TINY = """\
version: 1
client: e2e
environment: tiny
owner: tests@e2e.example
provider: local
region: local-1
profile: demo
networks:
  lan: {cidr: 10.73.0.0/24}
servers:
  box:
    size: small
    network: lan
    roles: []
"""
BOX = TINY.replace("environment: tiny", "environment: box").replace("10.73.0", "10.84.0")
"""The same beside it."""


@dataclass
class World:
    """One installation of Steward: its own state folder, its own fleet files."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.home = self.folder / "home"
        drop = ("PULUMI_", "STEWARD_HOME", "STEWARD_PROJECT", "GRPC_")
        kept = {key: value for key, value in os.environ.items() if not key.startswith(drop)}
        self.environment = {**kept, "STEWARD_HOME": str(self.home), "NO_COLOR": "1", **self.environment}

    def fleet(self, name: str, text: str) -> Path:
        """Write a fleet file."""
        path = self.folder / name
        path.write_text(text)
        return path

    def example(self, name: str, changes: Mapping[str, str]) -> Path:
        """One of the example fleets with other names and networks; a change that changes nothing is an error."""
        text = (FLEETS / name).read_text()
        for old, new in changes.items():
            assert old in text, f"{name} no longer says {old!r}"
            text = text.replace(old, new)
        return self.fleet(name, text)

    def ok(self, *words: str | Path) -> Outcome:
        """As `steward`, of a command that must end well; if it does not, all that it said is the failure."""
        done = self.steward(*words)
        assert done.code == 0, done.all
        return done

    def steward(
        self,
        *words: str | Path,
        seconds: float = 600,
        env: Mapping[str, str] | None = None,
        within: Sequence[str] = (),
    ) -> Outcome:
        """Run the command; with `env` or as the last words of the program `within`, started as a person does."""
        if not env and not within:
            done = loaded.steward(*map(str, words), env=self.environment, seconds=seconds)
            return Outcome(done.returncode, done.stdout, done.stderr)
        done = subprocess.run(
            [*within, str(STEWARD), *map(str, words)],
            env={**self.environment, **(env or {})},
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    def start(self, *words: str | Path) -> subprocess.Popen[str]:
        """Start the command in a session of its own, to be signalled."""
        return subprocess.Popen(
            [str(STEWARD), *map(str, words)],
            env=self.environment,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def report(self, *words: str | Path, seconds: float = 600) -> dict[str, Any]:
        """Run a verb with --json that must end well, and return its document."""
        done = self.steward(*words, "--json", seconds=seconds)
        assert done.code == 0, done.all
        return unfolded_document(done.out)

    def shell(self, script: str, fleet: Path, seconds: float = 300) -> Outcome:
        """A person's own shell under `steward env`."""
        text = f'set -euo pipefail; eval "$({STEWARD} env --fleet {fleet})"; {script}'
        done = subprocess.run(
            ["/bin/bash", "-c", text],
            env=self.environment, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=seconds, check=False,
        )  # fmt: skip
        return Outcome(done.returncode, done.stdout, done.stderr)


@dataclass(frozen=True)
class Outcome:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def all(self) -> str:
        """Both streams, for messages."""
        return f"exit {self.code}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"


def unfolded_document(text: str) -> dict[str, Any]:
    """A document of `--json`; a report's with one row for each answer, as most questions want it."""
    found = dict(json.loads(text))
    return unfolded(found) if str(found["schema"]).startswith("steward.report/") else found


def command(argv: Sequence[str], *, check: bool = True) -> str:
    """Standard output of a tool of the machine."""
    return subprocess.run(argv, capture_output=True, text=True, check=check, timeout=120).stdout


def podman_objects(*stacks: str) -> dict[str, set[str]]:
    """Every container, network and volume of stacks (those of these tests unless told), by name."""
    ours = tuple(f"steward-{stack}-" for stack in stacks or STACKS)

    def named(*listing: str) -> set[str]:
        return {name for name in command(["podman", *listing]).split() if name.startswith(ours)}

    return {
        "containers": named("ps", "--all", "--format", "{{.Names}}"),
        "networks": named("network", "ls", "--format", "{{.Name}}"),
        "volumes": named("volume", "ls", "--format", "{{.Name}}"),
    }


def container_of(fleet: Path, server: str) -> str:
    """The container behind a server of a fleet, by its marks."""
    named = yaml.safe_load(fleet.read_text())
    marks = {"steward.stack": f"{named['client']}-{named['environment']}", "steward.server": server}
    filters = [word for name, value in marks.items() for word in ("--filter", f"label={name}={value}")]
    (found,) = command(["podman", "ps", "--all", "--quiet", "--no-trunc", *filters]).split()
    return found


def on_host(container: str, *argv: str, check: bool = True) -> str:
    """Run a command as root inside a server, past SSH and firewall."""
    return command(["podman", "exec", container, *argv], check=check)


def killed(running: subprocess.Popen[str], reached: Callable[[], bool]) -> None:
    """Kill -9 all of it as soon as it came that far."""
    deadline = time.monotonic() + 120
    while not reached():
        assert running.poll() is None, running.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.killpg(running.pid, signal.SIGKILL)
    running.communicate()
