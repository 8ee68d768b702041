"""A command loads the libraries that it uses and no others: to load one can take longer than all the rest."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.orchestrator.samples import FLEET

HEAVY = {
    *("pulumi", "grpc", "google.protobuf", "opentelemetry", "semver"),
    *("ansible", "ansible_runner", "ansible_mitogen", "testinfra", "jinja2", "cryptography", "rich"),
    *("asyncio", "http.client", "sqlite3", "yaml", "ruamel", "pydantic"),
}
MODELS = {"pydantic"}
"""Typer reads arguments with it, too."""
A_FLEET = MODELS | {"yaml", "ansible"}
"""Roles say in Ansible's terms what they take."""
A_RUN = A_FLEET | {"sqlite3", "ruamel"}

LOADS: dict[str, set[str]] = {
    "--version": set(),
    "up --help": MODELS,
    "runs": MODELS | {"sqlite3"},
    "report": MODELS,
    "report --format json": MODELS,
    "policy list": MODELS,
    "policy explain network.ssh-not-public": MODELS,
    "validate fleet.yaml": A_FLEET,
    "evidence list": A_RUN,
    "plan --fleet fleet.yaml": A_RUN,
    "up --fleet fleet.yaml": A_RUN,
    "configure --fleet fleet.yaml": A_RUN,
    "verify --fleet fleet.yaml": A_RUN,
    "drift --fleet fleet.yaml": A_RUN,
    "destroy --fleet fleet.yaml": A_RUN,
    "backup list --fleet fleet.yaml": A_RUN,
    "backup status --fleet fleet.yaml": A_RUN,
}
"""Without a toolchain a verb ends when it has loaded what it is made of, and before it needs more."""


@pytest.mark.parametrize("words", LOADS)
def test_a_command_loads_what_it_uses(words: str, tmp_path: Path) -> None:
    (tmp_path / "fleet.yaml").write_text(FLEET)
    code = (
        "import sys; from orchestrator.cli.main import run; run(sys.argv[1:]);"
        f"print('loaded', *(name for name in {sorted(HEAVY)} if name in sys.modules))"
    )
    rooms = {"STEWARD_HOME": str(tmp_path / "home"), "STEWARD_CACHE": str(tmp_path / "cache")}
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, *words.split()],
        env={**os.environ, **rooms, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    loaded = set(done.stdout.splitlines()[-1].split()[1:])
    assert "unexpected" not in done.stderr
    assert loaded <= LOADS[words]
