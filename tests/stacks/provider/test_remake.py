"""Mounts and published ports change while identity, host key and disk stay, also over a kill at any point."""

from __future__ import annotations

import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest

from stacks.providers.local import remake
from stacks.providers.local.machine import DISKS
from tests.stacks.provider.conftest import AdminKey, Driver, podman

pytestmark = pytest.mark.real
KEPT = ("containerId", "incarnation", "hostKey", "address", "sshPort", "sshHost")


@dataclass
class Standing:
    """One server with a volume, a second volume beside it, and a file on its own disk."""

    plugin: Driver
    inputs: dict[str, Any]
    properties: dict[str, Any]
    mount: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.properties["containerId"])

    def asked(self, *, mounted: bool, publish: list[dict[str, int]] | None = None) -> dict[str, Any]:
        """Its inputs with or without the second volume."""
        more = [self.mount] if mounted else []
        return {**self.inputs, "volumes": [*self.inputs["volumes"], *more], "publish": publish or []}

    def update(self, news: dict[str, Any], plugin: Driver | None = None) -> dict[str, Any]:
        """Change it, and see that it is still the same server."""
        self.properties = (plugin or self.plugin).update("Server", self.name, self.properties, news)
        assert self.properties["state"] == "running"
        assert self.inside("cat", "/etc/machine-id") == self.properties["incarnation"]
        assert self.inside("cat", "/root/mark") == "kept"
        assert self.plugin.objects("container") == [self.name], "nothing is left set aside"
        return self.properties

    def inside(self, *argv: str) -> str:
        return podman("exec", self.name, *argv)

    def mounted(self) -> bool:
        return "/var/lib/app" in self.inside("cat", "/proc/mounts")

    def disks(self) -> list[str]:
        listed = podman("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").splitlines()
        return [name for name in listed if name.startswith(f"{DISKS}:{self.name}-")]


@pytest.fixture(scope="module")
def standing(plugin: Driver, network: dict[str, Any], admin_key: AdminKey) -> Iterator[Standing]:
    def mount(name: str, where: str) -> dict[str, Any]:
        made = plugin.create("Volume", {"name": name, "sizeGib": 1, "tags": plugin.tags()})[1]
        return {"name": name, "volumeId": made["volumeId"], "mount": where, "dataBearing": True}

    inputs = plugin.server_inputs("box-1", network, [admin_key.public], volumes=[mount("one", "/srv/one")])
    one = Standing(plugin, inputs, plugin.create("Server", inputs)[1], mount("two", "/var/lib/app"))
    one.inside("sh", "-c", "echo kept >/root/mark; mkdir -p /var/lib/app; echo old >/var/lib/app/rows")
    yield one
    plugin.delete("Server", one.name, one.properties)
    assert one.disks() == [], "the kept disk goes with its server"


def test_a_volume_comes_and_goes_in_place_and_no_data_is_lost(
    standing: Standing, admin_key: AdminKey, tmp_path: Path
) -> None:
    before = dict(standing.properties)
    news = standing.asked(mounted=True)
    diff = standing.plugin.diff("Server", before, standing.inputs, news)
    assert (list(diff.replaces), sorted(diff.detailedDiff)) == ([], ["volumes"])
    after = standing.update(news)
    assert {key: after[key] for key in KEPT} == {key: before[key] for key in KEPT}
    assert standing.mounted()
    assert standing.inside("cat", "/var/lib/app/rows") == "old", "the volume was empty: data moved into it"
    assert admin_key.ssh(after, "true", known_hosts=tmp_path / "known").returncode == 0
    assert standing.plugin.read("Server", standing.name, after, news)[0] == standing.name
    standing.inside("sh", "-c", "echo new >/var/lib/app/rows")
    standing.update(standing.asked(mounted=False))
    assert not standing.mounted()
    standing.update(standing.asked(mounted=True))
    assert standing.inside("cat", "/var/lib/app/rows") == "new"
    assert len(standing.disks()) == 1, "no pile of old disks"


