"""Digests change with what they cover, and with nothing else."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest

from orchestrator.toolchain import recipe


def test_module_files_name_the_pinned_versions() -> None:
    pulumi = (recipe.PULUMI_BUILD.modules / "go.mod").read_text()
    backup = (recipe.BACKUP_BUILD.modules / "go.mod").read_text()
    assert f"github.com/pulumi/pulumi/pkg/v3 v{recipe.PULUMI_VERSION}" in pulumi
    assert f"github.com/restic/restic v{recipe.RESTIC_VERSION}" in backup
    assert f"github.com/restic/rest-server v{recipe.REST_SERVER_VERSION}" in backup


def test_collections_wheel_is_the_pinned_one() -> None:
    pin = (recipe.HERE / "requirements" / "collections.txt").read_text()
    assert f"ansible=={recipe.COLLECTIONS_VERSION}" in pin
    assert "--hash=sha256:" in pin


def test_build_digest_changes_with_flags() -> None:
    changed = dataclasses.replace(recipe.BACKUP_BUILD, flags=(*recipe.BACKUP_BUILD.flags, "-race"))
    assert recipe.build_digest(changed) != recipe.build_digest(recipe.BACKUP_BUILD)


def test_image_digest_changes_with_any_file_of_the_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = recipe.image_digest()
    for folder in ("image", "gomodules", "requirements", "wrappers"):
        shutil.copytree(recipe.HERE / folder, tmp_path / folder)
    monkeypatch.setattr(recipe, "HERE", tmp_path)
    recipe.image_digest.cache_clear()
    try:
        assert recipe.image_digest() == before
        (tmp_path / "image" / "rootfs" / "etc" / "new").write_text("x")
        recipe.image_digest.cache_clear()
        assert recipe.image_digest() != before
    finally:
        recipe.image_digest.cache_clear()


def test_digests_are_short_names_that_fit_into_a_path() -> None:
    assert len(recipe.toolchain_digest()) == 16
    assert recipe.image_tag() == f"localhost/steward/debian-12:{recipe.image_digest()[:12]}"
