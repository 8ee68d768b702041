"""When servers were spoken with: by the real wrappers around faked parts, from many threads at once."""

from __future__ import annotations

import pytest

from orchestrator.errors import ToolError
from orchestrator.host_times import HostTimes, NotedShell, NotedVerifier
from orchestrator.parallel import for_each
from tests.fake_verifier import FakeVerifier
from tests.fakes import FakeShell, FixedClock
from tests.unit.orchestrator.samples import server

WEB, DATABASE = server("web-1"), server("db-1")


def test_each_server_once_from_the_first_word_to_the_last_and_then_forgotten() -> None:
    times = HostTimes(FixedClock())
    shell = NotedShell(FakeShell({"true": ""}), times)
    shell.run(WEB, ["true"], timeout=1)
    NotedVerifier(FakeVerifier(), times).observe(DATABASE, [])
    shell.run(WEB, ["true"], timeout=1)
    found = times.take()
    assert [each.server for each in found] == ["web-1", "db-1"]
    assert found[0].duration_seconds >= found[1].duration_seconds >= 0
    assert times.take() == []


def test_a_server_that_does_not_answer_is_noted_and_its_error_passes() -> None:
    times = HostTimes(FixedClock())
    shell = NotedShell(FakeShell({"true": ToolError("web-1", "SSH failed")}), times)
    with pytest.raises(ToolError, match="SSH failed"):
        shell.run(WEB, ["true"], timeout=1)
    assert [each.server for each in times.take()] == ["web-1"]


def test_many_at_once_lose_nothing() -> None:
    times = HostTimes(FixedClock())
    shell = NotedShell(FakeShell({"true": ""}), times)
    servers = [server(f"web-{number}") for number in range(64)]
    for_each(servers * 3, lambda each, _: shell.run(each, ["true"], timeout=1), at_once=16)
    assert {each.server for each in times.take()} == {each.name for each in servers}
