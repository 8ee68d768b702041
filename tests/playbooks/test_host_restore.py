"""The host's restore: which snapshot it takes, and how it compares what came back."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.playbooks.host_plan import plan

FILES = Path(__file__).parents[2] / "playbooks" / "roles" / "backup" / "files"


@pytest.fixture(autouse=True, scope="module")
def on_path() -> Iterator[None]:
    """Import the package as a host does, from the folder it lies in."""
    sys.path.insert(0, str(FILES))
    yield
    sys.path.remove(str(FILES))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small tree with a link, an empty file and an odd name."""
    top = tmp_path / "live" / "site"
    top.mkdir(parents=True)
    (top / "a.html").write_text("alpha")
    (top / "empty").touch()
    (top / "odd\nname").write_text("odd")
    (top / "link").symlink_to("a.html")
    return top


def restored(tree: Path, root: Path) -> None:
    """Copy the tree below a root, as a restore does."""
    target = Path(f"{root}{tree}")
    target.parent.mkdir(parents=True)
    subprocess.run(["cp", "-a", str(tree), str(target)], check=True)


def test_an_equal_copy_has_no_differences(tree: Path, tmp_path: Path) -> None:
    from steward_backup import manifest

    entries, _ = manifest.take((str(tree),), {})
    restored(tree, tmp_path / "copy")

    assert len(entries) == 4
    assert manifest.compare(entries, tmp_path / "copy", (str(tree),), {}) == []


@pytest.mark.parametrize("harm", ["content", "mode", "missing", "extra", "link", "kind"])
def test_every_kind_of_difference_is_told(tree: Path, tmp_path: Path, harm: str) -> None:
    from steward_backup import manifest

    entries, _ = manifest.take((str(tree),), {})
    restored(tree, tmp_path / "copy")
    copy = Path(f"{tmp_path / 'copy'}{tree}")
    name = {"extra": "new", "link": "link"}.get(harm, "a.html")
    if harm == "content":
        (copy / name).write_text("ALPHA")
    elif harm == "mode":
        (copy / name).chmod(0o600)
    elif harm == "extra":
        (copy / name).touch()
    else:
        (copy / name).unlink()
    if harm in {"link", "kind"}:
        (copy / name).symlink_to("empty")

    assert manifest.compare(entries, tmp_path / "copy", (str(tree),), {}) == [f"{tree}/{name}"]


def test_an_early_digest_spares_a_good_copy_and_condemns_none(tree: Path, tmp_path: Path) -> None:
    from steward_backup import hashing, manifest

    entries, _ = manifest.take((str(tree),), {})
    restored(tree, tmp_path / "copy")
    name = f"{tree}/a.html"
    copy = Path(f"{tmp_path / 'copy'}{name}")
    inode, right = copy.stat().st_ino, entries[name]["sha256"]

    def compared(early: Any) -> Any:
        return manifest.compare(entries, tmp_path / "copy", (str(tree),), {name: early})

    assert compared(hashing.Seen(inode, "0" * 64)) == []  # looked wrong while it was written
    copy.write_text("ALPHA")
    assert compared(hashing.Seen(inode, "0" * 64)) == [name]
    assert compared(hashing.Seen(inode + 1, right)) == [name]  # another file stood there then


def test_told_files_are_digested_and_other_things_are_not(tree: Path) -> None:
    from steward_backup import hashing

    os.mkfifo(tree / "pipe")
    names = ["a.html", "link", "pipe", "none", ""]
    with hashing.Hashing() as working:
        for name in names:
            working.tell(name, f"{tree}/{name}")
        working.finish()

    found = working.seen["a.html"]
    assert found == ((tree / "a.html").stat().st_ino, hashlib.sha256(b"alpha").hexdigest())
    assert set(working.seen) == {"a.html"}
    assert set(working.unread) == set(names) - {"a.html"}
    with pytest.raises(FileNotFoundError):
        hashing.digests([str(tree / "none")])


