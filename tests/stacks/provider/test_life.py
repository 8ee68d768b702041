"""The whole life of a small fleet on real Podman, through the plugin's gRPC face."""

from __future__ import annotations

import json
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest

from stacks.providers.local import edge, units
from stacks.providers.local.wire import UNKNOWN
from tests.stacks.provider.conftest import podman

pytestmark = pytest.mark.real

LISTEN = (
    "import socket\ns=socket.socket(); s.setsockopt(1,2,1); s.bind(('',{port})); s.listen()\n"
    "while True:\n c,a=s.accept(); c.sendall(a[0].encode()); c.close()"
)
ASK = "import socket; print(socket.create_connection(('{address}',{port}),3).recv(99).decode())"


def inside(container: str, *argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["podman", "exec", container, *argv], capture_output=True, text=True, timeout=30, check=False
    )


@pytest.fixture(scope="module")
def server(plugin: Any, network: dict[str, Any], admin_key: Any) -> dict[str, Any]:
    """One server with a data volume."""
    _, volume = plugin.create("Volume", {"name": "web-1-data", "sizeGib": 1, "tags": plugin.tags()})
    mounts = [{"name": "data", "volumeId": volume["volumeId"], "mount": "/srv/data", "dataBearing": True}]
    inputs = plugin.server_inputs(
        "web-1", network, [admin_key.public], volumes=mounts, publish=[{"port": 80}], address="10.61.10.20"
    )
    assert plugin.check("Server", inputs) == []
    identity, properties = plugin.create("Server", inputs)
    assert identity == properties["containerId"]
    return {"inputs": inputs, **properties}


def test_plugin_starts_fast(plugin: Any) -> None:
    assert plugin.started_in < 2.0


def test_preview_tells_what_can_be_known(plugin: Any, network: dict[str, Any], admin_key: Any) -> None:
    _, made = plugin.create("Network", plugin.network_inputs(11), preview=True)
    assert (made["gateway"], made["networkId"]) == ("10.61.11.1", UNKNOWN)
    inputs = plugin.server_inputs("web-9", network, [admin_key.public], address="10.61.10.9", publish=[])
    identity, server = plugin.create("Server", inputs, preview=True)
    assert identity == ""
    assert (server["address"], server["sshHost"], server["sshUser"]) == ("10.61.10.9", "127.0.0.1", "steward")
    assert server["published"] == {}
    assert server["hostKey"] == server["incarnation"] == UNKNOWN


