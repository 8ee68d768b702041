"""What is prepared for Ansible and what is cleaned up, with a job that fails before it reaches any host."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from orchestrator.errors import StoppedError, ToolError
from orchestrator.inventory.model import Inventory, InventoryHost
from orchestrator.plays import runner as runner_module
from orchestrator.plays.job import TRIED
from orchestrator.plays.runner import AnsibleRunner
from orchestrator.ports.plays import PlayRequest
from orchestrator.settings import Settings
from orchestrator.toolchain.environment import Toolchain

ROOT = Path(__file__).parents[2]


@dataclass
class Bench:
    """A runner on its own folders; `ended` holds the runs whose leftovers were looked for."""

    folder: Path
    runner: AnsibleRunner
    ended: list[str] = field(default_factory=list)

    def request(self, *hosts: str) -> PlayRequest:
        host = InventoryHost(name="web-1", groups=[], variables={}, secrets={"key": "s3cret"})
        shared = {"steward_stack": "acme-demo"}
        return PlayRequest(
            "absent.yml",
            Inventory(hosts=[host], shared=shared),
            hosts,
            "RUN",
            [self.folder / "a b" / "k"],
            Path("/kh"),
        )


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    settings = Settings(home=tmp_path / "home", cache=tmp_path / "cache", project=ROOT)
    none = tmp_path / "none"
    toolchain = Toolchain(none, "d", none, none, none, none, none, {}, "runc")
    ended: list[str] = []
    retry = "steward configure --host {host}"
    return Bench(tmp_path, AnsibleRunner(settings, toolchain, tmp_path / "plays", retry, ended.append), ended)


def test_no_host_is_an_error_and_not_everybody(bench: Bench) -> None:
    with pytest.raises(ToolError, match="no host to configure"):
        bench.runner.run(bench.request(), lambda _: None)


def test_a_playbook_that_is_not_there_is_told_per_host_and_secrets_are_gone(bench: Bench) -> None:
    done = bench.runner.run(bench.request("web-1"), lambda _: None)
    assert "absent.yml" in done.problem
    assert done.hosts[0].failed == 1
    assert done.hosts[0].retry == "steward configure --host web-1"
    workspace = bench.folder / "plays" / "01"
    assert [path.name for path in (workspace / "inventory").iterdir()] == ["hosts.yml"]
    kept = [path for path in (bench.folder / "plays").rglob("*") if path.is_file()]
    assert kept
    assert not [path for path in kept if b"s3cret" in path.read_bytes()]
    assert stat.S_IMODE((bench.folder / "plays").stat().st_mode) == 0o700


def test_options_survive_a_path_with_a_space(bench: Bench) -> None:
    bench.runner.run(bench.request("web-1"), lambda _: None)
    import shlex

    spec = json.loads((bench.folder / "plays" / "01" / "spec.json").read_text())
    words = shlex.split(spec["environment"]["ANSIBLE_SSH_ARGS"])
    assert f'IdentityFile="{bench.folder}/a b/k"' in words
    assert "StrictHostKeyChecking=yes" in words


@pytest.mark.parametrize(
    "error", [StoppedError("steward", "stopped"), KeyboardInterrupt(), ToolError("x", "late")]
)
def test_whatever_interrupts_a_play_leftovers_are_ended_and_secrets_gone(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    seen: list[bytes] = []

    def interrupted(argv: list[str], **_: object) -> None:
        seen.append((bench.folder / "plays" / "01" / "inventory" / "secrets.yml").read_bytes())
        raise error

    stop: Callable[..., None] = interrupted
    monkeypatch.setattr(runner_module, "run", stop)
    with pytest.raises(type(error)):
        bench.runner.run(bench.request("web-1"), lambda _: None)
    assert b"s3cret" in seen[0]
    assert bench.ended == ["RUN"]
    assert not (bench.folder / "plays" / "01" / "inventory" / "secrets.yml").exists()


def test_the_releases_that_are_not_tried_before_each_play_are_the_locked_ones_and_load() -> None:
    lock = (ROOT / "requirements" / "lock.txt").read_text()
    for name, release in TRIED.items():
        assert f"\n{name}=={release} " in lock, "upgraded: see whether they load, then name them in TRIED"
    folder = ROOT / "playbooks" / "strategy"
    load = f"import sys; sys.path.append({str(folder)!r}); import steward_linear"
    seen = (
        "from ansible_mitogen import module_finder; print(module_finder.compile is steward_linear.compiled)"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", f"{load}; {seen}"], capture_output=True, text=True, check=False
    )
    assert done.stdout == "True\n", done.stderr
