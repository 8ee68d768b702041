"""Prepared images on real Podman: what their servers share, what they must not, and builds that fail."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from orchestrator.clock import SystemClock
from orchestrator.inventory.prepared import Contents
from orchestrator.inventory.roles import RoleCatalog
from orchestrator.toolchain.prepared_image import NAME, VARIABLE, PodmanImages, image_tag
from tests.stacks.provider.conftest import ROOT, podman

pytestmark = pytest.mark.real

ROLES = RoleCatalog(ROOT / "playbooks" / "roles")
USES = [ROLES.prepared("nginx", {"site": "debian-faq"}), ROLES.prepared("redis", {})]
CONTENTS = ROLES.prepared("baseline", {}).with_all(USES)
SMALL = Contents(frozenset({"netcat-openbsd"}))
BUILD = """
import sys
from pathlib import Path
from orchestrator.clock import SystemClock
from orchestrator.inventory.prepared import Contents
from orchestrator.toolchain.prepared_image import PodmanImages
base, runtime, folder, package = sys.argv[1:]
made = PodmanImages(base, runtime, Path(folder) / "cache", Path(folder) / "images.json", SystemClock())
print(made.prepare({"web-1": Contents(frozenset({package}))}))
"""


@dataclass(frozen=True)
class Workshop:
    """Where images are made, from this machine's base image."""

    base: str
    runtime: str
    folder: Path

    def images(self) -> PodmanImages:
        return PodmanImages(
            self.base, self.runtime, self.folder / "cache", self.folder / "images.json", SystemClock()
        )

    def tag(self, contents: Contents) -> str:
        return image_tag(self.base, contents, SystemClock().now())

    def unfinished(self) -> list[str]:
        owner = self.images()._owner
        listed = podman(
            "ps", "--all", "--filter", f"name=^steward-prepare-{owner}-", "--format", "{{.Names}}"
        )
        return listed.split()


@pytest.fixture
def workshop(toolchain: Path, tmp_path: Path) -> Workshop:
    return workshop_in(toolchain, tmp_path)


def workshop_in(toolchain: Path, folder: Path) -> Workshop:
    table = json.loads((toolchain / "image.json").read_text())
    return Workshop(table["debian-12"], table["runtime"], folder)


def exists(tag: str) -> bool:
    return subprocess.run(["podman", "image", "exists", tag], check=False).returncode == 0


def inside(server: dict[str, Any], *argv: str) -> str:
    return podman("exec", server["containerId"], *argv)


