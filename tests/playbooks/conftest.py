"""Three real hosts, made once a session: a vault, a web server and a database server."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import tarfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from stacks.providers.local.addresses import hardware_address
from tests.left_behind import claim

READY = 60.0  # seconds


def run(*argv: str | Path, given: bytes | None = None, env: dict[str, str] | None = None) -> str:
    """Run a program that must succeed and give what it printed."""
    ended = subprocess.run(
        [str(part) for part in argv], input=given, capture_output=True, env=env, check=False
    )
    assert ended.returncode == 0, f"{argv}: {ended.stderr.decode()[-3000:]}{ended.stdout.decode()[-3000:]}"
    return ended.stdout.decode()


@dataclass(frozen=True)
class Answer:
    """What a command on a host ended in."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Host:
    """A container that looks like a host before its first converge."""

    name: str
    address: str
    container: str
    port: int
    folder: Path
    incarnation: str = field(default_factory=lambda: secrets.token_hex(16))

    def ssh(self, *options: str) -> list[str]:
        """Arguments of ssh to this host, its key pinned."""
        pinned = [
            "-o",
            f"UserKnownHostsFile={self.folder / 'known_hosts'}",
            "-o",
            "StrictHostKeyChecking=yes",
            "-o",
            "KexAlgorithms=^curve25519-sha256",  # as Steward has it on one machine
        ]
        return [
            "ssh",
            "-p",
            str(self.port),
            "-i",
            str(self.folder / "key"),
            *pinned,
            "-o",
            "BatchMode=yes",
            "-o",
            "ConnectTimeout=10",
            *options,
        ]

    def sudo(self, *argv: str, given: str = "") -> Answer:
        """Run a command as root, as the orchestrator does. The arguments must need no quoting."""
        command = [*self.ssh(), "steward@127.0.0.1", "sudo", "-n", *argv]
        ended = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
        return Answer(ended.returncode, ended.stdout, ended.stderr)

    def root(self, script: str) -> Answer:
        """Run a script as root in a shell on the host."""
        return self.sudo("bash", "-s", given=script)


def missing(what: str) -> None:
    """Skip, or fail where real parts are required."""
    text = f"{what}; get it with: make setup, and run the tests under `steward env`"
    if os.environ.get("STEWARD_REQUIRE_REAL") == "1":
        pytest.fail(text)
    pytest.skip(text)


@pytest.fixture(scope="session")
def toolchain() -> Path:
    """The pinned toolchain that `steward setup` made."""
    root = Path(os.environ.get("STEWARD_TOOLCHAIN_ROOT", "/nonexistent"))
    if not (root / "image.json").is_file():
        missing("no toolchain at STEWARD_TOOLCHAIN_ROOT")
    if shutil.which("podman") is None:
        missing("no podman on this machine")
    claim()
    return root


def secrets_of_host(folder: Path, name: str) -> BytesIO:
    """A tar of the host key and the authorised key, as the provider puts them in before the first boot."""
    key = folder / f"{name}_host_key"
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
    packed = BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for path, content, uid, mode in (
            ("etc/ssh/ssh_host_ed25519_key", key.read_bytes(), 0, 0o600),
            ("etc/ssh/ssh_host_ed25519_key.pub", key.with_suffix(".pub").read_bytes(), 0, 0o644),
            ("home/steward/.ssh/authorized_keys", (folder / "key.pub").read_bytes(), 1000, 0o600),
        ):
            if uid:
                owner = tarfile.TarInfo(str(Path(path).parent))
                owner.type, owner.mode, owner.uid, owner.gid = tarfile.DIRTYPE, 0o700, uid, uid
                archive.addfile(owner)
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode, entry.uid, entry.gid = len(content), mode, uid, uid
            archive.addfile(entry, BytesIO(content))
    packed.seek(0)
    return packed


def boot(
    folder: Path,
    toolchain: Path,
    network: str,
    *,
    name: str,
    address: str,
    mount: str,
    more: Sequence[str] = (),
) -> Host:
    """Make and start one host, its volume empty; `more` are options of Podman. Waits until it answers SSH."""
    described = json.loads((toolchain / "image.json").read_text())
    image, runtime = described["debian-12"], described.get("runtime", "runc")
    container = f"{network}-{name}"
    options = [
        "--cap-add",
        "NET_ADMIN",
        "--systemd=always",
        "--ulimit",
        "nofile=4096:4096",
        "--ulimit",
        "nproc=4096:4096",
    ]
    # As the provider does: this machine remembers who had the address, for longer than a boot takes.
    place = ["--network", network, "--ip", address, "--mac-address", hardware_address(address)]
    place += ["-p", "127.0.0.1::22", "-v", f"{container}:{mount}"]
    argv = ["podman", "--runtime", runtime, "create", "--name", container, "--hostname", name]
    run(*argv, *options, *more, *place, image, "/sbin/init")
    run("podman", "cp", "-a=false", "-", f"{container}:/", given=secrets_of_host(folder, name).read())
    run("podman", "--runtime", runtime, "start", container)
    port = int(run("podman", "port", container, "22").rpartition(":")[2])
    with (folder / "known_hosts").open("a") as known:
        public = " ".join((folder / f"{name}_host_key.pub").read_text().split()[:2])
        known.write(f"[127.0.0.1]:{port} {public}\n")
    return answering(Host(name, address, container, port, folder))


def answering(host: Host) -> Host:
    """The host, once it has booted and answers SSH."""
    deadline = time.monotonic() + READY
    while host.sudo("systemctl", "is-system-running", "--wait").code not in (0, 1):
        assert time.monotonic() < deadline, f"{host.name} does not answer SSH"
        time.sleep(0.1)  # nothing tells when sshd begins to listen, and a refused try takes no time
    return host


@pytest.fixture(scope="session")
def hosts(toolchain: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Host]]:
    """A vault, a web server and a database server, removed at the end."""
    folder = tmp_path_factory.mktemp("trial")
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / "key")
    network = f"pbtrial-{secrets.token_hex(3)}"
    subnet = f"10.62.{secrets.randbelow(250) + 4}"
    run("podman", "network", "create", "--subnet", f"{subnet}.0/24", "--gateway", f"{subnet}.1", network)
    mounts = {"vault": "/srv/backup", "web": "/var/www", "db": "/var/lib/postgresql"}
    try:
        yield {
            name: boot(folder, toolchain, network, name=name, address=f"{subnet}.{10 + number}", mount=mount)
            for number, (name, mount) in enumerate(mounts.items())
        }
    finally:
        containers = [f"{network}-{name}" for name in mounts]
        subprocess.run(["podman", "rm", "-f", "-t", "2", *containers], capture_output=True, check=False)
        subprocess.run(["podman", "volume", "rm", "-f", *containers], capture_output=True, check=False)
        subprocess.run(["podman", "network", "rm", "-f", network], capture_output=True, check=False)
