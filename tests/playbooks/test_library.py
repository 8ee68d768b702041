"""The Ansible modules of our own: their decisions, without a host."""

from __future__ import annotations

import os
from pathlib import Path

import ansible.module_utils
import pytest

from tests.module_files import load

LIBRARY = Path(__file__).parents[2] / "playbooks" / "library"
ansible.module_utils.__path__.append(str(LIBRARY.parent / "library_parts"))


probe, units, files = (load(LIBRARY / f"steward_{name}.py") for name in ("probe", "units", "files"))


def test_only_fully_installed_packages_count() -> None:
    text = """Package: nginx
Status: install ok installed

Package: gone
Status: deinstall ok config-files

Package: half
Status: install ok half-configured

Package: held
Status: hold ok installed
"""
    assert probe.installed(text.splitlines(keepends=True)) == {"nginx", "held"}


@pytest.mark.parametrize(
    ("status", "entries", "broken"),
    [
        ("install ok installed", [], False),
        ("deinstall ok config-files", ["tmp.i"], False),
        ("install ok half-configured", [], True),
        ("install reinstreq half-installed", [], True),
        ("install ok unpacked", [], True),
        ("install ok installed", ["0003"], True),
    ],
)
def test_an_interrupted_installation_is_seen(
    tmp_path: Path, status: str, entries: list[str], broken: bool
) -> None:
    for name in entries:
        (tmp_path / name).touch()
    assert probe.interrupted(["Package: x\n", f"Status: {status}\n"], tmp_path) is broken


@pytest.mark.parametrize(
    ("names", "age", "stale"),
    [
        ([], 0.0, True),
        (["lock"], 0.0, True),
        (["mirror.example_dists_bookworm_InRelease"], 3600.0, False),
        (["mirror.example_dists_bookworm_InRelease"], 90000.0, True),
    ],
)
def test_lists_are_stale_when_absent_or_old(
    tmp_path: Path, names: list[str], age: float, stale: bool
) -> None:
    for name in names:
        (tmp_path / name).touch()
    (tmp_path / "partial").mkdir()
    now = (tmp_path / "partial").stat().st_mtime + age

    assert probe.lists_stale(tmp_path, now) is stale


def test_lists_without_a_folder_are_stale(tmp_path: Path) -> None:
    assert probe.lists_stale(tmp_path / "none", 0.0) is True


def test_units_are_parsed_in_the_order_asked() -> None:
    text = "Id=a.service\nActiveState=active\n\nId=b.timer\nActiveState=inactive\n"

    assert [each["Id"] for each in units.parse_units(text)] == ["a.service", "b.timer"]


@pytest.mark.parametrize(
    ("load", "active", "enabled", "running", "stopped"),
    [
        ("loaded", "active", "enabled", [], ["disable", "stop"]),
        ("loaded", "inactive", "enabled", ["start"], ["disable"]),
        ("loaded", "active", "static", [], ["stop"]),
        ("loaded", "failed", "disabled", ["enable", "start"], ["reset-failed"]),
        ("masked", "failed", "masked", ["unmask", "enable", "start"], ["reset-failed"]),
        ("not-found", "inactive", "", ["enable", "start"], []),
        ("not-found", "failed", "", ["enable", "start"], ["reset-failed"]),
    ],
)
def test_steps_lead_from_what_is_to_what_is_wanted(
    load: str, active: str, enabled: str, running: list[str], stopped: list[str]
) -> None:
    state = {"LoadState": load, "ActiveState": active, "UnitFileState": enabled}
    assert [verb for verb, _ in units.steps(["u"], [], {"u": state})] == running
    assert [verb for verb, _ in units.steps([], ["u"], {"u": state})] == stopped


def test_a_unit_that_waits_for_its_next_start_is_no_running_one() -> None:
    state = {
        "LoadState": "loaded",
        "ActiveState": "activating",
        "SubState": "auto-restart",
        "UnitFileState": "enabled",
    }
    assert units.steps(["u"], [], {"u": state}) == [("start", "u")]
    assert units.dead(state)
    assert not units.dead(state | {"SubState": "start-pre"})


