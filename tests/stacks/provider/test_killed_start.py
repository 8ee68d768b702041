"""Starts with something in their way: what a killed one left, and a port that another run tries."""

from __future__ import annotations

import secrets
import shlex
import socket
import subprocess
import threading
from contextlib import suppress
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from stacks.providers.local import addresses, boot, forwards
from stacks.providers.local.podman import Podman
from tests.stacks.provider.conftest import podman

pytestmark = pytest.mark.real

WAY_IN = "NETAVARK-HOSTPORT-DNAT"


def test_an_address_that_a_killed_start_keeps_is_passed_over_and_no_bridge_stays(
    plugin: Any, admin_key: Any
) -> None:
    """Podman 4 keeps the address of a `podman start` that was killed after it was given, and the bridge."""
    place, network = plugin.create("Network", plugin.network_inputs(16))
    address = addresses.free_address("any", network["cidr"], ())
    image = podman("images", "--format", "{{.Repository}}:{{.Tag}}", "localhost/steward/debian-12")
    made = ["create", "--network", f"{network['networkId']}:ip={address}", "--ulimit", "nofile=4096:4096"]
    for _ in range(80):  # a busy machine hits the moment seldom
        identity = podman(*made, "--ulimit", "nproc=4096:4096", image.splitlines()[0], "/bin/true")
        start_and_kill(identity)
        remove(identity)
        probe = podman(*made, "--ulimit", "nproc=4096:4096", image.splitlines()[0], "/bin/true")
        said = subprocess.run(["podman", "start", probe], capture_output=True, text=True, check=False)
        podman("rm", "--force", probe)
        if boot.LEASED in said.stderr:
            break
    else:
        pytest.fail("no kill came between the address and the start")
    identity, outputs = plugin.create("Server", plugin.server_inputs("app-9", network, [admin_key.public]))
    assert outputs["state"] == "running"
    assert outputs["address"] != address
    plugin.delete("Server", identity, outputs)
    plugin.delete("Network", place, network)
    again, network = plugin.create("Network", plugin.network_inputs(16))
    plugin.delete("Network", again, network)


def test_a_port_that_is_only_tried_by_another_run_is_waited_for() -> None:
    """As `ports.hold` of another process does between our letting go of the port and Podman's taking it."""
    image = podman("images", "--format", "{{.Repository}}:{{.Tag}}", "localhost/steward/debian-12")
    with socket.socket() as trying:
        trying.bind(("127.0.0.1", 0))
        published = f"127.0.0.1:{trying.getsockname()[1]}:22"
        limits = ["--ulimit", "nofile=4096:4096", "--ulimit", "nproc=4096:4096"]
        container = podman("create", *limits, "--publish", published, image.splitlines()[0], "/bin/true")

        class Frees(threading.Event):
            """Between two tries the other run lets go of the port."""

            waits = 0

            def wait(self, timeout: float | None = None) -> bool:
                self.waits += 1
                trying.close()
                return super().wait(0)

        stop = Frees()
        try:
            Podman(stop).call("start", container)
        finally:
            remove(container)
    assert stop.waits == 1


@pytest.mark.parametrize("where", ["elsewhere", "without marks"])
def test_a_forward_that_a_killed_start_left_leads_no_server_astray(
    plugin: Any, admin_key: Any, where: str
) -> None:
    """Its ports are the server's again; those of others are not touched."""
    place, network = plugin.create("Network", plugin.network_inputs(17))
    inputs = plugin.server_inputs("app-8", network, [admin_key.public])
    identity, first = plugin.create("Server", inputs)
    plugin.delete("Server", identity, first)
    nobody = str(ip_network(network["cidr"]).broadcast_address - 1)
    chain, gone = (
        f"NETAVARK-DN-{secrets.token_hex(6).upper()}",
        f"dnat name: gone id: {secrets.token_hex(32)}",
    )
    left = [(int(first["sshPort"]), first["address"] if where == "without marks" else nobody), (1, nobody)]
    nat("-N", chain)
    for port, to in left:
        nat("-A", chain, *_for(port), "-j", "DNAT", "--to-destination", f"{to}:22")
        nat("-I", WAY_IN, "1", *_for(port), "-m", "comment", "--comment", gone, "-j", chain)
    try:
        identity, again = plugin.create("Server", inputs)
        assert again["state"] == "running"
        assert (again["sshPort"], again["address"]) == (first["sshPort"], first["address"])
        ways = [line for line in nat("-S", WAY_IN).splitlines() if gone in line]
        assert [line.split("--dport ")[1].split()[0] for line in ways] == ["1"]
    finally:
        for line in nat("-S", WAY_IN).splitlines():
            if gone in line:
                nat("-D", *shlex.split(line)[1:])
        nat("-F", chain)
        nat("-X", chain)
    plugin.delete("Server", identity, again)
    plugin.delete("Network", place, network)


def test_what_is_astray_is_told_from_what_holds() -> None:
    """As Podman 4.3 left it: an earlier start of the same network, and one of a network that is gone."""
    own, other = "a" * 64, "b" * 64
    chain, gone = "NETAVARK-DN-AAAAAAAAAAAAA", "NETAVARK-DN-BBBBBBBBBBBBB"
    forward = f"{chain} -d 127.0.0.1/32 -p tcp -m tcp --dport 20617 -j DNAT --to-destination 10.76.0.130:22"
    elsewhere = forward.replace("0.130", "0.131")
    mark = f"{chain} -s 127.0.0.1/32 -d 127.0.0.1/32 -p tcp -m tcp --dport 20617 -j NETAVARK-HOSTPORT-SETMARK"

    def way(container: str, to: str, port: int = 20617) -> str:
        told = f'-m comment --comment "dnat name: lan id: {container}"'
        return f"{WAY_IN} -p tcp -m tcp --dport {port} {told} -j {to}"

    stale = [way(other, gone), elsewhere, forward]
    rules = [way(other, gone), way(own, chain), way(other, gone, 80), elsewhere, forward, mark, forward]
    saved = "\n".join(["*nat", f":{chain} - [0:0]", *(f"-A {rule}" for rule in rules), "COMMIT"])
    assert forwards.astray(saved, own, "10.76.0.130", {20617}) == stale
    whole = "\n".join(f"-A {rule}" for rule in (way(own, chain), mark, forward))
    assert forwards.astray(whole, own, "10.76.0.130", {20617}) == []


def nat(*words: str) -> str:
    return subprocess.run(
        ["iptables", "--wait", "-t", "nat", *words], check=True, capture_output=True, text=True
    ).stdout


def _for(port: int) -> list[str]:
    return ["-d", "127.0.0.1/32", "-p", "tcp", "-m", "tcp", "--dport", str(port)]


def remove(container: str) -> None:
    """As the provider does: the first removal after a killed start may find a mount in its way."""
    Podman(threading.Event()).remove_container("killed", 0, container)


def start_and_kill(container: str) -> None:
    """KILL `podman start` while its child sets up the network."""
    with subprocess.Popen(["podman", "start", container], stderr=subprocess.DEVNULL) as started:
        threads = Path(f"/proc/{started.pid}/task")
        while started.poll() is None:
            with suppress(OSError):  # they end while one looks
                children = [
                    child for each in threads.iterdir() for child in (each / "children").read_text().split()
                ]
                if any(Path(f"/proc/{child}/comm").read_text() == "netavark\n" for child in children):
                    started.kill()
