"""Bad input: each a clear error with subject, place and next step; nothing changed, no traceback."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from tests.e2e.world import TINY, World, podman_objects

pytestmark = [pytest.mark.real, pytest.mark.e2e]


def change(old: str, new: str) -> str:
    """The tiny fleet with one thing wrong."""
    assert old in TINY
    return TINY.replace(old, new)


FILES = {
    "malformed YAML": (TINY + "  : [", "not valid YAML"),
    "unknown key": (change("owner:", "ownr:"), "Did you mean 'owner'"),
    "dangling network": (change("network: lan", "network: lann"), "no network named 'lann'; known: lan. Did you mean 'lan'?"),
    "dangling plan": (change("    roles: []", "    roles: []\n    backup: [nightly]"), "no backup plan named 'nightly'"),
    "overlapping networks": (change("networks:", "networks:\n  wan: {cidr: 10.73.0.0/16}"), "overlaps with network"),
    "count 0": (change("    size:", "    count: 0\n    size:"), "servers.box.count"),
    "count 10000": (change("    size:", "    count: 10000\n    size:"), "servers.box.count"),
    "name with a space": (change("  box:", "  'my box':"), "servers.my box"),
    "name with shell text": (change("  box:", "  '$(id)':"), "lower-case letters"),
    "name with a path": (change("  box:", "  ../box:"), "lower-case letters"),
    "unknown role": (change("    roles: []", "    roles: [ngnix]"), "Did you mean 'nginx'"),
    "unknown role variable": (change("    roles: []", "    roles: [{nginx: {sit: x}}]"), "has no variable 'sit'"),
    "wrong role variable": (change("    roles: []", "    roles: [{nginx: {site: nowhere}}]"), "must be one of"),
    "role variable that steward sets": (change("    roles: []", "    roles: [{baseline: {gateway: 1.2.3.4}}]"), "gateway"),
}  # fmt: skip

PLAN = """
repositories:
  vault: {stack: e2e-vault}
backups:
  files:
    paths: [/srv]
    repository: vault
    schedule: "SCHEDULE"
    keep: {daily: 7}
    rpo: RPO
    rto: 1h
