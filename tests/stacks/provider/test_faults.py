"""What goes wrong on real machines: half-made servers, taken ports, Ctrl-C, a killed engine."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2 as pb
from pulumi.runtime.proto import status_pb2

from stacks.providers.local.wire import UNKNOWN
from tests.stacks.provider.conftest import podman

pytestmark = pytest.mark.real


def half_made(error: grpc.RpcError) -> pb.ErrorResourceInitFailed:
    trailers = dict(error.trailing_metadata())
    detail = pb.ErrorResourceInitFailed()
    assert status_pb2.Status.FromString(trailers["grpc-status-details-bin"]).details[0].Unpack(detail)
    return detail


def recorded(error: grpc.RpcError) -> dict[str, Any]:
    return dict(half_made(error).properties)


@pytest.fixture(scope="module")
def slow(plugin: Any, network: dict[str, Any], admin_key: Any) -> dict[str, Any]:
    """A server that did not answer within the time it was given."""
    inputs = plugin.server_inputs("slow-1", network, [admin_key.public])
    with pytest.raises(grpc.RpcError) as failed:
        plugin.create("Server", inputs, seconds=0.01)
    detail = half_made(failed.value)
    assert "SSH did not answer in time" in detail.reasons[0]
    assert plugin.objects("container") == [detail.id]
    return {"id": detail.id, "inputs": inputs, "outputs": recorded(failed.value)}


def test_half_made_server_is_recorded_and_mended(plugin: Any, slow: dict[str, Any]) -> None:
    assert slow["outputs"]["state"] == "never-ready"
    preview = plugin.update("Server", slow["id"], slow["outputs"], slow["inputs"], preview=True)
    assert (preview["incarnation"], preview["containerId"]) == (UNKNOWN, slow["id"])
    mended = plugin.update("Server", slow["id"], slow["outputs"], slow["inputs"])
    assert mended["state"] == "running"
    assert mended["incarnation"] == slow["outputs"]["incarnation"], (
        "it was only slow: no need to make it anew"
    )


def test_server_that_never_answers_is_made_anew(plugin: Any, slow: dict[str, Any]) -> None:
    podman("exec", slow["id"], "systemctl", "disable", "--now", "ssh.service", "ssh.socket")
    with pytest.raises(grpc.RpcError) as failed:
        plugin.read("Server", slow["id"], slow["outputs"], slow["inputs"])
    assert "never answered" in half_made(failed.value).reasons[0]
    mended = plugin.update("Server", slow["id"], slow["outputs"], slow["inputs"], seconds=12.0)
    assert mended["state"] == "running"
    assert mended["incarnation"] != slow["outputs"]["incarnation"]
    assert mended["address"] == slow["outputs"]["address"]
    assert mended["sshPort"] == slow["outputs"]["sshPort"]


def test_stopped_server_is_seen_and_started(plugin: Any, slow: dict[str, Any]) -> None:
    _, live = plugin.read("Server", slow["id"], {}, slow["inputs"])
    podman("stop", "--time", "5", slow["id"])
    with pytest.raises(grpc.RpcError) as failed:
        plugin.read("Server", slow["id"], live, slow["inputs"])
    seen = recorded(failed.value)
    assert seen["state"] == "stopped"
    mended = plugin.update("Server", slow["id"], seen, slow["inputs"])
    assert (mended["state"], mended["incarnation"]) == ("running", live["incarnation"])


def test_server_removed_by_hand_is_gone_and_delete_is_idempotent(plugin: Any, slow: dict[str, Any]) -> None:
    podman("rm", "--force", "--time", "0", slow["id"])
    assert plugin.read("Server", slow["id"], slow["outputs"], slow["inputs"])[0] == ""
    assert plugin.read("Firewall", f"{slow['id']}/edge", {}, {})[0] == ""
    plugin.delete("Server", slow["id"], slow["outputs"])
    plugin.delete("Server", slow["id"], slow["outputs"])


def test_taken_host_port_is_refused_before_and_at_create(
    plugin: Any, network: dict[str, Any], admin_key: Any
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        inputs = plugin.server_inputs(
            "port-1", network, [admin_key.public], publish=[{"port": 80, "hostPort": port}]
        )
        (reason,) = plugin.check("Server", inputs)
        assert f"port-1: publish[0].hostPort: port {port} of this machine is taken" in reason
        with pytest.raises(grpc.RpcError) as failed:
            plugin.create("Server", inputs)
        assert f"port {port} of this machine is taken" in failed.value.details()
        assert plugin.objects("container") == []


def test_overlapping_subnets_are_refused(plugin: Any, network: dict[str, Any]) -> None:
    clash = {"name": "second", "cidr": "10.61.10.128/25", "tags": plugin.tags()}
    (reason,) = plugin.check("Network", clash)
    assert "second: cidr: 10.61.10.128/25 overlaps 10.61.10.0/24" in reason
    with pytest.raises(grpc.RpcError) as failed:
        plugin.create("Network", {**clash, "name": "second"})
    assert "10.61.10.128/25" in failed.value.details()


def test_missing_image_names_the_next_step(plugin: Any, network: dict[str, Any], admin_key: Any) -> None:
    inputs = plugin.server_inputs("web-1", network, [admin_key.public], image="debian-99")
    (reason,) = plugin.check("Server", inputs)
    assert "debian-99" in reason
    assert "steward setup" in reason


def test_missing_podman_is_one_clear_refusal(start_plugin: Callable[..., Any], tmp_path: Path) -> None:
    for program in ("sh", "dirname"):
        (tmp_path / program).symlink_to(f"/usr/bin/{program}")
    driver = start_plugin(PATH=str(tmp_path))
    with pytest.raises(grpc.RpcError) as failed:
        driver.stub.Configure(pb.ConfigureRequest(), timeout=10)
    assert failed.value.details().startswith("local provider: podman: Podman is not installed")
    assert "Traceback" not in failed.value.details()


def test_hostile_ids_reach_no_command_line(plugin: Any) -> None:
    for identity in ("--all", "../../etc", "a b", ""):
        with pytest.raises(grpc.RpcError) as failed:
            plugin.delete("Server", identity, {})
        assert "is no id of this provider" in failed.value.details()


def test_cancel_hands_over_what_exists(start_plugin: Callable[..., Any], admin_key: Any) -> None:
    driver = start_plugin()
    _, network = driver.create("Network", driver.network_inputs(14))
    inputs = driver.server_inputs("web-1", network, [admin_key.public])
    outcome: list[grpc.RpcError] = []

    def create() -> None:
        try:
            driver.create("Server", inputs)
        except grpc.RpcError as error:
            outcome.append(error)

    thread = threading.Thread(target=create)
    thread.start()
    deadline = time.monotonic() + 10
    while not driver.objects("container") and time.monotonic() < deadline:
        pass
    began = time.monotonic()
    driver.cancel()
    thread.join(timeout=10)
    assert time.monotonic() - began < 8.0  # a boot takes up to a minute
    (error,) = outcome
    assert [half_made(error).id] == driver.objects("container")
    assert "stopped on request" in half_made(error).reasons[0]


def test_killed_plugin_leaves_a_server_that_the_next_run_takes_over(
    start_plugin: Callable[..., Any], admin_key: Any
) -> None:
    first = start_plugin()
    _, network = first.create("Network", first.network_inputs(15))
    inputs = first.server_inputs("web-1", network, [admin_key.public])

    def create() -> None:
        with pytest.raises(grpc.RpcError):
            first.create("Server", inputs)

    lost = threading.Thread(target=create)
    lost.start()
    deadline = time.monotonic() + 10
    while not first.objects("container") and time.monotonic() < deadline:
        pass
    first.process.send_signal(signal.SIGKILL)
    lost.join(timeout=10)

    second = start_plugin()
    second.stack = first.stack
    identity, server = second.create("Server", inputs)
    assert second.objects("container") == [identity]
    assert server["state"] == "running"


def test_plugin_ends_with_its_engine(toolchain: Path) -> None:
    """The stand-in engine is a shell that is killed without a word."""
    plugin = Path(__file__).resolve().parents[3] / "stacks" / "providers" / "local" / "pulumi-resource-local"
    engine = subprocess.Popen(
        ["sh", "-c", f"STEWARD_PYTHON={sys.executable} {plugin} & echo $!; wait"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert engine.stdout is not None
    pid = int(engine.stdout.readline())
    assert int(engine.stdout.readline()) > 0, "the port: it serves"
    engine.kill()
    engine.wait()
    deadline = time.monotonic() + 8
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        pass
    assert not Path(f"/proc/{pid}").exists()
