"""`--changed-since REF` judges what changed, lists all, and calls nothing a pass that it left out."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.policies.test_seeded import ROOT, check, named

PREVIEW = Path(__file__).parent / "previews" / "demo.json"
FLEET = ROOT / "stacks" / "fleets" / "demo.yaml"
TASK = "- name: {name}\n  ansible.builtin.apt:\n    name: nginx\n    state: {state}\n"
CHANGED = "local:index:Network::app"


def git(folder: Path, *argv: str) -> None:
    identity = ("-c", "user.name=t", "-c", "user.email=t@t.example", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *identity, *argv], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with a preview, a role and a fleet, where one task was bad from the beginning."""
    (tmp_path / "roles" / "web" / "tasks").mkdir(parents=True)
    tasks(tmp_path, ("Install", "latest"), ("Install more", "present"))
    (tmp_path / "demo.json").write_bytes(PREVIEW.read_bytes())
    (tmp_path / "demo.yaml").write_bytes(FLEET.read_bytes())
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "first")
    return tmp_path


def tasks(folder: Path, *written: tuple[str, str]) -> None:
    text = "".join(TASK.format(name=name, state=state) for name, state in written)
    (folder / "roles" / "web" / "tasks" / "main.yml").write_text(text, encoding="utf-8")


def judged(repository: Path, *more: str) -> tuple[int, dict[str, Any]]:
    given = ("--from", "demo.json", "--from", "roles", "--from", "demo.yaml")
    return check(*given, *more, cwd=repository)


def letters(report: dict[str, Any], name: str) -> set[str]:
    names = [named(subject) for subject in report["subjects"]]
    (place,) = (n for n, each in enumerate(names) if each == name or each.endswith(f"/{name}"))
    return {row[place] for row in report["matrix"].values()}


def set_range(repository: Path, cidr: str) -> None:
    body = json.loads((repository / "demo.json").read_text("utf-8"))
    for step in body["steps"]:
        if step["urn"].endswith(f"${CHANGED}"):
            step["newState"]["inputs"]["cidr"] = cidr
    (repository / "demo.json").write_text(json.dumps(body), encoding="utf-8")


def test_the_commit_that_is_judged_is_no_earlier_one(repository: Path) -> None:
    git(repository, "tag", "release")
    for ref in ("HEAD", "release", "HEAD^0"):
        code, refused = judged(repository, "--changed-since", ref)
        assert (code, refused["schema"], refused["got"]) == (2, "steward.error/1", ref)
        assert "nothing differs from it: no rule would run" in refused["message"]
        assert "origin/main" in refused["next_step"]


def test_what_is_not_in_the_commit_that_is_checked_out_is_judged_against_it(repository: Path) -> None:
    git(repository, "rm", "-q", "--cached", "demo.json")
    git(repository, "commit", "-qm", "the preview is made anew by each run")
    (repository / ".gitignore").write_text("demo.json\n", "utf-8")

    _, report = judged(repository, "--changed-since", "HEAD")

    assert set("pn") <= letters(report, CHANGED)
    assert letters(report, "Install") == set("xn")


def test_nothing_changed_is_no_green_and_stops_nothing(repository: Path) -> None:
    git(repository, "commit", "-qm", "something else", "--allow-empty")
    whole, everything = judged(repository)
    code, report = judged(repository, "--changed-since", "HEAD~1")

    assert whole == 1
    assert code == 0
    assert not report["verdict"]["green"]
    assert letters(report, CHANGED) == letters(report, "Install") == set("xn")
    given = {source["name"] for source in report["population"]["sources"]}
    assert given == {"demo.json", "roles", "demo.yaml"}
    assert [each["id"] for each in report["subjects"]] == [each["id"] for each in everything["subjects"]]
    assert report["not_checked"][0]["why"] == "unchanged since HEAD~1"


def test_only_what_changed_is_judged_and_all_are_listed(repository: Path) -> None:
    _, everything = judged(repository)
    set_range(repository, "10.0.0.0/8")

    code, report = judged(repository, "--changed-since", "HEAD")

    failed = {
        (result["rule"], named(report["subjects"][place]))
        for result in report["results"]
        if result["state"] == "fail"
        for place in result["on"]
    }
    assert failed == {("network.private-range", CHANGED)}
    assert letters(report, CHANGED) == set("fpn")
    assert code == 1
    assert len(report["subjects"]) == len(everything["subjects"])
    # The bad task is as it was: it is told as not run, and neither fails nor passes.
    assert letters(report, "Install") == set("xn")
    assert sum(report["counts"].values()) == len(report["subjects"]) * len(report["rules"])


def test_a_bad_task_that_is_new_stops_and_the_old_one_does_not(repository: Path) -> None:
    tasks(repository, ("Install", "latest"), ("Install more", "present"), ("Install now", "latest"))

    code, report = judged(repository, "--changed-since", "HEAD")

    failed = [named(report["subjects"][place]) for result in report["results"]
              if result["state"] == "fail" for place in result["on"]]  # fmt: skip
    assert [name.rpartition("/")[2] for name in failed] == ["Install now"]
    assert code == 1


def test_a_file_that_is_new_is_judged_and_a_ref_that_is_none_is_refused(repository: Path) -> None:
    fleet = (repository / "demo.yaml").read_text("utf-8").replace("Customers order here", "todo")
    (repository / "demo.yaml").write_text(fleet, encoding="utf-8")

    _, report = judged(repository, "--changed-since", "HEAD")

    told = {result["rule"] for result in report["results"] if result["state"] == "fail"}
    assert told == {"quality.service-says-purpose"}
    _, refused = judged(repository, "--changed-since", "no-such-ref")
    assert refused["schema"] == "steward.error/1"
    assert (refused["exit_code"], refused["got"]) == (2, "no-such-ref")
