"""A running provider plugin on real Podman, driven over gRPC as the engine does it."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime.proto import provider_pb2 as pb
from pulumi.runtime.proto import provider_pb2_grpc as pbg

from orchestrator.ssh import ssh_options
from stacks.providers.local import sources
from stacks.providers.local.machine import Machine
from stacks.providers.local.wire import to_struct as struct

ROOT = Path(__file__).resolve().parents[3]
PLUGIN = ROOT / "stacks" / "providers" / "local" / "pulumi-resource-local"


def podman(*args: str) -> str:
    """Podman's answer, or its error as a test failure."""
    done = subprocess.run(["podman", *args], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, f"podman {' '.join(args)}: exit {done.returncode}: {done.stderr}"
    return done.stdout.strip()


def plain(properties: struct_pb2.Struct) -> dict[str, Any]:
    """The wire's struct as a dictionary."""
    return dict(json_format.MessageToDict(properties))


@dataclass
class Driver:
    """The engine's side of one plugin process; whatever it made is removed at the end."""

    process: subprocess.Popen[str]
    stub: pbg.ResourceProviderStub
    started_in: float
    home: Path
    stopped: bool = False
    stack: str = field(default_factory=lambda: f"prov61-{secrets.token_hex(3)}")

    def tags(self) -> dict[str, str]:
        """Identity tags of this test's stack."""
        return {"client": "prov61", "environment": "test", "stack": self.stack, "stackId": f"id-{self.stack}"}

    def urn(self, kind: str, name: str) -> str:
        """The name the engine would give the resource."""
        return f"urn:pulumi:{self.stack}::steward::local:index:{kind}::{name}"

    def check(self, kind: str, inputs: dict[str, Any], olds: dict[str, Any] | None = None) -> list[str]:
        """Reasons of all check failures."""
        request = pb.CheckRequest(
            urn=self.urn(kind, inputs["name"]),
            type=f"local:index:{kind}",
            olds=struct(olds or {}),
            news=struct(inputs),
        )
        return [failure.reason for failure in self.stub.Check(request, timeout=30).failures]

    def diff(
        self, kind: str, olds: dict[str, Any], old_inputs: dict[str, Any], news: dict[str, Any]
    ) -> pb.DiffResponse:
        """The plugin's diff."""
        request = pb.DiffRequest(
            urn=self.urn(kind, news["name"]),
            type=f"local:index:{kind}",
            olds=struct(olds),
            old_inputs=struct(old_inputs),
            news=struct(news),
        )
        answer: pb.DiffResponse = self.stub.Diff(request, timeout=30)
        return answer

    def create(
        self, kind: str, inputs: dict[str, Any], *, preview: bool = False, seconds: float = 0.0
    ) -> tuple[str, dict[str, Any]]:
        """Id and properties; raises grpc.RpcError."""
        request = pb.CreateRequest(
            urn=self.urn(kind, inputs["name"]),
            type=f"local:index:{kind}",
            name=inputs["name"],
            properties=struct(inputs),
            preview=preview,
            timeout=seconds,
        )
        answer = self.stub.Create(request, timeout=180)
        return answer.id, plain(answer.properties)

    def update(
        self,
        kind: str,
        identity: str,
        olds: dict[str, Any],
        news: dict[str, Any],
        *,
        seconds: float = 0.0,
        preview: bool = False,
    ) -> dict[str, Any]:
        """New properties; raises grpc.RpcError."""
        request = pb.UpdateRequest(
            id=identity,
            urn=self.urn(kind, news["name"]),
            type=f"local:index:{kind}",
            olds=struct(olds),
            news=struct(news),
            timeout=seconds,
            preview=preview,
        )
        return plain(self.stub.Update(request, timeout=180).properties)

    def read(
        self,
        kind: str,
        identity: str,
        olds: dict[str, Any] | None = None,
        inputs: dict[str, Any] | None = None,
    ) -> tuple[str, dict[str, Any]]:
        """Id ("" when gone) and properties."""
        request = pb.ReadRequest(
            id=identity,
            urn=self.urn(kind, "read"),
            type=f"local:index:{kind}",
            properties=struct(olds or {}),
            inputs=struct(inputs or {}),
        )
        answer = self.stub.Read(request, timeout=60)
        return answer.id, plain(answer.properties)

    def delete(self, kind: str, identity: str, olds: dict[str, Any]) -> None:
        """Remove; raises grpc.RpcError."""
        request = pb.DeleteRequest(
            id=identity, urn=self.urn(kind, "gone"), type=f"local:index:{kind}", properties=struct(olds)
        )
        self.stub.Delete(request, timeout=120)

    def cancel(self) -> None:
        """What the engine sends at Ctrl-C."""
        self.stopped = True
        self.stub.Cancel(empty_pb2.Empty(), timeout=5)

    def objects(self, kind: str) -> list[str]:
        """Podman's names of what this stack has: container, network or volume."""
        listing = ["ps", "--all"] if kind == "container" else [kind, "ls"]
        out = podman(*listing, "--filter", f"label=steward.stack={self.stack}", "--format", "json")
        names = [one.get("Names", one.get("Name", one.get("name"))) for one in json.loads(out or "[]")]
        return sorted(name[0] if isinstance(name, list) else name for name in names)

    def network_inputs(self, third: int) -> dict[str, Any]:
        """A network on 10.61.THIRD.0/24."""
        return {"name": f"net{third}", "cidr": f"10.61.{third}.0/24", "tags": self.tags()}

    def server_inputs(
        self, name: str, network: dict[str, Any], keys: list[str], **more: Any
    ) -> dict[str, Any]:
        """A small server on that network."""
        return {
            "name": name,
            "group": name.rsplit("-", 1)[0],
            "image": "debian-12",
            "networkId": network["networkId"],
            "cidr": network["cidr"],
            "gateway": network["gateway"],
            "cpus": 0.5,
            "memoryGib": 0.25,
            "roles": ["web"],
            "volumes": [],
            "publish": [],
            "authorizedKeys": keys,
            "tags": self.tags(),
            **more,
        }

    def sweep(self) -> None:
        """Remove whatever this stack still has in Podman."""
        for name in self.objects("container"):
            podman("rm", "--force", "--time", "0", name)
        alive = self.process.poll() is None and not self.stopped
        for kind in ("network", "volume"):
            for name in self.objects(kind):
                if alive:
                    self.delete(kind.capitalize(), name, {})
                else:
                    podman(kind, "rm", name)


@pytest.fixture(scope="session")
def toolchain() -> Path:
    """A folder with image.json, or a skip that says what is missing."""
    wanted = os.environ.get("STEWARD_TOOLCHAIN_ROOT")
    folders = [Path(wanted)] if wanted else sorted(Path("~/.cache/steward/toolchain").expanduser().glob("*"))
    found = [folder for folder in folders if (folder / "image.json").is_file()]
    if shutil.which("podman") is None or not found:
        missing = "real part missing: Podman and the base image (`steward setup` makes both ready)"
        (pytest.fail if os.environ.get("STEWARD_REQUIRE_REAL") == "1" else pytest.skip)(missing)
    return found[0]


@pytest.fixture(scope="session")
def start_plugin(
    toolchain: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Driver]]:
    """Starts plugin processes; all of them and their objects are gone at the end."""
    started: list[Driver] = []

    def start(**environment: str) -> Driver:
        home = tmp_path_factory.mktemp("home")
        began = time.monotonic()
        process = subprocess.Popen(
            [str(PLUGIN)],
            stdout=subprocess.PIPE,
            text=True,
            env={
                **os.environ,
                "STEWARD_PYTHON": sys.executable,
                "STEWARD_TOOLCHAIN_ROOT": str(toolchain),
                "STEWARD_HOME": str(home),
                **environment,
            },
        )
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        took = time.monotonic() - began
        stub = pbg.ResourceProviderStub(grpc.insecure_channel(f"127.0.0.1:{port}"))
        driver = Driver(process, stub, took, home)
        started.append(driver)
        return driver

    yield start
    for driver in started:
        driver.sweep()
        driver.process.terminate()
        driver.process.wait(timeout=10)
    sources.keep(Machine(), "")  # networks that were removed behind a stopped plugin's back
    left = [
        name
        for driver in started
        for kind in ("container", "network", "volume")
        for name in driver.objects(kind)
    ]
    assert left == [], "tests leave nothing in Podman"


