"""Reading versions out of what programs print."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from orchestrator.toolchain import versions


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("v3.259.0", (3, 259, 0)),
        ("restic 0.18.1 compiled with go1.26.8", (0, 18, 1)),
        ("go version go1.26 linux/amd64", (1, 26)),
        ("", None),
        ("unknown", None),
    ],
)
def test_the_first_dotted_number_counts(text: str, wanted: versions.Version | None) -> None:
    assert versions.parse_version(text) == wanted


def program(folder: Path, version: str) -> Path:
    folder.mkdir()
    path = folder / "tool"
    path.write_text(f"#!/bin/sh\necho tool {version}\n")
    path.chmod(0o755)
    return path


def test_old_programs_and_our_own_are_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = program(tmp_path / "cache", "9.0.0")
    theirs = program(tmp_path / "theirs", "2.0.0")
    monkeypatch.setenv("PATH", os.pathsep.join([str(ours.parent), str(theirs.parent), os.environ["PATH"]]))
    assert versions.on_path("tool", (1, 0)) == ours
    assert versions.on_path("tool", (1, 0), outside=tmp_path / "cache") == theirs
    assert versions.on_path("tool", (3, 0), outside=tmp_path / "cache") is None


def test_a_program_that_cannot_run_has_no_version(tmp_path: Path) -> None:
    assert versions.program_version(tmp_path / "gone") is None
