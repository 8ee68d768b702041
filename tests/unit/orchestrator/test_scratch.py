"""What a killed run left in the temporary folder goes with the next run; what lives stays."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from orchestrator.scratch import scratch, scratch_folder, sweep

_MAKER = """
import sys
from orchestrator.scratch import scratch_folder
folder = scratch_folder("repository")
(folder / "password").write_text("x")
print(folder, flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A temporary folder of the test's own."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)


def test_a_folder_is_there_for_the_block_alone(tmp_path: Path) -> None:
    with scratch("cp") as folder:
        assert folder.parent == tmp_path
        assert folder.stat().st_mode & 0o777 == 0o700
        assert sweep() == []
    assert not folder.exists()


def test_what_a_killed_process_left_is_removed_and_not_before() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _MAKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as maker:
        assert maker.stdout is not None
        folder = Path(maker.stdout.readline().strip())
        assert sweep() == []
        assert (folder / "password").exists()
        maker.kill()
    assert sweep() == [folder]
    assert not folder.exists()


@pytest.mark.parametrize("owner", ["", "[]", '{"pid": 1}', None])
def test_a_folder_without_a_readable_owner_is_not_ours_to_remove(tmp_path: Path, owner: str | None) -> None:
    folder = tmp_path / "steward-of-somebody"
    folder.mkdir()
    if owner is not None:
        (folder / ".owner").write_text(owner)
    assert sweep() == []
    assert folder.exists()


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    real = scratch_folder("ssh")
    (real / ".owner").write_text('{"pid": 1, "boot_id": "another", "start_ticks": 1}')
    kept = tmp_path / "kept"
    real.rename(kept)
    (tmp_path / "steward-ssh-link").symlink_to(kept)
    assert sweep() == []
    assert kept.exists()
