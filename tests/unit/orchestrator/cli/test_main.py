"""The command line from outside: exit codes, one document on stdout, and never a traceback."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from orchestrator import command_lines
from orchestrator.cli import main as main_module
from orchestrator.cli.main import run
from orchestrator.errors import (
    FindingsError,
    InputError,
    StewardError,
    StoppedError,
    ToolError,
    WaitingError,
)
from tests.unit.orchestrator.samples import FLEET

HEAVY = (
    "pulumi",
    "pulumi_policy",
    "ansible_runner",
    "ansible",
    "sqlite3",
    "testinfra",
    "rich",
    "grpc",
    "ruamel",
    "jinja2",
)


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    """The command line takes over signals; the tests give them back."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """State and cache of nobody else."""
    monkeypatch.setenv("STEWARD_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("STEWARD_CACHE", str(tmp_path / "cache"))
    return tmp_path


def raising(problem: BaseException) -> Callable[..., None]:
    def act(*_: object, **__: object) -> None:
        raise problem

    return act


def test_help_is_light() -> None:
    """Parts that only some verbs need are not loaded to say what there is."""
    script = (
        "import sys; from orchestrator.cli.main import run; run(['--help']); run(['up', '--help']); "
        f"print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr)"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        [sys.executable, "-P", "-c", script], capture_output=True, text=True, check=True, env=env
    )
    assert done.stderr.strip() == "[]"
    assert "Exit codes" in done.stdout
    assert "--fleet" in done.stdout


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.startswith("steward 0.")


@pytest.mark.parametrize(
    "words",
    [
        ["no-such-verb"],
        ["up"],
        ["plan", "--fleet"],
        ["validate", "--fleet", "x", "--loud"],
        ["backup", "runn"],
    ],
)
def test_a_wrong_command_line_is_bad_input(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(words) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err


def test_validate_says_what_it_found_as_one_document(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "fleet.yaml"
    path.write_text(FLEET)
    assert run(["validate", "--fleet", str(path), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    (row,) = document["files"]
    assert (document["schema"], document["valid"], row["stack"]) == ("steward.validate/1", True, "acme-demo")
    path.write_text(FLEET.replace("network: app", "network: ap").replace("nginx", "ngnix"))
    assert run(["validate", "--fleet", str(path), "--json"]) == 2
    document = json.loads(capsys.readouterr().out)
    assert document["valid"] is False
    (row,) = document["files"]
    assert {"servers.web.network", "servers.db.network"} <= {each["path"] for each in row["mistakes"]}
    assert any("ngnix" in each["message"] for each in row["mistakes"])
    assert {each["file"] for each in row["mistakes"]} == {"fleet.yaml"}


def test_a_fleet_that_is_not_there(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    for verb in ("validate", "plan", "up", "destroy", "verify"):
        assert run([verb, "--fleet", str(home / "absent.yaml")]) == 2
        assert "Name a fleet file that exists" in capsys.readouterr().err
    assert not (home / "home").exists(), "nothing was touched"


def test_without_a_toolchain_the_next_step_is_named_and_no_state_begins(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = home / "fleet.yaml"
    path.write_text(FLEET)
    assert run(["up", "--fleet", str(path)]) == 2
    assert "Run `steward setup`" in capsys.readouterr().err
    assert not (home / "home" / "steward.db").exists()


@pytest.mark.parametrize(
    ("code", "expected"), [(0, 3), (None, 3), ("done", 3), (7, 7)], ids=["0", "none", "a text", "7"]
)
def test_an_exit_that_is_not_typers_own_is_no_success(
    code: object, expected: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(main_module, "command", lambda _verb: raising(SystemExit(code)))
    assert run(["up"]) == expected
    assert f"ended it before its end, by SystemExit({code!r})" in capsys.readouterr().err


@pytest.mark.parametrize("kind", [FindingsError, InputError, ToolError, WaitingError, StoppedError])
def test_each_error_ends_in_its_exit_code_and_one_line(
    kind: type[StewardError], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(main_module, "command", lambda _verb: raising(kind("web-1", "broke\x1b[2J")))
    assert run([]) == kind.exit_code
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("steward: web-1: broke")
    assert "\x1b" not in said.err


def test_an_unexpected_error_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(main_module, "command", lambda _verb: raising(ZeroDivisionError("by zero")))
    assert run([]) == 3
    said = capsys.readouterr().err
    assert "unexpected ZeroDivisionError: by zero. This is a defect" in said
    assert "Traceback" not in said


@pytest.fixture
def defect() -> Iterator[None]:
    """A verb with a defect that tells of a program first, as real ones do, and meets a host's text."""

    @main_module.app.command("defect", hidden=True)
    def meet() -> None:
        command_lines.tell(["printf", "%s", "a secret"], ["a secret"])
        raise ZeroDivisionError("by \x1b[2J")

    main_module.command.cache_clear()
    yield
    main_module.app.registered_commands.pop()
    main_module.command.cache_clear()
    run(["--version"])


@pytest.mark.parametrize("words", [["-v"], ["--verbose"]])
def test_with_verbose_command_lines_are_told_without_secrets_and_no_trace(
    words: list[str], defect: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*words, "defect"]) == 3
    said = capsys.readouterr()
    told, sentence = said.err.splitlines()
    assert re.fullmatch(r"\d\d:\d\d:\d\d \+ printf %s '\[redacted\]'", told)
    assert "unexpected ZeroDivisionError: by \\x1b[2J. This is a defect; `steward -vv …` shows" in sentence
    assert said.out == ""


@pytest.mark.parametrize("words", [["-vv"], ["-v", "-v"], ["--verbose", "--verbose"]])
def test_twice_verbose_shows_the_trace_too_and_the_exit_code_stays(
    words: list[str], defect: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*words, "defect"]) == 3
    said = capsys.readouterr().err
    assert "+ printf" in said
    assert said.index("Traceback (most recent call last)") < said.index("steward: unexpected ZeroDivision")
    assert "in meet" in said
    assert "\x1b" not in said
    assert said.endswith("This is a defect.\n")


def test_without_verbose_nothing_of_it_is_said(defect: None, capsys: pytest.CaptureFixture[str]) -> None:
    run(["-vv", "defect"])
    capsys.readouterr()
    assert run(["defect"]) == 3
    assert len(capsys.readouterr().err.splitlines()) == 1, "one call's wish is not the next one's"


def test_ctrl_c_and_a_closed_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(main_module, "command", lambda _verb: raising(KeyboardInterrupt()))
    assert run([]) == 130
    monkeypatch.setattr(main_module, "command", lambda _verb: raising(BrokenPipeError()))
    assert run([]) == 0


def test_runs_of_a_new_installation(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["runs", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"schema": "steward.runs/1", "runs": []}
    assert run(["report"]) == 2
    assert "no report of run 'latest'" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["../../etc", "/etc/passwd", "..", ""])
def test_a_report_is_found_only_among_the_runs(
    home: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["report", name]) == 2
    assert "no report of run" in capsys.readouterr().err


def test_policies_are_listed_and_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["policy", "list", "--json"]) == 0
    rules = json.loads(capsys.readouterr().out)["rules"]
    assert len(rules) >= 10
    assert run(["policy", "explain", rules[0]["id"]]) == 0
    assert capsys.readouterr().out.startswith(f"{rules[0]['id']}: ")
    assert run(["policy", "explain", "no.such-rule"]) == 2
