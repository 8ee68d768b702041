"""A user's own repository, from the built wheel in an environment of its own, outside of the checkout."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.world import ROOT

pytestmark = [pytest.mark.real, pytest.mark.e2e]


@dataclass(frozen=True)
class Installed:
    """Steward as pipx would install it, and a repository that it wrote."""

    program: Path
    folder: Path
    environment: dict[str, str]

    def steward(self, *words: str, cwd: Path | None = None, seconds: float = 600) -> str:
        """What the command says; it must end well."""
        done = subprocess.run(
            [self.program, *words], cwd=cwd or self.folder, env=self.environment, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, check=False, timeout=seconds,
        )  # fmt: skip
        assert done.returncode == 0, f"{words}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr


def command(argv: Sequence[str], *, check: bool = True, seconds: float = 120, **where: Any) -> str:
    """Standard output of a tool of the machine, started somewhere."""
    return subprocess.run(argv, capture_output=True, text=True, check=check, timeout=seconds, **where).stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    """The wheel in a fresh virtual environment, with dependencies as locked; nothing of the checkout is on any path."""
    scratch = tmp_path_factory.mktemp("wheel")
    quiet = ["-m", "pip", "--disable-pip-version-check", "--quiet"]
    command([sys.executable, "-P", "-m", "hatchling", "build", "-t", "wheel", "-d", str(scratch)], cwd=ROOT)
    (wheel,) = scratch.glob("steward_iac-*.whl")
    locked = re.sub(r" \\\n *--hash=\S+", "", (ROOT / "requirements" / "lock.txt").read_text())
    (scratch / "constraints.txt").write_text(locked)
    command([sys.executable, "-m", "venv", str(scratch / "venv")])
    python = str(scratch / "venv" / "bin" / "python")
    command(
        [python, *quiet, "install", "--no-compile", "-c", str(scratch / "constraints.txt"), str(wheel)],
        seconds=300,
    )
    kept = {key: os.environ[key] for key in ("HOME", "PATH", "STEWARD_CACHE") if key in os.environ}
    environment = {**kept, "STEWARD_HOME": str(scratch / "home"), "NO_COLOR": "1", "LC_ALL": "C.UTF-8"}
    made = Installed(scratch / "venv" / "bin" / "steward", scratch / "fleets", environment)
    made.steward("init", "fleets", "--client", "wheel", cwd=scratch)
    fleet = made.folder / "fleets" / "shop.yaml"
    text = re.sub(r"10\.\d+\.1\.0/24", "10.74.0.0/24", fleet.read_text())
    fleet.write_text(
        text[: text.index("repositories:")].replace("    backup: [site]\n", "")
    )  # one server is enough here
    yield made
    made.steward("destroy", "--fleet", "fleets/shop.yaml")


def test_a_new_repository_is_valid_and_its_rule_holds(installed: Installed) -> None:
    assert "shop.yaml: valid; stack wheel-shop, servers web-1" in installed.steward("validate", "--all")
    assert "1 own rule, 3 cases, 0 differ" in installed.steward("policy", "test")
    assert "operations.roles-are-ours" in installed.steward("policy", "list")


def test_it_comes_up_with_its_own_role_and_nothing_is_written_beside_it(installed: Installed) -> None:
    said = installed.steward("up", "--fleet", "fleets/shop.yaml")
    assert "wheel-shop" in said
    names = command(["podman", "ps", "--format", "{{.Names}}"]).split()
    found = [
        command(["podman", "exec", name, "cat", "/etc/on-call"], check=False)
        for name in names
        if "web-1" in name
    ]
    assert "shop@wheel.example\n" in found
    assert (installed.folder / "stacks" / "config" / "Pulumi.wheel-shop.yaml").is_file()
    site_packages = next((installed.program.parent.parent / "lib").glob("python*/site-packages"))
    assert not (site_packages / "Pulumi.yaml").exists()
    assert not list(site_packages.glob("stacks/config"))


def test_bare_pulumi_sees_no_change_under_the_own_rule(installed: Installed) -> None:
    script = (
        f'set -eu; eval "$({installed.program} env --fleet fleets/shop.yaml)"; pulumi preview --diff 2>&1'
    )
    said = command(["/bin/bash", "-c", script], cwd=installed.folder, env=installed.environment)
    # Pulumi says of every plugin outside of its own folder where it found it; there is nothing else to be said.
    odd = [
        line
        for line in said.splitlines()
        if "warning" in line and "using pulumi-resource-local from" not in line
    ]
    assert odd == []
    assert re.search(r"\d+ unchanged", said)


def test_an_own_rule_stops_a_plan(installed: Installed) -> None:
    catalog = installed.folder / "rules" / "operations.yaml"
    text = catalog.read_text()
    assert "[nginx, " in text
    catalog.write_text(text.replace("[nginx, ", "["))
    try:
        done = subprocess.run(
            [installed.program, "plan", "--fleet", "fleets/shop.yaml"], cwd=installed.folder,
            env=installed.environment, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
    finally:
        catalog.write_text(text)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "operations.roles-are-ours" in done.stdout


def test_an_upgrade_to_the_same_version_changes_nothing(installed: Installed) -> None:
    assert "every file is as this version writes it" in installed.steward("init", "--upgrade", ".")
