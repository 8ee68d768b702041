"""Parts on disk: whole or not there, and every change is seen."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.toolchain import store


def fill(folder: Path) -> str:
    (folder / "bin").mkdir()
    (folder / "bin" / "tool").write_text("works")
    return "a test"


def test_a_published_folder_is_whole(tmp_path: Path) -> None:
    manifest = store.publish(tmp_path / "part", name="tool", digest="d", fill=fill)
    assert manifest == store.read_manifest(tmp_path / "part")
    assert manifest.source == "a test"
    assert not store.touched(tmp_path / "part")
    assert store.tampered(tmp_path / "part", content=True) == []


def test_changed_and_missing_files_are_named(tmp_path: Path) -> None:
    store.publish(tmp_path / "part", name="tool", digest="d", fill=fill)
    tool = tmp_path / "part" / "bin" / "tool"
    tool.write_text("lies!")
    assert store.tampered(tmp_path / "part", content=False) == []
    assert store.tampered(tmp_path / "part", content=True) == ["bin/tool"]
    assert store.touched(tmp_path / "part")
    tool.unlink()
    assert store.tampered(tmp_path / "part", content=False) == ["bin/tool"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": "other/1"}', '{"schema": "steward.part/1"}'])
def test_an_unreadable_manifest_makes_the_part_missing(tmp_path: Path, text: str) -> None:
    store.publish(tmp_path / "part", name="tool", digest="d", fill=fill)
    (tmp_path / "part" / store.MANIFEST).write_text(text)
    assert store.tampered(tmp_path / "part", content=False) == [store.MANIFEST]


def test_a_fill_that_fails_leaves_the_old_part_and_nothing_else(tmp_path: Path) -> None:
    store.publish(tmp_path / "part", name="tool", digest="d", fill=fill)

    def broken(folder: Path) -> str:
        (folder / "half").write_text("")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        store.publish(tmp_path / "part", name="tool", digest="d", fill=broken)
    assert [path.name for path in tmp_path.iterdir()] == ["part"]
    assert store.tampered(tmp_path / "part", content=True) == []


def test_publishing_again_replaces_the_part(tmp_path: Path) -> None:
    for _ in range(2):
        store.publish(tmp_path / "part", name="tool", digest="d", fill=fill)
    assert [path.name for path in tmp_path.iterdir()] == ["part"]


def test_leftovers_of_a_killed_set_up_are_removed(tmp_path: Path) -> None:
    (tmp_path / ".new-part-0000").mkdir()
    (tmp_path / "part").mkdir()
    store.remove_leftovers(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["part"]


def test_linked_trees_leave_the_manifest_behind(tmp_path: Path) -> None:
    store.publish(tmp_path / "part", name="tool", digest="d", fill=fill)
    store.link_tree(tmp_path / "part", tmp_path / "root")
    assert (tmp_path / "root" / "bin" / "tool").read_text() == "works"
    assert not (tmp_path / "root" / store.MANIFEST).exists()
