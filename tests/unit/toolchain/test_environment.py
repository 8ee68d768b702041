"""The environment of children, and what is said when set-up has not run."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from orchestrator.errors import InputError
from orchestrator.settings import Settings
from orchestrator.toolchain import environment, store


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", cache=tmp_path / "cache", project=tmp_path / "project")


def install(settings: Settings, images: str) -> Path:
    root = environment.toolchain_root(settings.cache)

    def fill(folder: Path) -> str:
        (folder / environment.IMAGES).write_text(images)
        return "a test"

    store.publish(root, name="toolchain", digest="d", fill=fill)
    return root


def test_children_find_our_tools_first_and_each_folder_once(settings: Settings) -> None:
    root = environment.toolchain_root(settings.cache)
    path = f"/usr/bin:{root / 'bin'}::/bin"
    env = environment.child_environment(settings, "acme-demo", path=path)
    ours = str(Path(sys.executable).parent)
    assert env["PATH"].split(":") == [str(root / "bin"), ours, "/usr/bin", "/bin"]


def test_children_get_every_variable_of_the_contract(settings: Settings) -> None:
    env = environment.child_environment(settings, "acme-demo", path="/bin")
    home = settings.home
    assert env["STEWARD_HOME"] == str(home)
    assert env["STEWARD_PYTHON"] == sys.executable
    assert env["STEWARD_TOOLCHAIN_ROOT"] == str(environment.toolchain_root(settings.cache))
    assert env["PULUMI_BACKEND_URL"] == f"file://{home}/pulumi"
    assert env["PULUMI_CONFIG_PASSPHRASE_FILE"] == f"{home}/keys/acme-demo/passphrase"
    assert env["PULUMI_STACK"] == "acme-demo"
    assert env["PULUMI_OPTION_POLICY_PACK"] == str(settings.code / "policies")
    assert env["STEWARD_OWN_RULES"] == str(settings.project / "rules")
    assert env["PULUMI_SKIP_UPDATE_CHECK"] == env["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] == "true"
    assert "PULUMI_CONFIG_PASSPHRASE" not in env


def test_without_set_up_the_next_step_is_named(settings: Settings) -> None:
    with pytest.raises(InputError, match="Run `steward setup`"):
        environment.load_toolchain(settings)


def test_an_installed_toolchain_says_where_its_parts_are(settings: Settings) -> None:
    root = install(settings, json.dumps({"runtime": "runc", "debian-12": "localhost/x:1"}))
    toolchain = environment.load_toolchain(settings)
    assert toolchain.pulumi == root / "bin" / "pulumi"
    assert toolchain.images == {"debian-12": "localhost/x:1"}
    assert toolchain.runtime == "runc"


def test_an_unreadable_image_list_is_told(settings: Settings) -> None:
    install(settings, "{}")
    with pytest.raises(InputError, match="no readable list of images"):
        environment.load_toolchain(settings)
