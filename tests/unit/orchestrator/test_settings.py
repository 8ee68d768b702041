"""Where things lie, from the environment alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.errors import InputError
from orchestrator.settings import load_settings, project_root


def test_without_variables_the_places_of_the_system(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    settings = load_settings({})
    assert settings.home == tmp_path / ".local" / "state" / "steward"
    assert settings.cache == tmp_path / ".cache" / "steward"
    assert settings.project == project_root()
    assert (settings.project / "Pulumi.yaml").is_file()
    assert settings.toolchain == "auto"


def test_variables_win_and_relative_paths_become_absolute(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/ann")
    settings = load_settings(
        {
            "STEWARD_HOME": "state",
            "STEWARD_CACHE": "~/cache",
            "STEWARD_PROJECT": "/p",
            "STEWARD_TOOLCHAIN": "path",
        }
    )
    assert (settings.home, settings.cache) == (tmp_path / "state", Path("/home/ann/cache"))
    assert (settings.project, settings.toolchain) == (Path("/p"), "path")
    assert settings.stack_keys("acme-demo") == tmp_path / "state" / "keys" / "acme-demo"
    assert settings.run_folder("R") == tmp_path / "state" / "runs" / "R"


def test_an_empty_variable_is_as_good_as_none() -> None:
    assert load_settings({"STEWARD_HOME": "", "STEWARD_TOOLCHAIN": ""}) == load_settings({})


def test_an_unknown_source_of_the_toolchain_is_refused() -> None:
    with pytest.raises(InputError, match=r"STEWARD_TOOLCHAIN: is not one of auto, path.*got offical"):
        load_settings({"STEWARD_TOOLCHAIN": "offical"})