@pytest.fixture(scope="module")
def plugin(start_plugin: Callable[..., Driver]) -> Driver:
    """One plugin for a whole file of tests."""
    return start_plugin()


@dataclass(frozen=True)
class AdminKey:
    """An SSH key pair of the test, and how to log in with it."""

    private: Path
    public: str

    def ssh(
        self, server: dict[str, Any], *command: str, known_hosts: Path
    ) -> subprocess.CompletedProcess[str]:
        """Run a command on the server with its host key pinned."""
        known_hosts.write_text(f"[{server['sshHost']}]:{int(server['sshPort'])} {server['hostKey']}\n")
        options = ssh_options([self.private], known_hosts, [str(server["sshHost"])])
        where = f"{server['sshUser']}@{server['sshHost']}"
        return subprocess.run(
            ["ssh", "-F", "none", *options, "-p", str(int(server["sshPort"])), where, *command],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )


@pytest.fixture(scope="session")
def admin_key(tmp_path_factory: pytest.TempPathFactory) -> AdminKey:
    """A fresh admin key."""
    path = tmp_path_factory.mktemp("ssh") / "id_ed25519"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    return AdminKey(path, path.with_suffix(".pub").read_text().strip())


@pytest.fixture(scope="module")
def network(plugin: Driver) -> Iterator[dict[str, Any]]:
    """One network for a whole file of tests."""
    yield plugin.create("Network", plugin.network_inputs(10))[1]
    plugin.sweep()
