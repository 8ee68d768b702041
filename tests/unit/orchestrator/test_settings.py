"""Where things lie, from the environment alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.app_fleet import require_project
from orchestrator.errors import InputError
from orchestrator.settings import Settings, code_root, forget_foreign, load_settings


def test_without_variables_the_places_of_the_system(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    settings = load_settings({})
    assert settings.home == tmp_path / ".local" / "state" / "steward"
    assert settings.cache == tmp_path / ".cache" / "steward"
    assert settings.project == settings.code == code_root()
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


def test_a_folder_for_anchors_is_named_by_a_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_settings({"STEWARD_ANCHOR": "anchors"}).anchor == tmp_path / "anchors"
    stamped = load_settings({"STEWARD_TSA": "https://tsa.example/tsr", "STEWARD_TSA_CA": "root.pem"})
    assert (stamped.tsa, stamped.tsa_certificates) == ("https://tsa.example/tsr", tmp_path / "root.pem")
    assert load_settings({}).anchor is None


def test_an_empty_variable_is_as_good_as_none() -> None:
    assert load_settings({"STEWARD_HOME": "", "STEWARD_TOOLCHAIN": ""}) == load_settings({})


def test_an_unknown_source_of_the_toolchain_is_refused() -> None:
    with pytest.raises(InputError, match=r"STEWARD_TOOLCHAIN: is not one of auto, path.*got offical"):
        load_settings({"STEWARD_TOOLCHAIN": "offical"})


def repository(folder: Path, name: str = "steward") -> Path:
    folder.mkdir(parents=True)
    (folder / "Pulumi.yaml").write_text(f"# fleets\nname: {name}\nruntime: python\n")
    return folder


def test_the_project_is_the_nearest_repository_above(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    outer, inner = repository(tmp_path / "outer"), repository(tmp_path / "outer" / "fleets" / "inner")
    below = inner / "a" / "b"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    settings = load_settings({})
    assert settings.project == inner
    assert (settings.own_roles, settings.own_rules) == (inner / "roles", inner / "rules")
    assert settings.playbooks == code_root() / "playbooks", "ours stay ours"
    monkeypatch.chdir(outer / "fleets")
    assert load_settings({}).project == outer
    assert load_settings({"STEWARD_PROJECT": str(inner)}).project == inner
    fleet = inner / "fleets" / "shop.yaml"
    assert load_settings({}, beside=fleet).project == outer, "the working folder's own comes first"
    monkeypatch.chdir(tmp_path)
    assert load_settings({}, beside=fleet).project == inner


def test_a_pulumi_project_of_something_else_is_passed_by(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ours = repository(tmp_path / "ours")
    other = repository(ours / "other", "steward-website")
    monkeypatch.chdir(other)
    assert load_settings({}).project == ours


def test_without_any_repository_it_is_the_checkout(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_settings({}).project == code_root()


def test_a_folder_that_is_no_repository_is_refused_by_name(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", cache=tmp_path / "cache", project=tmp_path)
    with pytest.raises(InputError, match=r"(?s)no Pulumi.yaml of a Steward project here.*steward init DIR"):
        require_project(settings)
    repository(tmp_path / "ours")
    require_project(Settings(home=tmp_path, cache=tmp_path, project=tmp_path / "ours"))


def test_what_would_steer_pulumi_or_ansible_behind_our_back_is_forgotten() -> None:
    environ = {
        "ANSIBLE_RUN_TAGS": "nothing",
        "ANSIBLE_LOG_PATH": "/tmp/log",
        "PULUMI_CONFIG_PASSPHRASE": "another",
        "PULUMI_OPTION_TARGET": "urn",
        "MITOGEN_POOL_SIZE": "1",
        "STEWARD_STRATEGY": "linear",
        "PATH": "/bin",
    }
    forget_foreign(environ)
    assert environ == {"STEWARD_STRATEGY": "linear", "PATH": "/bin"}


def test_a_proxy_is_never_asked_for_this_machine() -> None:
    environ = {"HTTPS_PROXY": "http://proxy:3128", "no_proxy": "intern.example, localhost"}
    forget_foreign(environ)
    wanted = "intern.example,localhost,127.0.0.1"
    assert environ == {"HTTPS_PROXY": "http://proxy:3128", "no_proxy": wanted, "NO_PROXY": wanted}
