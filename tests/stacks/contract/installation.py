"""One installation of Steward with one fleet, its own repository and state, driven with bare `pulumi`."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orchestrator.provisioning.credentials import admin_key
from orchestrator.ssh import ssh_options
from stacks.outputs import OUTPUT_NAME, FleetOutputs, ServerOutput, read_outputs
from tests.stacks.contract.vendor import Vendor

ROOT = Path(__file__).resolve().parents[3]
STEWARD = Path(sys.executable).parent / "steward"
STACK = "twin-contract"


@dataclass(frozen=True)
class Wanted:
    """The fleet that is asked for."""

    owner: str = "one@twin.example"
    memory_gib: float = 0.25
    ports: tuple[int, ...] = ()
    volume: bool = False
    servers: int = 1
    networks: int = 0
    """Besides the one that the servers are on."""


@dataclass
class Installation:
    """A folder of its own; the fleet's name is the same in all of them."""

    folder: Path
    vendor: Vendor
    range: str
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        project = self.folder / "repository"
        (project / "stacks" / "config").mkdir(parents=True)
        shutil.copy(ROOT / "Pulumi.yaml", project)
        shutil.copy(ROOT / "stacks" / "__main__.py", project / "stacks")
        (project / "stacks" / "providers").symlink_to(ROOT / "stacks" / "providers")
        self.project, self.path = project, project / "fleet.yaml"
        drop = ("PULUMI_", "STEWARD_HOME", "STEWARD_PROJECT")
        kept = {key: value for key, value in os.environ.items() if not key.startswith(drop)}
        own = {"STEWARD_HOME": str(self.folder / "home"), "STEWARD_PROJECT": str(project)}
        self.ask(Wanted())
        told = subprocess.run(
            ["bash", "-c", f'set -eu; told="$({STEWARD} env --fleet {self.path})"; eval "$told"; env -0'],
            env={**kept, **own, "NO_COLOR": "1"}, cwd=project, capture_output=True, check=False, timeout=120,
        )  # fmt: skip
        assert told.returncode == 0, told.stderr.decode()
        pairs = (line.split("=", 1) for line in told.stdout.decode().split("\0") if "=" in line)
        # Without the policy pack: providers are judged here, not fleets.
        self.environment = {key: value for key, value in pairs if key != "PULUMI_OPTION_POLICY_PACK"}

    def ask(self, wanted: Wanted) -> None:
        """Write the fleet file."""
        disks = (
            "    volumes: {data: {size_gib: 1, mount: /srv/data, disposable: true}}\n"
            if wanted.volume
            else ""
        )
        rules = "".join(f"      - {{from: {self.range}.0.0/24, port: {port}}}\n" for port in wanted.ports)
        self.path.write_text(
            f"version: 1\nclient: twin\nenvironment: contract\nowner: {wanted.owner}\n"
            f"provider: {self.vendor.name}\nregion: {self.vendor.region}\nprofile: demo\nnetworks:\n"
            f"  lan: {{cidr: {self.range}.0.0/24}}\n"
            + "".join(f"  more{n}: {{cidr: {self.range}.{n + 1}.0/24}}\n" for n in range(wanted.networks))
            + f"servers:\n  box:\n    count: {wanted.servers}\n    network: lan\n    roles: []\n"
            f"    cpus: 0.5\n    memory_gib: {wanted.memory_gib}\n"
            + disks
            + (f"    ingress:\n{rules}" if rules else "")
        )

    def start(self, *words: str) -> subprocess.Popen[str]:
        """A pulumi command in a session of its own, to be signalled."""
        return subprocess.Popen(
            ["pulumi", *words, "--non-interactive"],
            env=self.environment, cwd=self.project, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, start_new_session=True,
        )  # fmt: skip

    def pulumi(self, *words: str, fails: bool = False) -> str:
        """A pulumi command to its end; what it said."""
        process = self.start(*words)
        try:
            said, _ = process.communicate(timeout=240)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
        assert (process.returncode != 0) is fails, said
        return said

    def up(self, wanted: Wanted | None = None, *words: str) -> FleetOutputs:
        """`pulumi up`; the outputs, read as everything after Pulumi reads them."""
        if wanted is not None:
            self.ask(wanted)
        self.pulumi("up", "--yes", "--skip-preview", "--parallel", "20", *words)
        return self.outputs()

    def outputs(self) -> FleetOutputs:
        """The stack's outputs."""
        return read_outputs(STACK, json.loads(self.pulumi("stack", "output", "--json")).get(OUTPUT_NAME))

    def plan(self, wanted: Wanted, *words: str) -> dict[str, dict[str, Any]]:
        """What `pulumi preview` would do with everything that is not the same, by kind and name."""
        self.ask(wanted)
        steps = json.loads(self.pulumi("preview", "--json", *words))["steps"]
        kinds = {token: kind for kind, token in self.vendor.types.items()}
        found = {}
        for step in steps:
            _, _, types, name = step["urn"].split("::")
            kind = kinds.get(types.rsplit("$", 1)[-1])
            if kind and step["op"] != "same":
                found[f"{kind} {name}"] = step
        return found

    def resources(self) -> dict[str, dict[str, Any]]:
        """The state's resources of this provider, by kind and name."""
        kinds = {token: kind for kind, token in self.vendor.types.items()}
        exported = json.loads(self.pulumi("stack", "export"))["deployment"].get("resources", [])
        return {
            f"{kinds[one['type']]} {one['urn'].rsplit('::', 1)[-1]}": one
            for one in exported
            if one["type"] in kinds
        }

    def exists(self) -> set[str]:
        """What the vendor has of this stack, whatever the state says."""
        text = (self.project / "stacks" / "config" / f"Pulumi.{STACK}.yaml").read_text()
        (stack_id,) = (line.split()[-1] for line in text.splitlines() if "steward:stackId" in line)
        return self.vendor.exists(stack_id)

    def ssh(self, server: ServerOutput, *words: str) -> subprocess.CompletedProcess[str]:
        """Log in with the stack's admin key and the host key from the outputs, nothing else."""
        known = self.folder / "known_hosts"
        known.write_text(f"[{server.ssh_host}]:{server.ssh_port} {server.host_key}\n")
        key = admin_key(self.folder / "home" / "keys" / STACK).private
        options = ssh_options([key], known, [server.ssh_host])
        where = f"{server.ssh_user}@{server.ssh_host}"
        return subprocess.run(
            ["ssh", "-F", "none", *options, "-p", str(server.ssh_port), where, *words],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
