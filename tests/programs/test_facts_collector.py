"""The program as a host runs it, and the collector before hosts that answer anything."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from orchestrator.clock import Moment
from orchestrator.errors import ToolError
from orchestrator.host_facts.collector import SshHostFacts, read_facts
from orchestrator.host_facts.program import digest, program
from orchestrator.ports.hosts import HostFacts, Unreached
from orchestrator.process import CommandResult
from policies.subjects.hosts import SECTIONS
from stacks.outputs import ServerOutput
from tests.unit.orchestrator.samples import server

PARTS = Path(__file__).parents[2] / "orchestrator" / "host_facts" / "parts"
AT = datetime(2026, 11, 29, 20, 0, tzinfo=UTC)
WRITES = {
    *("write", "write_text", "write_bytes", "unlink", "remove", "rename", "mkdir", "makedirs", "rmdir"),
    *("rmtree", "chmod", "chown", "symlink", "link", "truncate", "utime", "mkfifo", "mknod"),
}


class Clock:
    def __init__(self) -> None:
        self.at = AT

    def now(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at

    def moment(self) -> Moment:
        return Moment(self.now(), 0.0, "boot")


@dataclass
class Shell:
    """Answers each server by name; a problem is raised."""

    answers: dict[str, str | ToolError]
    asked: list[tuple[str, tuple[str, ...], str]] = field(default_factory=list)

    def run(
        self, server: ServerOutput, argv: Sequence[str], *, timeout: float, stdin: str | None = None,
        check: bool = True,
    ) -> CommandResult:  # fmt: skip
        self.asked.append((server.name, tuple(argv), stdin or ""))
        answer = self.answers[server.name]
        if isinstance(answer, ToolError):
            raise answer
        return CommandResult(tuple(argv), 0, answer, "", 0.0)

    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture(scope="module")
def printed() -> str:
    """What the program prints here, run as a host runs it: alone, with nothing of ours to import."""
    done = subprocess.run(
        [sys.executable, "-I", "-"], input=program(), capture_output=True, text=True, cwd="/", check=True
    )
    assert done.stderr == ""
    return done.stdout


def test_the_program_runs_alone_and_has_every_section(printed: str) -> None:
    document = read_facts("web-1", printed)
    assert document["schema"] == "steward.host-facts/1"
    assert set(SECTIONS) <= set(document)
    assert document["packages"][0]["name"]
    assert len(printed) < 2_000_000
    assert "-----BEGIN" not in printed


def test_the_program_needs_nothing_but_the_standard_library_and_writes_nothing() -> None:
    for path in PARTS.glob("*.py"):
        module = ast.parse(path.read_text(), feature_version=(3, 9))
        for node in ast.walk(module):
            if isinstance(node, ast.ImportFrom) and node.module:
                known = node.module.startswith("orchestrator.host_facts.parts")
                assert known or node.module.split(".")[0] in sys.stdlib_module_names, (path.name, node.module)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                assert node.func.attr not in WRITES, (path.name, node.lineno)
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "open":
                modes = [word.value for word in node.args[1:] if isinstance(word, ast.Constant)]
                assert set(modes) <= {"rb", "r"}, (path.name, node.lineno)


def test_one_connection_a_host_and_its_document_is_dated_here(printed: str) -> None:
    lying = json.loads(printed) | {"host": "db-9", "collected_at": "2001-01-01", "control": {"asked_at": 0}}
    shell = Shell({"web-1": json.dumps(lying)})
    found = SshHostFacts(shell, Clock()).collect([server("web-1")])["web-1"]
    assert isinstance(found, HostFacts)
    assert shell.asked == [("web-1", ("sudo", "-n", "python3", "-I", "-"), program())]
    document = found.document
    assert (document["host"], document["incarnation"]) == ("web-1", server().incarnation)
    assert document["collected_at"] == "2026-11-29T20:00:02+00:00"
    assert document["control"] == {"asked_at": AT.timestamp() + 1, "answered_at": AT.timestamp() + 2}
    assert document["collector"] == {"version": 1, "sha256": digest()}


def test_a_host_that_cannot_be_asked_hides_no_other(printed: str) -> None:
    gone = ToolError("web-2", "SSH failed: connection lost", place="127.0.0.1:2222")
    shell = Shell({"web-1": printed, "web-2": gone, "web-3": "Welcome!\n{}"})
    found = SshHostFacts(shell, Clock()).collect([server(name) for name in ("web-2", "web-1", "web-3")])
    assert list(found) == ["web-2", "web-1", "web-3"]
    assert isinstance(found["web-1"], HostFacts)
    assert found["web-2"] == Unreached("web-2", "web-2: 127.0.0.1:2222: SSH failed: connection lost.")
    assert isinstance(found["web-3"], Unreached)
    assert "gave no whole answer" in found["web-3"].reason


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "gave no whole answer"),
        ("[]", "gave another answer than was asked for"),
        ("{}", "schema is steward.host-facts/1"),
        ('{"schema": "steward.host-facts/2"}', "got 'steward.host-facts/2'"),
        ('{"schema": "steward.host-facts/1", "clock": {"epoch": NaN}}', "a number that is none"),
        ('{"schema": "steward.host-facts/1", "clock": {"epoch": 1e999}}', "a number that is none"),
        ("[" * 100_000, "gave no whole answer"),
        (" " * ((8 << 20) + 1), "more than 8388608"),
    ],
)
def test_hostile_answers_are_told_with_the_host(text: str, told: str) -> None:
    with pytest.raises(ToolError, match=r"^web-1: ") as error:
        read_facts("web-1", text)
    assert told in str(error.value)