@pytest.fixture(scope="module")
def prepared(toolchain: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    """One image for `web-1` and `web-2`."""
    made = workshop_in(toolchain, tmp_path_factory.mktemp("images"))
    there = exists(made.tag(CONTENTS))
    done = made.images().prepare({"web-1": CONTENTS, "web-2": CONTENTS})
    assert (done.made + done.there, done.problems) == (1, ())
    yield made
    if not there:
        podman("image", "rm", "--ignore", made.tag(CONTENTS))


@pytest.fixture(scope="module")
def driver(start_plugin: Callable[..., Any], prepared: Workshop) -> Iterator[Any]:
    """A plugin as `steward up` starts it, with one network."""
    made = start_plugin(**{VARIABLE: str(prepared.folder / "images.json")})
    yield made
    made.sweep()


@pytest.fixture(scope="module")
def pair(driver: Any, admin_key: Any) -> list[dict[str, Any]]:
    """Two servers made from the image, and one that nothing was prepared for."""
    _, network = driver.create("Network", driver.network_inputs(37))
    made = []
    for name in ("web-1", "web-2", "db-1"):
        inputs = driver.server_inputs(name, network, [admin_key.public])
        assert driver.check("Server", inputs) == []
        made.append({"inputs": inputs, **driver.create("Server", inputs)[1]})
    return made


def image_of(server: dict[str, Any]) -> str:
    return podman("container", "inspect", "--format", "{{.ImageName}}", server["containerId"])


def test_servers_are_made_from_the_image_prepared_for_them(
    pair: list[dict[str, Any]], prepared: Workshop
) -> None:
    tag = prepared.tag(CONTENTS)
    assert [image_of(server) for server in pair] == [tag, tag, prepared.base]
    for package in ("nginx", "redis-server", "debian-faq"):
        assert "install ok installed" in inside(pair[1], "dpkg-query", "-W", "-f", "${Status}", package)
    base = podman(
        "container", "inspect", "--format", '{{index .Config.Labels "steward.base"}}', pair[0]["containerId"]
    )
    assert base == prepared.base


def test_they_share_no_identity(pair: list[dict[str, Any]], prepared: Workshop) -> None:
    read = [
        [inside(server, "cat", path) for server in pair[:2]]
        for path in ("/etc/ssh/ssh_host_ed25519_key", "/etc/machine-id")
    ]
    assert all(one != two and one for one, two in read)
    keys = [inside(server, "sh", "-c", "ls /etc/ssh/ssh_host_*_key") for server in pair[:2]]
    assert keys == ["/etc/ssh/ssh_host_ed25519_key"] * 2, "none came with the image"
    script = (
        "ls /etc/ssh/ssh_host_* /var/lib/dbus/machine-id /var/lib/systemd/random-seed; cat /etc/machine-id"
    )
    argv = ["podman", "run", "--rm", "--runtime", prepared.runtime, "--ulimit", "nofile=1024:1024"]
    argv += ["--ulimit", "nproc=1024:1024", prepared.tag(CONTENTS), "sh", "-c", script]
    assert subprocess.run(argv, capture_output=True, text=True, check=False).stdout == ""


def test_nothing_listens_before_the_playbooks_ran(pair: list[dict[str, Any]]) -> None:
    for server in pair[:2]:
        ports = {line.split()[4].rsplit(":", 1)[-1] for line in inside(server, "ss", "-Hltnu").splitlines()}
        assert ports == {"22"}
        waiting = ["nginx.service", "redis-server.service"]
        shown = inside(server, "systemctl", "show", "--property=ActiveState,UnitFileState", *waiting)
        assert shown.split() == ["ActiveState=inactive", "UnitFileState=disabled"] * 2
        assert inside(server, "systemctl", "is-enabled", "unattended-upgrades.service") == "enabled"
        assert inside(server, "systemctl", "is-system-running") == "running"
        assert inside(server, "sh", "-c", "ls /usr/sbin/policy-rc.d 2>/dev/null || echo none") == "none"


def test_apt_knows_its_lists_and_gets_newer_ones_when_they_are_a_day_old(pair: list[dict[str, Any]]) -> None:
    age = "expr $(date +%s) - $(stat -c %Y /var/lib/apt/lists/partial)"
    assert int(inside(pair[0], "sh", "-c", age)) < 86_400
    assert "_InRelease" in inside(pair[0], "ls", "/var/lib/apt/lists")


def test_there_is_no_drift_and_an_import_is_of_the_base_image(
    driver: Any, pair: list[dict[str, Any]]
) -> None:
    server = {key: value for key, value in pair[0].items() if key != "inputs"}
    identity, found = driver.read("Server", server["containerId"], server, pair[0]["inputs"])
    assert (identity, found) == (server["containerId"], server)
    assert list(driver.diff("Server", found, pair[0]["inputs"], pair[0]["inputs"]).diffs) == []
    _, imported = driver.read("Server", server["containerId"])
    assert imported["image"] == "debian-12"


def test_a_port_is_opened_in_place_and_the_server_goes(driver: Any, pair: list[dict[str, Any]]) -> None:
    old, inputs = pair[1], pair[1]["inputs"]
    outputs = {key: value for key, value in old.items() if key != "inputs"}
    news = {**inputs, "publish": [{"port": 80}]}
    new = driver.update("Server", old["containerId"], {**outputs}, news)
    assert (new["incarnation"], list(new["published"])) == (old["incarnation"], ["80"])
    assert "install ok installed" in inside(new, "dpkg-query", "-W", "-f", "${Status}", "nginx")
    driver.delete("Server", new["containerId"], new)
    assert driver.read("Server", new["containerId"], new, news)[0] == ""


@pytest.mark.parametrize(
    "named", [f"{NAME}:gone", "localhost/steward/prepared:../x", "docker.io/library/debian", 7]
)
def test_an_image_that_does_not_fit_is_done_without(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, workshop: Workshop, named: object
) -> None:
    from stacks.providers.local.machine import Machine
    from stacks.providers.local.prepared import image_for

    table = tmp_path / "table.json"
    table.write_text(json.dumps({"web-1": named}))
    monkeypatch.setenv(VARIABLE, str(table))
    assert image_for(Machine(), "web-1", workshop.base) == workshop.base
    for text in ("{", "[]", "\x00", "[" * 100_000):
        table.write_text(text)
        assert image_for(Machine(), "web-1", workshop.base) == workshop.base


def test_an_image_of_another_base_image_is_done_without(
    monkeypatch: pytest.MonkeyPatch, prepared: Workshop
) -> None:
    from stacks.providers.local.machine import Machine
    from stacks.providers.local.prepared import image_for

    monkeypatch.setenv(VARIABLE, str(prepared.folder / "images.json"))
    assert image_for(Machine(), "web-1", prepared.base) == prepared.tag(CONTENTS)
    newer = "localhost/steward/debian-12:ffffffffffff"
    assert image_for(Machine(), "web-1", newer) == newer


def test_a_build_that_was_killed_leaves_no_image_and_the_next_one_heals(
    workshop: Workshop, tmp_path: Path
) -> None:
    argv = [sys.executable, "-P", "-c", BUILD, workshop.base, workshop.runtime, str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    build = subprocess.Popen([*argv, "netcat-openbsd"], env=environment, start_new_session=True)
    deadline = time.monotonic() + 60
    while not workshop.unfinished():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    os.killpg(build.pid, signal.SIGKILL)
    build.wait()
    assert workshop.unfinished() != []
    assert not exists(workshop.tag(SMALL))
    try:
        done = workshop.images().prepare({"web-1": SMALL})
        assert (done.made, done.problems) == (1, ())
        assert exists(workshop.tag(SMALL))
        assert workshop.unfinished() == []
    finally:
        podman("image", "rm", "--ignore", workshop.tag(SMALL))


@pytest.mark.parametrize(
    ("package", "told"),
    [
        ("no-such-package-here", "Unable to locate package"),
        ("ssl-cert", "ssl-cert-snakeoil.key holds a private key"),
    ],
)
def test_what_cannot_be_prepared_is_told_and_makes_no_image(
    workshop: Workshop, package: str, told: str
) -> None:
    contents = Contents(frozenset({package}))
    done = workshop.images().prepare({"web-1": contents})
    assert done.made == 0
    assert told in done.problems[0]
    assert not exists(workshop.tag(contents))
    assert workshop.unfinished() == []
    assert json.loads((workshop.folder / "images.json").read_text()) == {}


def test_without_a_mirror_servers_are_made_from_the_base_image(workshop: Workshop) -> None:
    name, tag = f"steward-test-{secrets.token_hex(4)}", f"localhost/steward/test:{secrets.token_hex(4)}"
    podman("create", "--name", name, workshop.base, "true")
    try:
        cut_off = "Types: deb\nURIs: http://127.0.0.1:9/debian\nSuites: bookworm\nComponents: main\n"
        subprocess.run(["podman", "cp", "-", f"{name}:/etc/apt"], input=tar_of(cut_off), check=True)
        podman("commit", "--quiet", name, tag)
        cut = Workshop(tag, workshop.runtime, workshop.folder)
        done = cut.images().prepare({"web-1": SMALL})
        assert (done.made, len(done.problems)) == (0, 1)
        assert "Could not connect" in done.problems[0]
        assert not exists(cut.tag(SMALL))
    finally:
        podman("rm", "--force", name)
        podman("image", "rm", "--ignore", tag)


def tar_of(sources: str) -> bytes:
    """An apt whose only source is this one."""
    import io
    import tarfile

    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, text in (("sources.list", ""), ("sources.list.d/cut.sources", sources)):
            header = tarfile.TarInfo(name)
            header.size = len(text)
            tar.addfile(header, io.BytesIO(text.encode()))
    return stream.getvalue()
