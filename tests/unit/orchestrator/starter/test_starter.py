"""A repository that `steward init` writes is whole, and an upgrade keeps what its owner changed."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
import yaml

from orchestrator.app_fleet import fleets_of, validate_files
from orchestrator.cli.main import run
from orchestrator.errors import InputError
from orchestrator.policy_pack import open_pack
from orchestrator.settings import Settings, find_project
from orchestrator.starter.templates import StarterFile, starter_files
from orchestrator.starter.write import Done, read_record, upgrade, write_new
from policies.cases import try_cases

VERSION = "0.1.0"
FILES = starter_files("globex", VERSION)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    write_new(tmp_path / "repository", FILES, VERSION, "globex")
    return tmp_path / "repository"


def newer(path: str, text: str) -> tuple[StarterFile, ...]:
    """The files of a Steward in which one of them reads otherwise."""
    changed = [StarterFile(path, text, follows=True) if each.path == path else each for each in FILES]
    return (
        *changed,
        *([] if path in {each.path for each in FILES} else [StarterFile(path, text, follows=True)]),
    )


def upgraded(folder: Path, files: tuple[StarterFile, ...]) -> dict[str, Done]:
    done = upgrade(folder, files, "0.2.0", read_record(folder))
    return {each.path: each.done for each in done if each.done is not Done.SAME}


def settings(folder: Path) -> Settings:
    return Settings(home=folder / "home", cache=folder / "cache", project=folder)


def test_its_fleets_are_valid_by_their_roles_too(repository: Path) -> None:
    found = validate_files(settings(repository), fleets_of(settings(repository), repository))
    assert [each.stack for each in found] == ["globex-shop", "globex-vault"]
    assert [str(each.problem) for each in found if each.problem] == []
    assert all(each.included for each in found)
    assert find_project(repository / "fleets" / "common") == repository


def test_its_rule_passes_its_cases(repository: Path) -> None:
    pack = open_pack(settings(repository))
    assert pack.own == {"operations.roles-are-ours"}
    assert [each for each in try_cases(repository / "rules" / "cases", pack) if each.differences] == []


def test_its_program_is_three_lines(repository: Path) -> None:
    text = (repository / "stacks" / "__main__.py").read_text()
    assert len(text.splitlines()) == 3
    compile(text, "stacks/__main__.py", "exec")


@pytest.mark.parametrize("name", [".github/workflows/fleets.yml", ".gitlab-ci.yml"])
def test_its_pipelines_run_commands_that_exist(
    repository: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every `steward` line of them is run as it stands."""
    document = yaml.safe_load((repository / name).read_text())
    check = document["jobs"]["check"]["steps"] if "jobs" in document else document["check"]["script"]
    lines = [
        each["run"] if isinstance(each, dict) else each
        for each in check
        if not isinstance(each, dict) or "run" in each
    ]
    ours = [line.split()[1:] for line in lines if line.startswith("steward ")]
    assert ours == [["validate", "--all"], ["policy", "test"]]
    monkeypatch.chdir(repository)
    assert [run(words) for words in ours] == [0, 0]


def test_every_word_is_filled_in_and_nothing_is_secret_or_executable(repository: Path) -> None:
    for path in (each for each in repository.rglob("*") if each.is_file()):
        assert not any(word in path.read_text() for word in ("@CLIENT@", "@VERSION@", "@NETWORK@")), path
        assert not stat.S_IMODE(path.stat().st_mode) & 0o111


def test_two_clients_have_networks_of_their_own() -> None:
    one, other = (
        {each.path: each.text for each in starter_files(name, VERSION)}["fleets/shop.yaml"]
        for name in ("acme", "globex")
    )
    assert one.split("cidr: ")[1].split("}")[0] != other.split("cidr: ")[1].split("}")[0]


def test_a_folder_with_other_files_is_refused_and_a_killed_init_is_finished(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine\n")
    with pytest.raises(InputError, match=r"is a repository already.*got README.md"):
        write_new(tmp_path, FILES, VERSION, "globex")
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]
    (tmp_path / "README.md").unlink()
    for each in FILES[:5]:
        (tmp_path / each.path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / each.path).write_text(each.text)
    write_new(tmp_path, FILES, VERSION, "globex")
    assert read_record(tmp_path).files == {each.path: each.digest for each in FILES}
    with pytest.raises(InputError, match="is a repository already"):
        write_new(tmp_path, FILES, VERSION, "globex")


