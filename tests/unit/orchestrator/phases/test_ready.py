"""The gate before configuration: whichever step never comes is named, on a real port and the real script."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from threading import Thread
from time import monotonic

import pytest

from orchestrator.errors import StewardError, StoppedError, ToolError
from orchestrator.phases.ready import _MEANING, _SCRIPT, STEPS, ready
from orchestrator.ports.hosts import HostShell
from orchestrator.results import Readiness
from stacks.outputs import ServerOutput
from tests.fakes import FakeShell, result
from tests.unit.orchestrator.samples import server


@pytest.fixture
def port() -> Iterator[int]:
    """A port that accepts connections."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        number: int = listener.getsockname()[1]
        yield number


def closed_port() -> int:
    """A port on which nobody listens."""
    with closing(socket.socket()) as unused:
        unused.bind(("127.0.0.1", 0))
        number: int = unused.getsockname()[1]
    return number


def gate(shell: HostShell, number: int, limit: float = 0.4) -> Readiness:
    (found,) = ready([server("web-1", ssh_port=number)], shell, lambda _: None, limit_seconds=limit)
    return found


def test_a_ready_server_passes_at_once(port: int) -> None:
    found = gate(FakeShell({"true": "", "python3": "passed init\n"}), port, 30)
    assert (found.missing, found.message) == ("", "")
    assert found.seconds < 5


def test_no_listener() -> None:
    shell = FakeShell({})
    found = gate(shell, closed_port())
    assert found.missing == "tcp"
    assert ": the SSH port did not accept a connection (127.0.0.1:" in found.message
    assert shell.asked == []


def test_a_listener_that_does_not_let_us_in(port: int) -> None:
    found = gate(FakeShell({"true": ToolError("web-1", "SSH failed: Permission denied")}), port)
    assert found.missing == "ssh"
    assert "(SSH failed: Permission denied)" in found.message


@pytest.mark.parametrize("step", ["init", "package-lock", "probe"])
def test_a_step_on_the_host_that_never_comes(port: int, step: str) -> None:
    stuck = result(f"passed x\nstuck {step} because of this\n", code=1)
    found = gate(FakeShell({"true": "", "python3": stuck}), port)
    assert found.missing == step
    assert found.message.endswith(f"not ready after 0 s: {_MEANING[step]} (because of this)")


@pytest.mark.parametrize(
    "said", ["", "stuck", "stuck ", "stuck made-up x", "stuck  x", "\x00", "stuckprobe x"]
)
def test_a_host_that_answers_nonsense_is_stuck_at_the_probe(port: int, said: str) -> None:
    found = gate(FakeShell({"true": "", "python3": result(said, code=1, stderr="sudo: no\npassword")}), port)
    assert found.missing == "probe"
    assert "(sudo: no password)" in found.message


def test_a_connection_that_breaks_meanwhile(port: int) -> None:
    found = gate(FakeShell({"true": "", "python3": ToolError("web-1", "connection lost")}), port)
    assert (found.missing, "connection lost" in found.message) == ("ssh", True)


def test_it_waits_for_a_server_that_comes_up(port: int) -> None:
    attempts: list[int] = []

    def later(_server: ServerOutput, _argv: Sequence[str]) -> str | Exception:
        attempts.append(1)
        return "" if len(attempts) > 2 else ToolError("web-1", "not yet")

    assert gate(FakeShell({"true": later, "python3": ""}), port, 30).missing == ""
    assert len(attempts) == 3


def test_one_that_does_not_come_keeps_no_other_and_is_told(port: int) -> None:
    said: list[str] = []
    servers = [server("web-1", ssh_port=closed_port()), server("web-2", ssh_port=port)]
    found = ready(servers, FakeShell({"true": "", "python3": ""}), said.append, limit_seconds=0.4)
    assert [(each.server, each.missing) for each in found] == [("web-1", "tcp"), ("web-2", "")]
    assert len(said) == 1
    assert said[0].startswith("web-1: nothing listens on its SSH port: ")
    assert "not ready after" in said[0]


def test_a_stop_ends_the_waiting_long_before_the_limit(port: int) -> None:
    """The stop strikes one server while the other would wait for minutes."""
    stop: StewardError = StoppedError("steward", "stopped")
    servers = [server("web-1", ssh_port=port), server("web-2", ssh_port=closed_port())]
    began = monotonic()
    with pytest.raises(StoppedError):
        ready(servers, FakeShell({"true": stop}), lambda _: None, limit_seconds=120)
    assert monotonic() - began < 10


def test_every_step_has_its_words() -> None:
    assert set(STEPS) == set(_MEANING)


def test_the_script_runs_and_gives_up_at_its_deadline_with_the_step_it_is_at() -> None:
    """On this machine whatever systemd says; the script must end by itself and speak the agreed words."""
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, "0.3"], capture_output=True, text=True, timeout=20, check=False
    )
    words = [line.split(" ")[:2] for line in done.stdout.splitlines()]
    steps = list(STEPS[2:])
    assert words, done.stderr
    assert [step for _, step in words] == steps[: len(words)]
    assert all(word == "passed" for word, _ in words[:-1])
    assert (words[-1][0] == "passed") == (done.returncode == 0)


def test_a_listener_that_is_late_is_waited_for() -> None:
    number = closed_port()
    opened: list[socket.socket] = []
    late = Thread(target=lambda: opened.append(socket.create_server(("127.0.0.1", number))))
    shell = FakeShell({"true": "", "python3": ""})
    late.start()
    assert gate(shell, number, 30).missing == ""
    late.join()
    opened[0].close()
