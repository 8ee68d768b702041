"""Which hosts are asked after a play, and what becomes of their messages."""

from __future__ import annotations

import json

import pytest

from orchestrator.errors import ToolError
from orchestrator.phases.diagnose import diagnose_play
from orchestrator.ports.plays import PlayResult
from orchestrator.reporting.model import Host
from tests.fakes import FakeShell
from tests.unit.orchestrator.samples import server

SEEN = json.dumps(
    {"schema": "steward.host-sight/1", "disks": [{"mount": "/var", "total": 2 << 30, "free": 0}]}
)


def host(name: str, **parts: object) -> Host:
    return Host.model_validate(
        {"name": name, "ok": 1, "changed": 0, "failed": 0, "unreachable": False, **parts}
    )


def test_a_failed_host_is_asked_and_its_message_begins_with_the_cause() -> None:
    said: list[str] = []
    shell = FakeShell({"web-1: sudo -n python3 -": SEEN})
    bad = host(
        "web-1", failed=1, failed_task="nginx : Write", message="No space left on device", retry="again"
    )
    servers = [server("web-1"), server("web-2")]
    play = diagnose_play(PlayResult([bad, host("web-2")], "p"), servers, shell, said.append)
    assert play.problem == "p"
    assert play.hosts[0].message == (
        "the disk that holds /var is full (0 B free of 2.0 GiB): free space there. "
        "The task said: No space left on device"
    )
    assert play.hosts[0].retry == "again"
    assert play.hosts[1].message == ""
    assert said == ["web-1: the disk that holds /var is full (0 B free of 2.0 GiB): free space there"]
    assert len(shell.asked) == 1, "a host that is well is not asked"


def test_the_units_a_message_names_are_looked_at() -> None:
    shell = FakeShell({"python3": SEEN})
    bad = host("web-1", failed=1, message="nginx.service starts and dies")
    diagnose_play(PlayResult([bad]), [server("web-1")], shell, lambda _: None)
    assert shell.asked == ["web-1: sudo -n python3 -I - nginx.service"]


def test_a_host_that_went_away_since_is_told_so_and_others_keep_their_words() -> None:
    shell = FakeShell({"web-1": ToolError("web-1", "SSH failed: Connection refused"), "web-2": SEEN})
    hosts = [host("web-1", failed=1, message="rc=255"), host("web-2", failed=1, message="a bad value")]
    play = diagnose_play(PlayResult(hosts), [server("web-1"), server("web-2")], shell, lambda _: None)
    assert play.hosts[0].message.startswith("it does not answer any more")
    assert play.hosts[1].message == "a bad value"


def test_an_unreachable_host_is_not_asked() -> None:
    shell = FakeShell({})
    away = host("web-1", unreachable=True, message="SSH failed: Host key verification failed.")
    play = diagnose_play(PlayResult([away]), [server("web-1")], shell, lambda _: None)
    assert play.hosts[0].message.startswith("it shows another host key than the pinned one")
    assert "steward repin" in play.hosts[0].message
    assert shell.asked == []


def test_a_full_disk_here_is_not_blamed_on_hosts() -> None:
    said = "ansible ended without a result: OSError: [Errno 28] No space left on device: 'artifacts'"
    bad = host("web-1", failed=1, message=said)
    with pytest.raises(ToolError, match=r"this machine.*its disk is full"):
        diagnose_play(PlayResult([bad], said), [server("web-1")], FakeShell({}), lambda _: None)
