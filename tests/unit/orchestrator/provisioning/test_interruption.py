"""How a stop in the middle of Pulumi's work ends, seen by a person."""

from __future__ import annotations

import threading

import pytest

from orchestrator.provisioning.interruption import readers_end_in_silence


def ended_by(problem: Exception) -> None:
    def end() -> None:
        raise problem

    thread = threading.Thread(target=end)
    thread.start()
    thread.join()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_reader_whose_stream_was_closed_says_nothing_and_any_other_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[str] = []
    monkeypatch.setattr(threading, "excepthook", lambda ended: told.append(str(ended.exc_value)))
    with readers_end_in_silence():
        ended_by(ValueError("I/O operation on closed file."))
        ended_by(ValueError("something else"))
    ended_by(ValueError("I/O operation on closed file."))
    assert told == ["something else", "I/O operation on closed file."]