"""


@pytest.mark.parametrize("case", FILES)
def test_a_wrong_file_is_refused(tmp_path: Path, case: str) -> None:
    world, (text, expected) = World(tmp_path), FILES[case]
    done = world.steward("up", "--fleet", world.fleet("tiny.yaml", text))
    refused(done.code, done.err, expected)
    assert not (world.home / "steward.db").exists()


@pytest.mark.parametrize(
    ("schedule", "rpo", "expected"),
    [("0 3 31 2 *", "26h", "never fires"), ("0 3 * * *", "1h", "shorter than the schedule"), ("61 * * * *", "1h", "0-59")],
)  # fmt: skip
def test_a_wrong_schedule_is_refused(tmp_path: Path, schedule: str, rpo: str, expected: str) -> None:
    world = World(tmp_path)
    text = change("    roles: []", "    roles: []\n    backup: [files]")
    text += PLAN.replace("SCHEDULE", schedule).replace("RPO", rpo)
    done = world.steward("up", "--fleet", world.fleet("tiny.yaml", text))
    refused(done.code, done.err, expected)


def test_a_missing_file_and_a_missing_option(tmp_path: Path) -> None:
    world = World(tmp_path)
    done = world.steward("up", "--fleet", tmp_path / "nothing.yaml")
    refused(done.code, done.err, "cannot be read")
    assert world.steward("up").code == 2  # no verb has a default fleet


def test_a_missing_vault_is_named(tiny: tuple[World, Path]) -> None:
    world, _ = tiny
    text = change("    roles: []", "    roles: []\n    backup: [files]")
    text += PLAN.replace("SCHEDULE", "0 3 * * *").replace("RPO", "26h").replace("e2e-vault", "e2e-nowhere")
    done = world.steward("up", "--fleet", world.fleet("tiny.yaml", text))
    assert done.code == 2 and "e2e-nowhere" in done.err and "no such stack" in done.err, done.all


def test_a_wrong_passphrase_is_named(tiny: tuple[World, Path]) -> None:
    world, fleet = tiny
    world.ok("plan", "--fleet", fleet)
    secret = world.shell(
        "pulumi config set --secret steward:probe x && pulumi up --yes --skip-preview --target nothing || true",
        fleet,
    )
    assert secret.code == 0, secret.all
    passphrase = world.home / "keys" / "e2e-tiny" / "passphrase"
    kept = passphrase.read_text()
    passphrase.write_text("not the passphrase\n")
    done = world.steward("up", "--fleet", fleet)
    passphrase.write_text(kept)
    refused(done.code, done.err, "passphrase")


def test_stack_and_fleet_that_disagree(tiny: tuple[World, Path]) -> None:
    world, fleet = tiny
    world.ok("plan", "--fleet", fleet)
    other = world.fleet("copy.yaml", TINY)
    done = world.steward("up", "--fleet", other)
    refused(done.code, done.err, "disagree")
    bare = world.shell("pulumi preview --stack e2e-tiny", fleet)
    assert bare.code == 0, bare.all
    world.fleet("tiny.yaml", TINY.replace("environment: tiny", "environment: else"))
    bare = world.shell("true", other)
    assert bare.code != 0
    world.fleet("tiny.yaml", TINY)


def test_podman_missing(tiny: tuple[World, Path], tmp_path: Path) -> None:
    world, fleet = tiny
    tools = tmp_path / "bin"
    tools.mkdir()
    for folder in os.environ["PATH"].split(":"):
        for tool in Path(folder).glob("*") if Path(folder).is_dir() else ():
            if tool.name != "podman" and not (tools / tool.name).exists():
                (tools / tool.name).symlink_to(tool)
    done = world.steward("up", "--fleet", fleet, env={"PATH": str(tools)})
    assert done.code == 2 and "podman" in done.err.lower() and "Traceback" not in done.err, done.all
    doctor = world.steward("doctor", env={"PATH": str(tools)})
    assert doctor.code == 2
    assert "podman" in doctor.out.lower()


def test_a_taken_port(tiny: tuple[World, Path]) -> None:
    world, _ = tiny
    before = podman_objects("e2e-tiny")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        text = change(
            "    roles: []", f"    roles: []\n    ingress: [{{from: anywhere, port: 80, publish: {port}}}]"
        )
        done = world.steward("up", "--fleet", world.fleet("tiny.yaml", text))
    refused(done.code, done.err, str(port))
    assert podman_objects("e2e-tiny") == before


def test_an_inotify_limit_that_is_too_low(tiny: tuple[World, Path], tmp_path: Path) -> None:
    """Seen so by these commands alone: others start servers on this machine at the same time."""
    world, fleet = tiny
    before, low = podman_objects("e2e-tiny"), tmp_path / "max_user_instances"
    low.write_text("4\n")
    script = f'mount --bind {low} /proc/sys/fs/inotify/max_user_instances && exec "$@"'
    # Slave: what others mount meanwhile, as the network of a new container, is seen here; not the other way.
    apart = ("unshare", "--mount", "--propagation", "slave", "sh", "-c", script, "sh")
    done = world.steward("up", "--fleet", fleet, within=apart)
    doctor = world.steward("doctor", within=apart)
    assert "max_user_instances" in done.err and "sysctl" in done.err and done.code in (2, 3), done.all
    assert doctor.code == 2
    assert "inotify" in doctor.out
    assert podman_objects("e2e-tiny")["containers"] == before["containers"]


def refused(code: int, err: str, expected: str) -> None:
    """The error is an input error, says what is expected, and shows no traceback."""
    assert code == 2, err
    assert expected in err, err
    assert "Traceback" not in err