def test_a_stop_cuts_digests_short(tmp_path: Path) -> None:
    from steward_backup import errors, hashing

    endless = tmp_path / "large"
    with endless.open("wb") as out:
        out.truncate(1 << 40)
    working, began = hashing.Hashing(), time.monotonic()

    def stopped() -> None:
        with working:
            for number in range(100):
                working.tell(str(number), str(endless))
            raise errors.StoppedError("now")

    with pytest.raises(errors.StoppedError):
        stopped()

    assert time.monotonic() - began < 5
    assert working.seen == {}


@pytest.mark.parametrize(
    ("line", "path"),
    [
        (b'{"message_type":"verbose_status","action":"restored","item":"/a\\nb","size":1}', "/a\nb"),
        (b'{"message_type":"verbose_status","action":"unchanged","item":"/\\"restored\\"","size":1}', None),
        (b'{"message_type":"status","percent_done":0}', None),
        (b'"restored" but cut {', None),
    ],
)
def test_only_lines_that_tell_of_a_restored_file_name_one(line: bytes, path: str | None) -> None:
    from steward_backup import restic

    assert restic.parse_restored(line) == path


def test_the_last_good_record_counts_only_for_its_plan_and_snapshot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from steward_backup import restore, settings

    monkeypatch.setattr(settings, "RECORDS", tmp_path)
    (tmp_path / "content").mkdir()
    assert restore.last_good(plan(), "latest") is None
    record = {"plan_id": "c" * 32, "snapshot": "a" * 64}
    (tmp_path / "content" / "last-good.json").write_text(json.dumps(record))

    assert restore.last_good(plan(), "latest") == record
    assert restore.last_good(plan(), "a" * 64) == record
    assert restore.last_good(plan(), "a" * 8) is None
    assert restore.last_good(plan(id="d" * 32), "latest") is None


@pytest.mark.parametrize(
    ("wanted", "found"), [("latest", "b" * 64), ("a" * 8, "a" * 64), ("a" * 64, "a" * 64)]
)
def test_a_snapshot_is_picked_by_id_or_as_the_latest(wanted: str, found: str) -> None:
    from steward_backup import restore

    assert restore.pick([{"id": "a" * 64}, {"id": "b" * 64}], wanted, plan())["id"] == found


@pytest.mark.parametrize("wanted", ["c" * 8, "a", "aaaaaaaa"])
def test_an_unclear_snapshot_is_refused(wanted: str) -> None:
    from steward_backup import errors, restore

    with pytest.raises(errors.BackupError, match="one must"):
        restore.pick([{"id": "a" * 64}, {"id": "a" * 63 + "b"}], wanted, plan())


def test_what_is_lent_opens_another_repository_and_leaves_nothing_behind() -> None:
    from steward_backup import errors, settings

    own = settings.Repository(
        url="https://10.0.0.2:8443/own/", user="own", incarnation="a" * 32, http_password="h",
        postgresql_port=5432, limit=1.0, quiet=1.0,
    )  # fmt: skip
    loan = {
        "url": "https://10.0.0.2:8443/other/", "user": "other", "http_password": "secret-http",
        "password": "secret-content", "certificate": "PEM", "plan_id": "p" * 32,
    }  # fmt: skip
    with settings.lent(json.dumps(loan), own) as (opened, plan_id):
        told = opened.environment()
        folder = Path(told["RESTIC_CACERT"]).parent
        assert plan_id == "p" * 32
        assert told["RESTIC_REPOSITORY"] == "rest:https://10.0.0.2:8443/other/"
        assert told["RESTIC_PASSWORD"] == "secret-content"
        assert "RESTIC_PASSWORD_FILE" not in told
        assert Path(told["RESTIC_CACHE_DIR"]).parent == folder
        assert [path.read_text() for path in folder.iterdir()] == ["PEM"]  # no password is on the disk
        assert folder.stat().st_mode & 0o077 == 0
    assert not folder.exists()
    assert own.environment()["RESTIC_PASSWORD_FILE"].endswith("repository.password")
    with (
        pytest.raises(errors.BackupError, match="standard input must hold url, user"),
        settings.lent("{", own),
    ):
        pass
