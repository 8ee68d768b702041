"""No-op `steward up` against bare tools: `pulumi up` with the pack, `ansible-playbook` with pipelining.

    .venv/bin/python -m tests.benchmarks.noop --fleet stacks/fleets/demo.yaml [--rounds 3]

The fleet must be up. The bare converge runs the same playbook over the same inventory, without mitogen.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from orchestrator.app import begin_run
from orchestrator.inventory.build import build_inventory
from orchestrator.inventory.render import render_hosts, render_secrets
from orchestrator.phases.enrol import enrol
from orchestrator.phases.supply import supply
from orchestrator.settings import Settings, load_settings
from orchestrator.ssh import ssh_options
from orchestrator.step_runner import Watcher
from orchestrator.toolchain.environment import inherited_environment, load_toolchain
from tests.benchmarks.pairs import in_turn, seconds

STEWARD = str(Path(sys.executable).parent / "steward")
PROOF = ("backup", "verify")


def main() -> None:
    """Print the ratio and what is apart from it."""
    options = argparse.ArgumentParser()
    options.add_argument("--fleet", type=Path, required=True)
    options.add_argument("--rounds", type=int, default=3)
    chosen = options.parse_args()
    settings = load_settings()
    apart: list[dict[str, float]] = []

    def ours() -> float:
        took: dict[str, Any] = {}
        total = seconds(lambda: took.update(up(chosen.fleet)))
        steps = {step["name"]: step["duration_seconds"] for step in took["steps"]}
        assert took["changes"] == [] and all(host["changed"] == 0 for host in took["hosts"]), "not a no-op"
        apart.append(steps)
        return total - sum(steps.get(name, 0.0) for name in PROOF)

    with tempfile.TemporaryDirectory() as scratch:
        argv, environment = bare_converge(settings, chosen.fleet, Path(scratch))

        def bare() -> float:
            return seconds(lambda: bare_up(settings, environment)) + seconds(lambda: quiet(argv, environment))

        pair = in_turn("no-op up (without proof)", chosen.rounds, ours, bare)
    print(pair.line("<= 0.50"))
    for steps in apart:
        print("   steps of ours: " + "  ".join(f"{name} {took:.1f}" for name, took in steps.items()))


def up(fleet: Path) -> dict[str, Any]:
    """One `steward up`."""
    return dict(json.loads(quiet([STEWARD, "up", "--fleet", str(fleet), "--json"], dict(os.environ))))


def bare_up(settings: Settings, environment: dict[str, str]) -> None:
    """One `pulumi up` with the policy pack."""
    quiet([str(load_toolchain(settings).pulumi), "up", "--yes", "--non-interactive"], environment)


def bare_converge(settings: Settings, fleet: Path, scratch: Path) -> tuple[list[str], dict[str, str]]:
    """The command and environment of a plain converge of the same hosts."""
    with begin_run(settings, fleet, "verify", Watcher(), lambda _: None) as run:
        adapters, spec = run.adapters, run.adapters.target.loaded.fleet
        stack = adapters.target.stack.name
        outputs = adapters.provisioner.outputs(stack)
        access = adapters.hosts(stack, outputs.servers)
        repositories = enrol(
            spec,
            outputs,
            list(outputs.servers),
            adapters.store,
            adapters.credentials,
            adapters.clock.now(),
            print,
        )
        supplies = supply(spec, list(outputs.servers), adapters.supplier, adapters.roles)
        inventory = build_inventory(
            spec, outputs, run.id, adapters.binaries, repositories, supplies=supplies,
            lock_seconds=adapters.ready_seconds,
        )  # fmt: skip
        folder = scratch / "inventory"
        folder.mkdir()
        (folder / "hosts.yml").write_text(render_hosts(inventory))
        (folder / "secrets.yml").write_text(render_secrets(inventory))
        known = scratch / "known_hosts"
        known.write_text(access.known_hosts.read_text())
        options = ssh_options(access.private_keys, known, ())
    playbooks = settings.playbooks
    environment = {
        **inherited_environment(settings, stack),
        "ANSIBLE_CONFIG": str(playbooks / "ansible.cfg"),
        "ANSIBLE_COLLECTIONS_PATH": str(load_toolchain(settings).collections),
        "ANSIBLE_LIBRARY": str(playbooks / "library"),
        "ANSIBLE_PIPELINING": "True",
        "ANSIBLE_SSH_ARGS": " ".join([*options, "-o", "ControlMaster=auto", "-o", "ControlPersist=60s"]),
    }
    playbook = str(Path(sys.executable).parent / "ansible-playbook")
    return [playbook, "-i", str(folder), str(playbooks / "site.yml")], environment


def quiet(argv: list[str], environment: dict[str, str]) -> str:
    """Standard output of a command that must end well."""
    done = subprocess.run(argv, env=environment, cwd=Path.cwd(), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{argv[0]} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


if __name__ == "__main__":
    main()
