"""Prepared images by name, day and contents; and that nothing that goes wrong with them stops a run."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from orchestrator.errors import InputError, StoppedError, ToolError
from orchestrator.file_lock import file_lock
from orchestrator.inventory.prepared import Contents
from orchestrator.process import CommandResult
from orchestrator.toolchain import prepared_image
from orchestrator.toolchain.prepared_image import NAME, VARIABLE, PodmanImages, image_tag, outlived
from stacks.providers.local import prepared as provider_side
from tests.fakes import FixedClock

BASE = "localhost/steward/debian-12:8137d9c414e0"
WEB = Contents(frozenset({"nginx", "sudo"}), frozenset({"a.service"}))
CACHE = Contents(frozenset({"redis-server", "sudo"}))
NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)


class Podman:
    """Answers as Podman does, from the images that were committed; commands with a word of `fails` fail."""

    def __init__(self, *images: str) -> None:
        self.images: dict[str, int] = dict.fromkeys(images, 0)
        self.asked: list[list[str]] = []
        self.containers: set[str] = set()
        self.fails: dict[str, Exception] = {}

    def __call__(self, argv: list[str], **more: Any) -> CommandResult:
        self.asked.append(argv)
        for word, problem in self.fails.items():
            if word in argv:
                raise problem
        out = ""
        if argv[1:3] == ["image", "ls"]:
            rows = [{"Names": [name], "Created": made} for name, made in self.images.items()]
            out = json.dumps(rows) if argv[-1] == "json" else "\n".join(self.images)
        elif argv[1:3] == ["image", "rm"]:
            self.images.pop(argv[3], None)
        elif argv[1] == "commit":
            self.images[argv[-1]] = int(NOON.timestamp())
        elif argv[1] == "ps":
            out = "\n".join(self.containers)
        elif argv[1] == "rm":
            self.containers.discard(argv[-1])
        elif "run" in argv:
            self.containers.add(argv[argv.index("--name") + 1])
        return CommandResult(tuple(argv), 0, out, "", 0.1)

    def built(self) -> list[tuple[str, list[str]]]:
        """Parent and packages of each build."""
        return [
            (argv[argv.index("sh") - 1], argv[argv.index("--") + 2 :]) for argv in self.asked if "run" in argv
        ]


@pytest.fixture
def podman(monkeypatch: pytest.MonkeyPatch) -> Podman:
    made = Podman()
    monkeypatch.setattr(prepared_image, "run", made)
    return made


def images(folder: Path) -> PodmanImages:
    return PodmanImages(BASE, "runc", folder / "cache", folder / "images.json", FixedClock(NOON))


def table(folder: Path) -> dict[str, str]:
    return dict(json.loads((folder / "images.json").read_text()))


def test_a_name_says_base_image_contents_and_day() -> None:
    tag = image_tag(BASE, WEB, NOON)
    assert tag.startswith(f"{NAME}:")
    assert tag.endswith("-20261129")
    others = {
        image_tag(f"{BASE}x", WEB, NOON), image_tag(BASE, CACHE, NOON),
        image_tag(BASE, WEB, NOON + timedelta(days=1)),
        image_tag(BASE, Contents(WEB.packages), NOON),
    }  # fmt: skip
    assert len({tag, *others}) == 5
    assert provider_side._REFERENCE.fullmatch(tag)
    assert provider_side.VARIABLE == VARIABLE


def test_one_image_serves_all_servers_that_need_the_same(podman: Podman, tmp_path: Path) -> None:
    done = images(tmp_path).prepare({"web-1": WEB, "web-2": WEB})
    assert (done.made, done.there, done.problems) == (1, 0, ())
    assert podman.built() == [(BASE, ["nginx", "sudo"])]
    tag = image_tag(BASE, WEB, NOON)
    assert table(tmp_path) == {"web-1": tag, "web-2": tag}
    assert podman.containers == set()
    again = images(tmp_path).prepare({"web-3": WEB})
    assert (again.made, again.there, len(podman.built())) == (0, 1, 1)


def test_what_several_need_is_installed_once(podman: Podman, tmp_path: Path) -> None:
    images(tmp_path).prepare({"web-1": WEB, "cache-1": CACHE})
    common = image_tag(BASE, Contents(frozenset({"sudo"})), NOON)
    assert podman.built()[0] == (BASE, ["sudo"])
    assert sorted(podman.built()[1:]) == [(common, ["nginx", "sudo"]), (common, ["redis-server", "sudo"])]


@pytest.mark.parametrize("word", ["run", "commit", "ps", "ls"])
@pytest.mark.parametrize(
    "problem",
    [ToolError("podman", "failed", got="E: Unable to fetch\nline two"), OSError(28, "No space left"),
     InputError("podman", "is not installed")],
)  # fmt: skip
def test_nothing_that_fails_stops_the_run(
    podman: Podman, tmp_path: Path, word: str, problem: Exception
) -> None:
    podman.fails[word] = problem
    done = images(tmp_path).prepare({"web-1": WEB})
    assert (done.made, len(done.problems)) == (0, 1)
    assert "\n" not in done.problems[0]
    assert table(tmp_path) == {}
    assert podman.containers == set()


def test_one_that_fails_keeps_no_other(podman: Podman, tmp_path: Path) -> None:
    podman.fails["redis-server"] = ToolError("podman", "no such package")
    done = images(tmp_path).prepare({"web-1": WEB, "cache-1": CACHE})
    assert (done.made, done.problems) == (1, ("no such package",))
    assert list(table(tmp_path)) == ["web-1"]


def test_a_stop_is_no_problem_of_the_image(podman: Podman, tmp_path: Path) -> None:
    podman.fails["run"] = StoppedError("steward", "stopped")
    with pytest.raises(StoppedError):
        images(tmp_path).prepare({"web-1": WEB})


def test_a_run_waits_for_another_that_makes_the_same(
    podman: Podman, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepared_image, "_LOCK_SECONDS", 0.1)
    (tmp_path / "cache").mkdir()
    with file_lock(tmp_path / "cache" / "prepare.lock", 0):
        done = images(tmp_path).prepare({"web-1": WEB})
    assert done.problems == ("another run has been making one for too long",)
    assert podman.built() == []


def test_what_a_killed_build_left_is_removed_and_nothing_else(podman: Podman, tmp_path: Path) -> None:
    made = images(tmp_path)
    left = f"steward-prepare-{made._owner}-deadbeef"
    others = {"steward-prepare-00000000-deadbeef", "steward-demo-web-1", "mine"}
    podman.containers = {left, *others}
    made.prepare({"web-1": WEB})
    assert podman.containers == others


def test_images_of_other_days_go_once_no_run_can_be_at_work_with_them(podman: Podman, tmp_path: Path) -> None:
    yesterday = image_tag(BASE, WEB, NOON - timedelta(days=1))
    podman.images = {yesterday: 0, image_tag(BASE, CACHE, NOON): 0, "localhost/steward/prepared:mine": 0}
    images(tmp_path).prepare({"web-1": WEB})
    assert set(podman.images) == {
        image_tag(BASE, CACHE, NOON), image_tag(BASE, WEB, NOON), "localhost/steward/prepared:mine"
    }  # fmt: skip
    assert not outlived(yesterday, int(NOON.timestamp()) - 60, NOON)
    assert not any("--force" in argv for argv in podman.asked if argv[1:3] == ["image", "rm"])
