"""Files that come with Steward are parsed once, and anew as soon as a byte of them is another."""

from __future__ import annotations

import json
import shutil
import sys
from datetime import date
from pathlib import Path

import pytest

from policies import shipped, yamlfile
from policies.catalog import ROOMS, room_files

FOLDER = Path(yamlfile.__file__).parent
WRITTEN = b"- {id: a.b, reviewed_on: 2026-11-30, level: 1.0, must: true}\n"
VALUE = [{"id": "a.b", "reviewed_on": date(2026, 11, 30), "level": 1.0, "must": True}]


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One that counts as shipped."""
    monkeypatch.setattr(shipped, "_PACKAGE", tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    path = tmp_path / "room.yaml"
    path.write_bytes(WRITTEN)
    return path


def kept(file: Path) -> Path:
    return file.parent / "__pycache__" / "room.yaml.json"


def test_the_second_reading_needs_no_parser(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert yamlfile.read(file) == VALUE
    monkeypatch.setattr(yamlfile, "parse", None)
    assert yamlfile.read(file) == VALUE
    assert [each.name for each in kept(file).parent.iterdir()] == ["room.yaml.json"]


def test_other_bytes_are_parsed_anew(file: Path) -> None:
    yamlfile.read(file)
    file.write_bytes(WRITTEN.replace(b"a.b", b"a.c"))
    assert yamlfile.read(file) == [{**VALUE[0], "id": "a.c"}]
    file.write_bytes(b"a: 1\na: 2\n")
    with pytest.raises(yamlfile.PackError, match="stands twice"):
        yamlfile.read(file)


def test_another_parser_parses_anew(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    yamlfile.read(file)
    parser = tmp_path / "parser.py"
    parser.write_text("stricter")
    monkeypatch.setattr(shipped, "_PARSER", parser)
    shipped._parser.cache_clear()
    before = kept(file).read_bytes()
    try:
        assert yamlfile.read(file) == VALUE
    finally:
        shipped._parser.cache_clear()
    assert kept(file).read_bytes() != before


@pytest.mark.parametrize("left", ["", "[", "[]", '{"made_of": "x"}', "\x00"])
def test_what_was_kept_badly_is_written_anew(file: Path, left: str) -> None:
    yamlfile.read(file)
    whole = kept(file).read_text()
    kept(file).write_text(left)
    assert yamlfile.read(file) == VALUE
    assert kept(file).read_text() == whole


@pytest.mark.parametrize("content", [b"1: a key that is no text\n", b"at: 2026-11-30 10:00:00\n"])
def test_what_json_would_give_back_otherwise_is_not_kept(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    once = yamlfile.read(file)
    assert yamlfile.read(file) == once
    assert not kept(file).exists()


def test_nothing_is_written_where_python_writes_no_byte_code(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert yamlfile.read(file) == VALUE
    assert not kept(file).exists()


def test_a_folder_that_cannot_be_written_to_is_read_all_the_same(file: Path) -> None:
    (file.parent / "__pycache__").write_text("in the way")
    assert yamlfile.read(file) == VALUE


def test_a_users_own_file_is_never_kept(tmp_path: Path) -> None:
    path = tmp_path / "room.yaml"
    path.write_bytes(WRITTEN)
    assert yamlfile.read(path) == VALUE
    assert not kept(path).exists()


def test_every_room_of_the_catalog_can_be_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipped, "_PACKAGE", tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    for room in ROOMS:
        for source in room_files(FOLDER / "catalog", room):
            path = Path(shutil.copy(source, tmp_path / source.name))
            once = yamlfile.read(path)
            told = json.loads((tmp_path / "__pycache__" / f"{path.name}.json").read_text())
            assert told.keys() == {"made_of", "value"}
            assert yamlfile.read(path) == once