def test_a_port_is_published_in_place_and_a_taken_one_changes_nothing(standing: Standing) -> None:
    standing.update(standing.asked(mounted=False))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        began = standing.inside("cat", "/proc/1/stat")
        wish = standing.asked(mounted=False, publish=[{"port": 80, "hostPort": taken.getsockname()[1]}])
        with pytest.raises(grpc.RpcError) as failed:
            standing.plugin.update("Server", standing.name, standing.properties, wish)
        assert "is taken by another program" in failed.value.details()
        assert "It runs as it was" in failed.value.details()
        assert standing.inside("cat", "/proc/1/stat").split()[21] == began.split()[21], "not even restarted"
    port = int(standing.update(standing.asked(mounted=False, publish=[{"port": 80}]))["published"]["80"])
    assert f"{port}" in podman("port", standing.name, "80")
    again = standing.update(standing.asked(mounted=False, publish=[{"port": 80}, {"port": 443}]))
    assert int(again["published"]["80"]) == port


def test_a_volume_that_is_gone_rolls_the_change_back(standing: Standing) -> None:
    standing.update(standing.asked(mounted=False))
    other = {**standing.mount, "volumeId": "Not A Volume"}
    wish = {**standing.inputs, "volumes": [*standing.inputs["volumes"], other]}
    with pytest.raises(grpc.RpcError) as failed:
        standing.plugin.update("Server", standing.name, standing.properties, wish)
    assert "It runs as it was" in failed.value.details()
    assert standing.plugin.objects("container") == [standing.name]
    assert standing.update(standing.asked(mounted=False))["incarnation"] == standing.properties["incarnation"]


@pytest.mark.parametrize("after", range(1, 5))
def test_a_change_killed_after_any_step_is_finished_by_the_next(standing: Standing, after: int) -> None:
    """The journal's states are made with the very commands of a change; then the next `up` comes."""
    standing.update(standing.asked(mounted=False))
    name, aside = standing.name, standing.name + remake.ASIDE
    seen = remake.look(_machine(), name)
    assert seen.container is not None
    disk = remake.disk_of(seen.container)
    volumes = [w for m in (*standing.inputs["volumes"], standing.mount) for w in _mount_option(m)]
    steps: list[Callable[[], str]] = [
        lambda: podman("stop", "--time", "20", name),
        lambda: podman("rename", name, aside),
        lambda: podman("commit", "--quiet", aside, disk),
        lambda: podman(*_create_again(seen, volumes, disk)),
        lambda: podman("start", name),
    ]
    for step in steps[: after + 1]:
        step()
    with pytest.raises(grpc.RpcError) as failed:
        standing.plugin.read("Server", name, standing.properties, standing.inputs)
    assert "was interrupted. Run `up` to finish it" in failed.value.details()
    standing.update(standing.asked(mounted=True))
    assert standing.mounted()


def test_a_plugin_killed_in_the_middle_loses_nothing(
    standing: Standing, start_plugin: Callable[..., Driver]
) -> None:
    standing.update(standing.asked(mounted=False))
    victim = start_plugin()
    victim.stack = standing.plugin.stack
    aside = standing.name + remake.ASIDE

    def change() -> None:
        with suppress(grpc.RpcError):
            victim.update("Server", standing.name, standing.properties, standing.asked(mounted=True))

    lost = threading.Thread(target=change)
    lost.start()
    deadline = time.monotonic() + 20
    while aside not in victim.objects("container") and time.monotonic() < deadline:
        pass
    victim.process.send_signal(signal.SIGKILL)
    lost.join(timeout=20)
    victim.stopped = True
    standing.update(standing.asked(mounted=True))
    assert standing.mounted()


def _machine() -> Any:
    from stacks.providers.local.machine import Machine

    return Machine()


def _mount_option(mount: dict[str, Any]) -> tuple[str, str]:
    return "--volume", f"{mount['volumeId']}:{mount['mount']}"


def _create_again(seen: remake.Seen, volumes: list[str], disk: str) -> list[str]:
    """`podman create` as a change does it, from the container's own record."""
    from stacks.providers.local.blueprint import create_arguments
    from stacks.providers.local.kind import inputs_of

    assert seen.container is not None
    assert seen.plan is not None
    machine = _machine()
    machine.image("box-1", "debian-12")
    inputs = {**inputs_of(seen.container.labels), "volumes": []}
    words = create_arguments(
        seen.plan, inputs, urn=seen.container.labels["steward.urn"], image=disk, runtime=machine.runtime,
        limits=machine.limits,
    )  # fmt: skip
    return [*words[:-2], *volumes, *words[-2:]]
