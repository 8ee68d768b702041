"""Time limits, groups, redaction and errors of `orchestrator.process`, on real programs."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from orchestrator import process
from orchestrator.errors import InputError, ToolError


def gone(pid: int) -> bool:
    """Whether a process ended; a zombie that waits for its parent counts as ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


def wait_until_gone(pid: int, seconds: float = 3.0) -> bool:
    deadline = time.monotonic() + seconds
    while not gone(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return gone(pid)


def test_result_holds_both_streams_and_the_code() -> None:
    result = process.run(["sh", "-c", "echo out; echo err >&2; exit 3"], timeout=10, check=False)
    assert (result.returncode, result.stdout, result.stderr) == (3, "out\n", "err\n")
    assert "out" not in repr(result)


def test_stdin_is_delivered_and_closed() -> None:
    big = "x" * 1_000_000
    assert process.run(["cat"], timeout=10, stdin=big).stdout == big


def test_a_child_that_does_not_read_stdin_is_no_error() -> None:
    assert process.run(["true"], timeout=10, stdin=b"y" * 1_000_000).returncode == 0


def test_without_stdin_the_child_sees_the_end_at_once() -> None:
    assert process.run(["cat"], timeout=10).stdout == ""


def test_time_limit_ends_the_whole_group() -> None:
    began = time.monotonic()
    with pytest.raises(ToolError, match=r"took longer than 0\.5 s") as caught:
        process.run(["sh", "-c", "sleep 60 & echo $!; wait"], timeout=0.5)
    assert time.monotonic() - began < 5
    assert wait_until_gone(int(caught.value.got))


def test_time_limit_ends_a_group_that_ignores_term() -> None:
    script = "trap '' TERM; sh -c 'trap \"\" TERM; sleep 60' & echo $!; wait; sleep 60"
    with pytest.raises(ToolError) as caught:
        process.run(["sh", "-c", script], timeout=0.3)
    assert wait_until_gone(int(caught.value.got))


def test_a_daemon_that_keeps_the_pipe_does_not_hold_us() -> None:
    began = time.monotonic()
    result = process.run(["sh", "-c", "setsid sleep 20 & echo $!"], timeout=15)
    assert time.monotonic() - began < 10
    os.kill(int(result.stdout), signal.SIGKILL)


def test_an_error_names_the_program_and_hides_secrets() -> None:
    secret = "pa ss/word"
    with pytest.raises(ToolError) as caught:
        process.run(
            ["sh", "-c", f"echo 'login {secret} pa%20ss%2Fword' >&2; exit 4"], timeout=10, redact=[secret]
        )
    text = str(caught.value)
    assert "exit code 4" in text
    assert "[redacted]" in text
    assert secret not in text
    assert "pa%20ss" not in text


def test_a_signal_is_told_by_name() -> None:
    with pytest.raises(ToolError, match="SIGKILL"):
        process.run(["sh", "-c", "kill -9 $$"], timeout=10)


def test_a_missing_program_is_bad_input_with_a_next_step() -> None:
    with pytest.raises(InputError, match=r"not installed.*steward doctor"):
        process.run(["steward-no-such-program"], timeout=1)


def test_a_missing_folder_is_not_taken_for_a_missing_program(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="folder that does not exist"):
        process.run(["true"], timeout=1, cwd=tmp_path / "gone")


def test_lines_come_as_they_are_written_and_without_secrets() -> None:
    lines: list[str] = []
    process.run(["printf", "one\\ntwo key\\nthree"], timeout=10, on_line=lines.append, redact=["key"])
    assert lines == ["one", "two [redacted]", "three"]


def test_bytes_that_are_no_text_are_kept_readable() -> None:
    assert process.run(["printf", "a\\377b"], timeout=10).stdout == "a\ufffdb"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_children_and_becomes_an_error(number: signal.Signals) -> None:
    script = (
        "from orchestrator import process\n"
        "from orchestrator.errors import StoppedError\n"
        "process.stop_on_signals()\n"
        "try:\n"
        "    process.run(['sh', '-c', 'sleep 60 & echo $!; wait'], timeout=50,\n"
        "        on_line=lambda line: print(line, flush=True))\n"
        "except StoppedError as error:\n"
        "    raise SystemExit(error.exit_code)\n"
    )
    child = process.start([sys.executable, "-c", script])
    pieces = child.pieces(time.monotonic() + 20)
    grandchild = int(next(pieces)[1])
    os.kill(child.pid, number)
    assert child.wait(time.monotonic() + 10) == 130
    assert wait_until_gone(grandchild)
