"""Full disks that are not a configured host's: the control machine's and the vault's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.world import command
from tests.faults import made
from tests.faults.fleets import Broken

pytestmark = [pytest.mark.real, pytest.mark.e2e]


@contextmanager
def small_home(broken: Broken, megabytes: int) -> Iterator[Path]:
    """STEWARD_HOME as it is, on a file system of its own with only so much left."""
    home = broken.world.home
    kept = home.with_name("home.kept")
    used = int(command(["du", "-sm", str(home)]).split()[0])
    home.rename(kept)
    home.mkdir(mode=0o700)
    command(["mount", "-t", "tmpfs", "-o", f"size={used + megabytes}m,mode=0700", "tmpfs", str(home)])
    try:
        command(["cp", "-a", f"{kept}/.", str(home)])
        yield home
    finally:
        command(["cp", "-a", f"{home}/.", str(kept)])
        command(["umount", "--lazy", str(home)])
        home.rmdir()
        kept.rename(home)


def fill(folder: Path) -> Path:
    """A file that takes all that is left."""
    path = folder / "fill"
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 65536)
        except OSError:
            return path


def test_a_control_machine_without_room_refuses_before_anything_is_touched(broken: Broken) -> None:
    before = broken.ledger()
    with small_home(broken, 64) as home:
        filler = fill(home)
        refused = broken.up()
        filler.unlink()
    assert refused.code == 2, refused.all
    assert "STEWARD_HOME" in refused.err and "its disk is too full for a run" in refused.err
    assert "Free space there, then run this again." in " ".join(refused.err.split())
    assert broken.ledger() == before
    broken.heals()


def test_a_control_machine_that_fills_up_in_the_middle_still_ends_true(broken: Broken) -> None:
    with small_home(broken, 64) as home:
        done = broken.at(
            "configure", "--fleet", broken.shop, line="configure …", act=lambda _: str(fill(home))
        )
        (home / "fill").unlink()
        broken.is_true(done, 3, "its disk is full, so not everything could be written", "Free space there")
    broken.heals()


def test_a_full_vault_is_told_as_such_and_old_backups_stay(broken: Broken) -> None:
    vault, run = broken.container("vault-1"), ("backup", "run", "--fleet", broken.shop, "--host", "web-1")
    with made.full_volume(vault, "/srv/backup"):
        done = broken.world.steward(*run)
        broken.is_true(
            done,
            1,
            "vault-1: the disk that holds /srv/backup is full (0 B free of",
            "steward backup run --fleet",
        )
        status = broken.world.steward("backup", "status", "--fleet", broken.shop)
        assert status.code == 0, status.all
    again = broken.world.steward(*run)
    assert again.code == 0, again.all
    broken.heals()
