"""Two hosts that a first converge meets in practice: one that was half converged, one hardened by hand."""

from __future__ import annotations

import json
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.playbooks.conftest import Host, boot, run
from tests.playbooks.converged.conftest import Trial

HERE = Path(__file__).parent
AS_A_MACHINE = [
    *("--cap-add", "SYS_ADMIN"),  # may mount
    *("--cap-add", "LINUX_IMMUTABLE"),  # may lift chattr +i
]
"""What lets a container do more of what a virtual machine can do, and nothing to the machine it runs on."""


@pytest.fixture(scope="session")
def place(toolchain: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    """A network with the two hosts, removed at the end."""
    folder = tmp_path_factory.mktemp("hardened")
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / "key")
    network, subnet = f"pbhard-{secrets.token_hex(3)}", f"10.63.{secrets.randbelow(250) + 4}"
    run("podman", "network", "create", "--subnet", f"{subnet}.0/24", "--gateway", f"{subnet}.1", network)
    wanted: dict[str, list[str]] = {"half": [], "hand": AS_A_MACHINE}
    try:
        hosts = {
            name: boot(
                folder, toolchain, network, name=name, address=f"{subnet}.{number}", mount="/srv", more=more
            )
            for number, (name, more) in enumerate(wanted.items(), 10)
        }
        made = Trial(folder, toolchain, hosts)
        made.variables = {name: variables(host, f"{subnet}.1") for name, host in hosts.items()}
        yield made
    finally:
        containers = [f"{network}-{name}" for name in wanted]
        subprocess.run(["podman", "rm", "-f", "-t", "2", *containers], capture_output=True, check=False)
        subprocess.run(["podman", "volume", "rm", "-f", *containers], capture_output=True, check=False)
        subprocess.run(["podman", "network", "rm", "-f", network], capture_output=True, check=False)


def variables(host: Host, gateway: str) -> dict[str, Any]:
    """What the baseline needs to know of a host."""
    return {
        "ansible_host": "127.0.0.1",
        "ansible_port": host.port,
        "ansible_user": "steward",
        "baseline_gateway": gateway,
        "baseline_ingress": [{"name": "web", "port": 80, "protocol": "tcp", "addresses": ["0.0.0.0/0"]}],
    }


def lynis(host: Host) -> dict[str, Any]:
    """The index, and warnings and suggestions as (id, text, detail), without those about Lynis itself."""
    answer = host.root((HERE / "lynis.sh").read_text())
    assert answer.code == 0, answer.err
    found: dict[str, Any] = json.loads(answer.out)
    return found


@pytest.fixture(scope="session")
def before_and_after(place: Trial) -> tuple[dict[str, Any], dict[str, Any]]:
    """Lynis on the host as Debian made it, and after a converge that an earlier one left half done."""
    host = place.hosts["half"]
    before = lynis(host)
    told = host.root((HERE / "half_converged.sh").read_text())
    assert told.code == 0, told.err
    place.converge("baseline", limit="half")
    return before, lynis(host)


@pytest.fixture(scope="session")
def by_hand(place: Trial) -> Host:
    """The host that somebody hardened by hand; not converged."""
    host: Host = place.hosts["hand"]
    told = host.root((HERE / "by_hand.sh").read_text())
    assert told.code == 0, told.err
    return host