@pytest.mark.parametrize(
    ("restarts", "entered", "wanted"),
    [("3", "99500000", True), ("3", "50000000", False), ("0", "99500000", False), ("", "", False)],
)
def test_a_unit_that_systemd_just_started_again_is_watched(restarts: str, entered: str, wanted: bool) -> None:
    seen = {"ActiveState": "active", "NRestarts": restarts, "ActiveEnterTimestampMonotonic": entered}
    assert units.restless(seen, now=100.0) is wanted


class RefusedError(Exception):
    """What `fail_json` raises here."""


class Module:
    """The little of AnsibleModule that Converge uses, on real files."""

    def __init__(self, check_mode: bool = False) -> None:
        self.check_mode = check_mode

    def fail_json(self, msg: str) -> None:
        raise RefusedError(msg)

    def run_command(self, argv: list[str]) -> tuple[int, str, str]:
        return (1, "", "bad line") if b"bad" in Path(argv[-1]).read_bytes() else (0, "", "")


@pytest.fixture
def owner() -> dict[str, str]:
    """Owner and group of whoever runs the tests."""
    import grp
    import pwd

    return {"owner": pwd.getpwuid(os.getuid()).pw_name, "group": grp.getgrgid(os.getgid()).gr_name}


def entry(path: Path, content: str, owner: dict[str, str], **more: object) -> dict[str, object]:
    """One wanted file."""
    common = {"path": str(path), "content": content, "mode": "0640", "validate": [], "initial": False}
    return {**common, **owner, **more}


def converge(run: object, items: list[dict[str, object]]) -> None:
    """What the module does with files."""
    try:
        for item in items:
            run.file(item)  # type: ignore[attr-defined]
        run.commit()  # type: ignore[attr-defined]
    finally:
        run.discard()  # type: ignore[attr-defined]


def test_files_are_written_once(tmp_path: Path, owner: dict[str, str]) -> None:
    wanted = [entry(tmp_path / "a", "one\n", owner)]
    first, second = files.Converge(Module()), files.Converge(Module())

    converge(first, wanted)
    converge(second, wanted)

    assert (first.written, second.written) == ([str(tmp_path / "a")], [])
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640


def test_one_refused_file_leaves_all_as_they_were(tmp_path: Path, owner: dict[str, str]) -> None:
    (tmp_path / "a").write_text("old\n")
    wanted = [
        entry(tmp_path / "a", "new\n", owner),
        entry(tmp_path / "b", "bad\n", owner, validate=["check", "%s"]),
    ]

    with pytest.raises(RefusedError, match="refused the new content: bad line"):
        converge(files.Converge(Module()), wanted)

    assert (tmp_path / "a").read_text() == "old\n"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_check_mode_tells_and_touches_nothing(tmp_path: Path, owner: dict[str, str]) -> None:
    run = files.Converge(Module(check_mode=True))

    converge(run, [entry(tmp_path / "none" / "a", "one\n", owner)])

    assert run.written == [str(tmp_path / "none" / "a")]
    assert run.diffs[0]["after"] == "one\n"
    assert list(tmp_path.iterdir()) == []


def test_an_initial_file_keeps_its_content(tmp_path: Path, owner: dict[str, str]) -> None:
    (tmp_path / "a").write_text("grown\n")

    converge(files.Converge(Module()), [entry(tmp_path / "a", "", owner, initial=True)])

    assert (tmp_path / "a").read_text() == "grown\n"


def test_strangers_of_a_pattern_are_removed(tmp_path: Path) -> None:
    for name in ("keep.timer", "gone.timer", "other.service"):
        (tmp_path / name).touch()
    run = files.Converge(Module())

    run.only({"directory": str(tmp_path), "pattern": "*.timer", "keep": ["keep.timer"]})

    assert run.removed == [str(tmp_path / "gone.timer")]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["keep.timer", "other.service"]


def test_unit_files_are_changed_in_one_call_and_units_in_their_order() -> None:
    todo = [
        ("unmask", "a"),
        ("enable", "a"),
        ("start", "a"),
        ("enable", "b"),
        ("start", "b"),
        ("disable", "c"),
        ("stop", "c"),
    ]
    assert units.batches(todo) == [
        ("unmask", ["a"]), ("enable", ["a", "b"]), ("disable", ["c"]),
        ("start", ["a"]), ("start", ["b"]), ("stop", ["c"]),
    ]  # fmt: skip
    assert units.batches([]) == []
