"""The doctor in wrong environments: what is missing is named, with the command that mends it."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.cli.doctor import table
from orchestrator.settings import Settings
from orchestrator.toolchain import doctor, doctor_machine, environment, store
from orchestrator.toolchain.part import Part


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", cache=tmp_path / "cache", project=tmp_path)


def test_nothing_installed_is_told_part_by_part(settings: Settings) -> None:
    report = doctor.examine(settings)
    broken = {part.name: part for part in report.parts if part.problem}
    assert not report.ok
    assert {"pulumi", "pulumi-language-python", "restic", "rest-server", "collections"} <= set(broken)
    assert all(part.mend for part in broken.values())


def test_a_file_that_was_changed_is_found(settings: Settings) -> None:
    root = environment.toolchain_root(settings.cache)

    def fill(folder: Path) -> str:
        (folder / "bin").mkdir()
        (folder / environment.IMAGES).write_text('{"runtime": "runc"}')
        for name in ("pulumi", "restic", "rest-server"):
            (folder / "bin" / name).write_text("#!/bin/sh\necho 99.0.0\n")
            (folder / "bin" / name).chmod(0o755)
        return "a test"

    store.publish(root, name="toolchain", digest="d", fill=fill)
    assert part(settings, "restic").problem == ""
    (root / "bin" / "restic").write_text("#!/bin/sh\necho 99.0.1\n")
    assert part(settings, "restic").problem == "differs from what set-up installed"
    assert part(settings, "pulumi").problem == ""


def part(settings: Settings, name: str) -> Part:
    return next(found for found in doctor.examine(settings).parts if found.name == name)


def test_an_old_program_is_told_with_both_versions(settings: Settings) -> None:
    root = environment.toolchain_root(settings.cache)

    def fill(folder: Path) -> str:
        (folder / "bin").mkdir()
        (folder / "bin" / "restic").write_text("#!/bin/sh\necho restic 0.12.1\n")
        (folder / "bin" / "restic").chmod(0o755)
        return "a test"

    store.publish(root, name="toolchain", digest="d", fill=fill)
    assert part(settings, "restic").problem == "says version 0.12.1, needed is 0.17.0 or newer"


def test_without_podman_on_the_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    podman = doctor_machine.podman()
    assert not podman.found
    assert "apt-get install" in podman.mend
    assert "podman" in podman.mend
    assert not doctor_machine.image().found
    assert not doctor_machine.ssh().found


@pytest.mark.parametrize(
    ("text", "problem"),
    [("128\n", "max_user_instances is 128; about 25 servers can boot"), ("8192\n", ""), ("nonsense", "")],
)
def test_the_inotify_limit(tmp_path: Path, text: str, problem: str) -> None:
    limit = tmp_path / "max_user_instances"
    limit.write_text(text)
    assert doctor_machine.inotify(limit).problem == problem


def test_a_state_folder_that_others_may_read(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    assert doctor_machine.state_folder(tmp_path).mend == f"chmod 700 {tmp_path}"
    tmp_path.chmod(0o700)
    assert doctor_machine.state_folder(tmp_path).problem == ""
    assert doctor_machine.state_folder(tmp_path / "later").problem == ""


def test_dependencies_that_differ_from_the_lock(tmp_path: Path) -> None:
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "lock.txt").write_text("pydantic==0.0.1 \\\n    --hash=sha256:00\n")
    found = doctor_machine.dependencies(tmp_path)
    assert "instead of 0.0.1" in found.problem
    assert found.mend == "make setup"


def test_json_has_a_schema_and_the_table_counts(settings: Settings) -> None:
    report = doctor.examine(settings)
    assert '"schema":"steward.doctor/1"' in report.model_dump_json(by_alias=True)
    text = table(report)
    assert "parts need attention" in text
    assert "mend: steward setup" in text


@pytest.mark.real
def test_everything_is_fine_here() -> None:
    from orchestrator.settings import load_settings

    report = doctor.examine(load_settings())
    toolchain = {"pulumi", "pulumi-language-python", "restic", "rest-server", "collections", "base image"}
    assert [part for part in report.parts if part.problem and part.name in toolchain] == []
