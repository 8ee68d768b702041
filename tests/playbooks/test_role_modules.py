"""The modules for packages and releases: their decisions, without a host."""

from __future__ import annotations

import http.server
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.loopback import serving
from tests.module_files import load

PLAYBOOKS = Path(__file__).parents[2] / "playbooks"
APP = PLAYBOOKS / "roles" / "app"

packages = load(PLAYBOOKS / "library" / "steward_packages.py", "steward_packages")
files = load(APP / "module_utils" / "steward_release_files.py", "ansible.module_utils.steward_release_files")
unit = load(APP / "module_utils" / "steward_release_unit.py", "ansible.module_utils.steward_release_unit")
door = load(APP / "files" / "steward_door.py", "steward_door")
release = load(APP / "library" / "steward_release.py", "steward_release")

STATUS = """Package: nginx
Status: hold ok installed
Version: 1.22.1-9

Package: gone
Status: deinstall ok config-files
Version: 1.0

Package: redis-server
Status: install ok installed
Version: 5:7.0.15-1
"""


def test_versions_and_holds_come_from_dpkgs_own_database() -> None:
    assert packages.known(STATUS.splitlines(keepends=True)) == {
        "nginx": ("1.22.1-9", True), "redis-server": ("5:7.0.15-1", False),
    }  # fmt: skip


def test_a_pin_keeps_every_package_of_a_source_together(tmp_path: Path) -> None:
    path, wanted = str(tmp_path / "pin"), packages.pin("nginx", "1.22.*")
    assert wanted.splitlines()[1:] == ["Package: src:nginx", "Pin: version 1.22.*", "Pin-Priority: 1001"]
    assert packages.differs(path, wanted)
    packages.write(path, wanted)
    assert not packages.differs(path, wanted)
    assert packages.differs(path, "")
    packages.write(path, "")
    assert not packages.differs(path, "")


@pytest.mark.parametrize("value", ["plain", 'a "b" $c `d` \\e', "two\nlines", "'", "ends in \\", "ä€"])
def test_a_value_is_read_back_unchanged_from_an_environment_file(tmp_path: Path, value: str) -> None:
    """By systemd's rules, which a shell shares for these characters."""
    (tmp_path / "environment").write_text(f"VALUE={files.quoted(value)}\n")
    script = f'. {tmp_path}/environment; printf %s "$VALUE"'
    assert subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout == value


def test_code_is_readable_and_lends_no_rights(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir(mode=0o777)
    program, link = tmp_path / "folder" / "run", tmp_path / "link"
    program.write_text("x")
    program.chmod(0o6777)
    link.symlink_to("/etc/passwd")
    before = Path("/etc/passwd").stat().st_mode
    files.give_to_root(tmp_path, os.getgid())
    assert oct(program.stat().st_mode)[-4:] == "0750"
    assert Path("/etc/passwd").stat().st_mode == before


def test_an_archive_with_one_folder_means_what_is_in_it(tmp_path: Path) -> None:
    code = tmp_path / "app"
    (code / "shop-1.2").mkdir(parents=True)
    (code / "shop-1.2" / "server.py").write_text("x")
    files.flatten(code)
    assert [path.name for path in code.iterdir()] == ["server.py"]
    (code / "second").mkdir()
    files.flatten(code)
    assert {path.name for path in code.iterdir()} == {"server.py", "second"}


def deployment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **wanted: Any) -> Any:
    monkeypatch.setattr(release, "ROOT", tmp_path)
    known = {
        "name": "shop",
        "label": "v1",
        "sha256": "a",
        "command": ["x"],
        "given": {},
        "environment": {},
        "build": [],
        "health": {"port": 0, "path": "/", "expect": 200, "seconds": 1},
        "drain_seconds": 0,
    }
    made = release.Deployment(SimpleNamespace(params={**known, "keep": 2, **wanted}))
    made.releases.mkdir(parents=True, exist_ok=True)
    return made


def finished(app: Any, name: str, **more: Any) -> Path:
    path = app.releases / name
    path.mkdir()
    (path / "release.json").write_text(json.dumps({"label": name, "digest": app.digest(), **more}))
    return Path(path)


def test_everything_that_makes_a_release_is_in_its_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digests = {
        deployment(tmp_path, monkeypatch, **change).digest()
        for change in (
            {},
            {"sha256": "b"},
            {"command": ["y"]},
            {"environment": {"A": "1"}},
            {"build": [["make"]]},
        )
    }
    assert len(digests) == 5