def test_an_upgrade_to_the_same_version_changes_nothing(repository: Path) -> None:
    before = {
        path: path.read_bytes()
        for path in repository.rglob("*")
        if path.is_file() and path.name != "init.json"
    }
    assert upgraded(repository, FILES) == {}
    assert {path: path.read_bytes() for path in before} == before
    assert read_record(repository).version == "0.2.0"


def test_an_untouched_file_is_updated_and_a_new_one_written(repository: Path) -> None:
    assert upgraded(repository, newer("Pulumi.yaml", "name: steward\nnew: true\n")) == {
        "Pulumi.yaml": Done.UPDATED
    }
    assert "new: true" in (repository / "Pulumi.yaml").read_text()
    assert upgraded(repository, newer(".editorconfig", "root = true\n")) == {
        ".editorconfig": Done.WRITTEN,
        "Pulumi.yaml": Done.UPDATED,
    }


def test_an_edited_file_stays_and_the_difference_is_told_once(repository: Path) -> None:
    path = repository / ".gitignore"
    path.write_text(path.read_text() + "/mine/\n")
    assert upgraded(repository, FILES) == {".gitignore": Done.KEPT}
    files = newer(".gitignore", "__pycache__/\nnew/\n")
    (differs,) = (
        each for each in upgrade(repository, files, "0.2.0", read_record(repository)) if each.difference
    )
    assert differs.done is Done.DIFFERS
    assert "-/mine/" in differs.difference
    assert "+new/" in differs.difference
    assert "/mine/" in path.read_text()
    assert upgraded(repository, files) == {".gitignore": Done.KEPT}


def test_what_its_owner_removed_or_owns_is_left_alone(repository: Path) -> None:
    (repository / ".gitlab-ci.yml").unlink()
    (repository / "fleets" / "shop.yaml").write_text("mine\n")
    (repository / "roles" / "on_call" / "tasks" / "main.yml").unlink()
    assert upgraded(repository, FILES) == {".gitlab-ci.yml": Done.REMOVED}
    assert not (repository / ".gitlab-ci.yml").exists()
    assert (repository / "fleets" / "shop.yaml").read_text() == "mine\n"


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{}",
        "[]",
        '{"schema": "steward.init/9", "version": "1", "client": "a", "files": {}}',
        '{"schema": "steward.init/1", "version": "1", "client": "a", "files": 7}',
    ],
)
def test_a_record_that_cannot_be_read_is_refused(repository: Path, content: str) -> None:
    (repository / ".steward" / "init.json").write_text(content)
    with pytest.raises(InputError, match="its record cannot be read"):
        read_record(repository)


def test_the_verb(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["init", "fleets-of-globex"]) == 0
    assert "next: cd fleets-of-globex && steward validate --all" in capsys.readouterr().out
    assert "client: fleets-of-globex" in (tmp_path / "fleets-of-globex" / "fleets" / "shop.yaml").read_text()
    assert run(["init", "--upgrade", "fleets-of-globex"]) == 0
    assert capsys.readouterr().out == "every file is as this version writes it\n"
    path = tmp_path / "fleets-of-globex" / "Pulumi.yaml"
    path.write_text("name: steward\nmine: true\n")
    record = tmp_path / "fleets-of-globex" / ".steward" / "init.json"
    old = json.loads(record.read_text())
    old["files"]["Pulumi.yaml"] = "0" * 64  # as an older version wrote it
    record.write_text(json.dumps(old))
    assert run(["init", "--upgrade", "fleets-of-globex", "--json"]) == 1
    rows = json.loads(capsys.readouterr().out)["files"]
    (row,) = (each for each in rows if each["difference"])
    assert (row["path"], row["done"]) == ("Pulumi.yaml", "differs")
    assert "mine: true" in path.read_text()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["init", "Fleets_of!"], "a client's name has lower-case letters"),
        (["init", "x1", "--client", "A"], "a client's name has lower-case letters"),
        (["init", "--upgrade", "nowhere"], "was not made by steward init"),
        (["init", "--upgrade", ".", "--client", "acme"], "--client is for a new repository"),
        (["init", "/dev/null/x", "--client", "acme"], "cannot be written: Not a directory"),
    ],
)
def test_what_cannot_be_made_is_refused(
    words: list[str],
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(words) == 2
    assert told in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
