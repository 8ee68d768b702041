"""Reading pins, with markers."""

from __future__ import annotations

from orchestrator.toolchain import lockfile, recipe

LOCK = """\
# comment
A_Package==1.0 \\
    --hash=sha256:00
old==1 ; python_full_version < '3.11' \\
    --hash=sha256:00
new==2 ; python_full_version >= '3.11' \\
    --hash=sha256:00
"""


def test_only_lines_that_hold_here_count() -> None:
    assert lockfile.pins(LOCK) == {"a-package": "1.0", "new": "2"}


def test_our_lock_pins_every_line_by_hash_and_names_no_index() -> None:
    text = (recipe.HERE.parent.parent / "requirements" / "lock.txt").read_text()
    pins = [line for line in text.splitlines() if "==" in line and not line.startswith("#")]
    assert len(pins) > 50
    assert all(line.endswith("\\") for line in pins)
    assert "://" not in text
    assert "index-url" not in text
    assert "find-links" not in text