def test_a_failed_or_unfinished_release_is_not_used_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = deployment(tmp_path, monkeypatch)
    (app.releases / "0001-v1").mkdir()
    finished(app, "0002-v1", failed="it ended by itself")
    assert app.find(app.digest()) is None
    good = finished(app, "0003-v1")
    assert app.find(app.digest()) == good


def test_the_current_release_and_the_one_before_are_never_pruned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = deployment(tmp_path, monkeypatch)
    made = [finished(app, f"{number:04d}-v{number}") for number in range(1, 7)]
    app.point_to(made[0])
    assert app.current() == made[0]
    app.prune(made[1])
    assert sorted(path.name[:4] for path in app.releases.iterdir()) == ["0001", "0002", "0005", "0006"]


def test_a_run_that_was_killed_while_it_proved_a_release_leaves_the_question_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = deployment(tmp_path, monkeypatch)
    good, new = finished(app, "0001-v1"), finished(app, "0002-v2")
    app.point_to(good)

    class Killed:
        def start(self) -> str:
            raise KeyboardInterrupt

    app.unit = Killed()
    with pytest.raises(KeyboardInterrupt):
        app.switch(new, app.before())
    again = deployment(tmp_path, monkeypatch)
    assert again.current() == new
    assert again.before() == good, "what is not healthy is not what one goes back to"
    assert again.proving.exists()


@pytest.fixture
def port() -> Iterator[int]:
    """A server that is not healthy."""

    class Sick(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the library's name
            self.send_response(503)
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    with serving(Sick) as port:
        yield port


def test_health_is_one_request_and_its_status(port: int) -> None:
    assert files.answer({"port": port, "path": "/"}) == "503"
    assert files.answer({"port": 1, "path": "/"}).startswith("no answer")


SOCKETS = """  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000   997        0 1
   1: 834B4A0A:1F40 804B4A0A:A2C4 01 00000000:00000000 00:00000000 00000000   997        0 2
   2: 834B4A0A:1F40 804B4A0A:A2C6 03 00000000:00000000 00:00000000 00000000     0        0 3
   3: 834B4A0A:1F40 804B4A0A:A2C8 06 00000000:00000000 00:00000000 00000000     0        0 4
   4: 834B4A0A:C350 804B4A0A:1F40 01 00000000:00000000 00:00000000 00000000   997        0 5
   5: 0100007F:1F40 0100007F:A2CA 01 00000000:00000000 00:00000000 00000000   997        0 6
   6: 0000000000000000FFFF00000100007F:1F40 0000000000000000FFFF00000100007F:A2CC 01 0 0 0 997 0 7
   7: 00000000000000000000000001000000:1F40 00000000000000000000000001000000:A2CE 01 0 0 0 997 0 8
   8: 0000000000000000FFFF0000834B4A0A:1F40 0000000000000000FFFF0000804B4A0A:A2D0 01 0 0 0 997 0 9
"""


def test_a_drain_waits_for_what_other_hosts_opened_to_this_port_and_for_nothing_else() -> None:
    """Line 1 is open, 2 about to be, 8 open by IPv6; the rest listens, is over, goes out or is loopback."""
    assert door.open_connections(SOCKETS.splitlines(), 8000) == 3
    assert door.open_connections(SOCKETS.splitlines(), 50000) == 1


def test_one_who_shut_the_door_and_died_does_not_keep_it_shut() -> None:
    element = list(door.shut("held", 8000, 40))[-1]
    assert element == "add element inet steward_app held { 8000 timeout 40s }"


class Steps:
    """A module that notes commands; the unit answers as told."""

    def __init__(self, params: dict[str, Any], shown: str) -> None:
        self.params, self.shown, self.ran, self.warned = params, shown, [], []

    def run_command(self, argv: list[str]) -> tuple[int, str, str]:
        self.ran.append(" ".join(argv))
        return 0, self.shown if "show" in argv else "", ""

    def warn(self, text: str) -> None:
        self.warned.append(text)


def test_others_are_let_in_again_only_when_it_is_healthy(port: int) -> None:
    """The server on this port answers 503: healthy for who expects that, sick for who does not."""
    shown = "ActiveState=active\nNRestarts=0\nResult=success\n"
    for expect, last in ((503, f"admit {port}"), (200, "show")):
        health = {"port": port, "path": "/", "expect": expect, "seconds": 1}
        steps = Steps({"health": health, "drain_seconds": 5}, shown)
        why = unit.Unit(steps, "app-shop.service").start()
        assert bool(why) == (expect == 200)
        assert f"hold {port} 66" in steps.ran[0]
        assert steps.ran[2] == "systemctl restart app-shop.service"
        assert last in steps.ran[-1]
