"""Several fleet files at once, and all of a project."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from orchestrator.cli.main import run
from tests.unit.orchestrator.samples import FLEET

GLOBEX = "include: [common/shop.yaml]\nclient: globex\nnetworks:\n  app: {cidr: 10.60.0.0/24}\n"


@pytest.fixture
def fleets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a fleet that includes a part, and one that stands alone."""
    (tmp_path / "Pulumi.yaml").write_text("name: steward\n")
    folder = tmp_path / "fleets"
    (folder / "common").mkdir(parents=True)
    (folder / "common" / "shop.yaml").write_text(FLEET.replace("client: acme\n", ""))
    (folder / "globex.yaml").write_text(GLOBEX)
    (folder / "acme.yaml").write_text(FLEET)
    monkeypatch.chdir(tmp_path)
    return folder


def document(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    code = run(["validate", *words, "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_all_of_a_project_are_its_fleets_without_their_parts(
    fleets: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, found = document(capsys, "--all")
    assert (code, found["valid"]) == (0, True)
    assert [Path(each["file"]).name for each in found["files"]] == ["acme.yaml", "globex.yaml"]
    assert [each["stack"] for each in found["files"]] == ["acme-demo", "globex-demo"]


def test_a_broken_part_is_told_for_each_fleet_that_includes_it(
    fleets: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    part = fleets / "common" / "shop.yaml"
    part.write_text(part.read_text().replace("size: small", "size: smal"))
    line = part.read_text().splitlines().index("    size: smal") + 1
    code, found = document(capsys, "--all")
    assert (code, found["valid"], [each["valid"] for each in found["files"]]) == (2, False, [True, False])
    (mistake,) = found["files"][1]["mistakes"]
    assert (mistake["file"], mistake["line"]) == ("common/shop.yaml", line)
    assert "Did you mean 'small'?" in mistake["message"]


def test_files_are_named_with_and_without_the_option_and_each_is_told(
    fleets: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (fleets / "bad.yaml").write_text("version: 1\nclient: [\n")
    assert run(["validate", str(fleets / "acme.yaml"), "--fleet", str(fleets / "bad.yaml")]) == 2
    said = capsys.readouterr()
    assert said.out == "acme.yaml: valid; stack acme-demo, servers web-1, web-2, db-1\n"
    assert "bad.yaml: 1 mistake, nothing was changed" in said.err


def test_two_files_of_one_stack_are_told(fleets: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (fleets / "again.yaml").write_text(FLEET)
    code, found = document(capsys, "--all")
    assert code == 2
    wrong = [each for each in found["files"] if not each["valid"]]
    assert "the stack acme-demo is also described by" in wrong[0]["mistakes"][0]["message"]
    assert document(capsys, str(fleets / "acme.yaml"), str(fleets / "acme.yaml"))[0] == 0, (
        "one file named twice"
    )


def test_two_fleets_in_each_others_way_are_told_as_a_plan_would_tell(
    fleets: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (fleets / "globex.yaml").write_text(GLOBEX.replace("10.60.0.0/24", "10.41.0.128/25"))
    code, found = document(capsys, "--all")
    assert (code, [each["valid"] for each in found["files"]]) == (2, [True, False])
    assert found["files"][1]["mistakes"] == [
        {
            "path": "networks.app.cidr",
            "file": "globex.yaml",
            "line": 4,
            "message": (
                "'10.41.0.128/25' overlaps with network 'app' (10.41.0.0/24) of acme-demo (acme.yaml), on "
                "the same machine. Choose another range, such as 10.41.1.0/25."
            ),
        }
    ]
    one, other = str(fleets / "acme.yaml"), str(fleets / "globex.yaml")
    assert [document(capsys, *files)[0] for files in ([one, other], [one], [other])] == [2, 0, 0]


def test_a_range_that_two_fleets_include_is_told_with_the_line_of_their_part(
    fleets: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (fleets / "globex.yaml").write_text(GLOBEX.partition("networks:")[0])
    code, found = document(capsys, "--all")
    (mistake,) = found["files"][1]["mistakes"]
    assert (code, mistake["file"], mistake["path"]) == (2, "common/shop.yaml", "networks.app.cidr")
    line = (fleets / "common" / "shop.yaml").read_text().splitlines()[mistake["line"] - 1]
    assert "10.41.0.0/24" in line


@pytest.mark.parametrize("words", [[], ["--all", "x.yaml"]])
def test_either_files_or_all_of_them(
    fleets: Path, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["validate", *words]) == 2
    assert "name fleet files, or say --all" in capsys.readouterr().err


def test_a_project_without_fleets_is_no_success(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: steward\n")
    monkeypatch.chdir(tmp_path)
    assert run(["validate", "--all"]) == 2


def test_the_hooks_run_as_pre_commit_would_run_them(fleets: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The files that wake them are matched as pre-commit does; the entry is run with no file names."""
    hooks = yaml.safe_load((Path(__file__).parents[4] / ".pre-commit-hooks.yaml").read_text())
    assert [hook["id"] for hook in hooks] == ["steward-validate", "steward-validate-installed"]
    part = fleets / "common" / "shop.yaml"
    whole = part.read_text()
    for hook in hooks:
        changed = ["fleets/common/shop.yaml", "stacks/fleets/demo.yml", "roles/own/meta/argument_specs.yml"]
        assert all(re.search(hook["files"], path) for path in changed)
        assert not any(
            re.search(hook["files"], path) for path in ("README.md", "rules/a.yaml", "roles/a/tasks/main.yml")
        )
        program, *words = hook["entry"].split()
        assert (program, hook["pass_filenames"]) == ("steward", False)
        part.write_text(whole)
        assert run(words) == 0
        part.write_text(whole.replace("size: small", "size: smal"))
        assert run(words) == 2


def test_all_of_nobodys_project_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Else a pipeline in the wrong folder is green for fleets that are not its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("STEWARD_PROJECT", raising=False)
    assert run(["validate", "--all"]) == 2
    assert "this folder is in no repository of fleets" in capsys.readouterr().err
