"""The digest of the playbooks follows their content and modes, not what tools leave beside them."""

from __future__ import annotations

from pathlib import Path

from orchestrator.convergence.inputs import playbooks_digest


def test_content_and_mode_count_and_leftovers_of_tools_do_not(tmp_path: Path) -> None:
    (tmp_path / "roles").mkdir()
    (tmp_path / "roles" / "main.yml").write_text("- a")
    first = playbooks_digest(tmp_path)
    (tmp_path / "roles" / "__pycache__").mkdir()
    (tmp_path / "roles" / "__pycache__" / "x.pyc").write_text("")
    assert playbooks_digest(tmp_path) == first
    (tmp_path / "roles" / "main.yml").chmod(0o755)
    second = playbooks_digest(tmp_path)
    assert second != first
    (tmp_path / "roles" / "main.yml").write_text("- b")
    assert playbooks_digest(tmp_path) != second