def test_ssh_reaches_the_server_that_has_the_pinned_key(
    server: dict[str, Any], admin_key: Any, tmp_path: Path
) -> None:
    answer = admin_key.ssh(server, "sudo", "-n", "hostname", known_hosts=tmp_path / "known")
    assert answer.stdout.strip() == "web-1", answer.stderr
    scanned = subprocess.run(
        ["ssh-keyscan", "-t", "ed25519", "-p", str(int(server["sshPort"])), "127.0.0.1"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert server["hostKey"] in scanned


def test_no_private_key_leaves_the_server(plugin: Any, server: dict[str, Any]) -> None:
    told = podman("container", "inspect", server["containerId"]) + json.dumps(server)
    assert "PRIVATE KEY" not in told
    private = inside(server["containerId"], "cat", "/etc/ssh/ssh_host_ed25519_key").stdout
    assert "PRIVATE KEY" in private
    needle = private.splitlines()[3]
    found = subprocess.run(
        ["grep", "-rlsF", "-e", needle, str(plugin.home), "/run/lock", "/dev/shm"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.stdout == ""


def test_address_identity_volume_and_limits_are_those_asked_for(server: dict[str, Any]) -> None:
    name = server["containerId"]
    assert "10.61.10.20" in inside(name, "ip", "-4", "-o", "addr").stdout
    assert inside(name, "cat", "/etc/machine-id").stdout.strip() == server["incarnation"]
    assert inside(name, "findmnt", "-n", "/srv/data").returncode == 0
    assert set(server["published"]) == {"80"}
    labels = json.loads(podman("container", "inspect", name))[0]["Config"]["Labels"]
    assert labels["steward.incarnation"] == server["incarnation"]
    assert labels["steward.server"] == "web-1"


def test_firewall_closes_opens_and_survives_a_restart(
    plugin: Any, network: dict[str, Any], server: dict[str, Any], admin_key: Any, tmp_path: Path
) -> None:
    _, other = plugin.create("Server", plugin.server_inputs("app-1", network, [admin_key.public]))
    inside_ask = ("python3", "-c", ASK.format(address=server["address"], port=8000))
    podman("exec", "--detach", server["containerId"], "python3", "-c", LISTEN.format(port=8000))
    assert inside(other["containerId"], *inside_ask).returncode != 0, "closed before any rule"

    rule = {
        "name": "app",
        "port": 8000,
        "protocol": "tcp",
        "source": "app",
        "addresses": [f"{other['address']}/32"],
    }
    inputs = {
        "name": "web-1",
        "containerId": server["containerId"],
        "incarnation": server["incarnation"],
        "gateway": network["gateway"],
        "rules": [rule],
        "tags": plugin.tags(),
    }
    assert plugin.check("Firewall", inputs) == []
    identity, firewall = plugin.create("Firewall", inputs)
    assert firewall["digest"] == edge.digest(edge.render(network["gateway"], [rule]))
    assert inside(other["containerId"], *inside_ask).stdout.strip() == other["address"]

    podman("stop", "--time", "10", server["containerId"])
    for command in units.start_commands(server["containerId"]):
        subprocess.run(command, check=True, capture_output=True, timeout=60)
    back = plugin.update("Server", server["containerId"], server, server["inputs"])
    assert back["address"] == server["address"]
    assert back["sshPort"] == server["sshPort"]
    assert admin_key.ssh(server, "true", known_hosts=tmp_path / "known").returncode == 0
    assert "8000" in inside(server["containerId"], "nft", "list", "table", "inet", "steward_edge").stdout

    add = ("nft", "add", "rule", *edge.TABLE.split(), "input", "tcp", "dport", "99", "accept")
    inside(server["containerId"], *add)
    with pytest.raises(grpc.RpcError) as drifted:
        plugin.read("Firewall", identity, firewall, inputs)
    assert "the firewall rules differ: with `tcp dport 99 accept`" in str(drifted.value.details())
    outside = tmp_path / "outside"
    outside.mkdir()
    inside(server["containerId"], "sh", "-c", f"mv /etc/steward /etc/kept && ln -s {outside} /etc/steward")
    with pytest.raises(grpc.RpcError) as refused:
        plugin.update("Firewall", identity, firewall, inputs)
    assert "could not be loaded" in str(refused.value.details())
    assert list(outside.iterdir()) == [], "a link in a server leads to no file of this machine"
    inside(server["containerId"], "sh", "-c", "rm /etc/steward && mv /etc/kept /etc/steward")
    mended = plugin.update("Firewall", identity, firewall, inputs)
    assert plugin.read("Firewall", identity, mended, inputs)[0] == identity
    plugin.delete("Firewall", identity, mended)
    plugin.delete("Firewall", identity, mended)
    assert "8000" not in inside(server["containerId"], "nft", "list", "table", "inet", "steward_edge").stdout
    plugin.delete("Server", other["containerId"], other)


def test_keys_and_limits_change_in_place(plugin: Any, server: dict[str, Any], admin_key: Any) -> None:
    extra = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICbyk22EWCwmbxC2StQUIWdVLbizHpu68dreSMlQNgXN second"
    news = {**server["inputs"], "authorizedKeys": [admin_key.public, extra], "memoryGib": 0.5}
    diff = plugin.diff("Server", server, server["inputs"], news)
    assert (list(diff.replaces), sorted(diff.detailedDiff)) == ([], ["authorizedKeys", "memoryGib"])
    changed = plugin.update("Server", server["containerId"], server, news)
    assert changed["incarnation"] == server["incarnation"]
    keys = inside(server["containerId"], "cat", "/home/steward/.ssh/authorized_keys").stdout
    assert keys.splitlines() == [admin_key.public, extra]
    owner = inside(server["containerId"], "stat", "-c", "%u %a", "/home/steward/.ssh/authorized_keys").stdout
    assert owner.split() == ["1000", "600"]
    plugin.update("Server", server["containerId"], changed, server["inputs"])


def test_import_needs_the_id_only(plugin: Any, server: dict[str, Any], network: dict[str, Any]) -> None:
    identity, properties = plugin.read("Server", server["containerId"])
    assert identity == server["containerId"]
    assert properties["hostKey"] == server["hostKey"]
    assert properties["authorizedKeys"] == server["inputs"]["authorizedKeys"]
    assert plugin.read("Network", network["networkId"])[1]["cidr"] == network["cidr"]


def test_interrupted_create_is_taken_over_not_made_twice(
    plugin: Any, server: dict[str, Any], network: dict[str, Any]
) -> None:
    before = plugin.objects("container")
    identity, again = plugin.create("Server", server["inputs"])
    assert (identity, again["incarnation"]) == (server["containerId"], server["incarnation"])
    assert plugin.create("Network", plugin.network_inputs(10))[0] == network["networkId"]
    assert plugin.objects("container") == before


def test_source_addresses_are_true_between_networks(
    plugin: Any, network: dict[str, Any], server: dict[str, Any], admin_key: Any
) -> None:
    network_id, second = plugin.create("Network", plugin.network_inputs(12))
    _, vault = plugin.create("Server", plugin.server_inputs("vault-1", second, [admin_key.public]))
    rule = {
        "name": "in",
        "port": 8443,
        "protocol": "tcp",
        "source": "10.61.10.20/32",
        "addresses": ["10.61.10.20/32"],
    }
    firewall = {
        "name": "vault-1",
        "containerId": vault["containerId"],
        "incarnation": vault["incarnation"],
        "gateway": second["gateway"],
        "rules": [rule],
        "tags": plugin.tags(),
    }
    plugin.create("Firewall", firewall)
    podman("exec", "--detach", vault["containerId"], "python3", "-c", LISTEN.format(port=8443))
    ask = ASK.format(address=vault["address"], port=8443)

    def told() -> str:
        return inside(server["containerId"], "python3", "-c", ask).stdout.strip()

    assert _until(told) == server["address"]
    plugin.delete("Server", vault["containerId"], vault)
    plugin.delete("Network", network_id, second)


def _until(ask: Any, seconds: float = 5.0) -> str:
    """The first answer that is not empty."""
    deadline = time.monotonic() + seconds
    while not (answer := ask()) and time.monotonic() < deadline:
        pass
    return str(answer)


def test_six_servers_at_once(plugin: Any, network: dict[str, Any], admin_key: Any) -> None:
    inputs = [plugin.server_inputs(f"par-{n}", network, [admin_key.public]) for n in range(6)]
    with ThreadPoolExecutor(6) as pool:
        made = [properties for _, properties in pool.map(plugin.create, ["Server"] * 6, inputs)]
    assert len({one["address"] for one in made}) == 6
    assert len({one["sshPort"] for one in made}) == 6
    assert len({one["hostKey"] for one in made}) == 6
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(plugin.delete, ["Server"] * 6, [one["containerId"] for one in made], made))
    assert not [name for name in plugin.objects("container") if "-par-" in name]


def test_delete_leaves_nothing_and_may_be_repeated(plugin: Any) -> None:
    network_id, network = plugin.create("Network", plugin.network_inputs(13))
    volume_id, volume = plugin.create("Volume", {"name": "gone", "sizeGib": 1, "tags": plugin.tags()})
    bucket_id, bucket = plugin.create("Bucket", {"name": "box", "versioning": True, "tags": plugin.tags()})
    folder = Path(bucket["endpoint"].removeprefix("file://"))
    (folder / "object").write_text("x")
    for _ in range(2):
        plugin.delete("Network", network_id, network)
        plugin.delete("Volume", volume_id, volume)
        plugin.delete("Bucket", bucket_id, bucket)
    assert network_id not in plugin.objects("network")
    assert volume_id not in plugin.objects("volume")
    assert not folder.exists()
    for kind, identity in (("Network", network_id), ("Volume", volume_id), ("Bucket", bucket_id)):
        assert plugin.read(kind, identity)[0] == ""


def test_identity_is_drawn_once(plugin: Any) -> None:
    inputs = {"kind": "fleet", "name": "acme-prod", "tags": plugin.tags()}
    identity, made = plugin.create("Identity", inputs)
    assert len(made["identity"]) == 32
    assert (
        plugin.update("Identity", identity, made, {**inputs, "name": "other"})["identity"] == made["identity"]
    )
