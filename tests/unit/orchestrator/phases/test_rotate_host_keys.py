"""Host keys: known before they are shown, pinned when they are; a second run goes on where one stopped."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orchestrator.errors import ToolError
from orchestrator.phases import rotate_host_keys
from orchestrator.provisioning.expected_keys import expected_keys, keep_expected
from orchestrator.ssh import known_hosts_text
from tests.fakes import FakeShell
from tests.fakes_rotation import OLD, Rotating
from tests.unit.orchestrator.samples import KEY, outputs

SERVERS = outputs().servers
COMING = "ssh-ed25519 " + "A" * 68


def shell(prepared: str = COMING, shown: bool = True) -> FakeShell:
    return FakeShell({"steward_pause": json.dumps(shown), "ssh-keygen": json.dumps(prepared)})


def test_a_new_key_is_known_shown_pinned_and_proven_before_the_old_one_goes() -> None:
    made, host = Rotating(), shell()
    keys = rotate_host_keys.announce(SERVERS, host, made.ports())
    assert made.hosts.known == keys == {server.incarnation: COMING for server in SERVERS}
    known = rotate_host_keys.switch(SERVERS, keys, host, made.ports())
    assert [server.host_key for server in known] == [COMING] * 3
    assert sorted(made.pinned) == sorted((server.name, KEY, COMING) for server in SERVERS)
    made.logins = {OLD.private: FakeShell({"retiring": ""})}
    rotate_host_keys.finish(known, made.ports(), lambda _: None)
    assert (made.hosts.known, len(made.logins[OLD.private].asked)) == ({}, 3)
    states = [state for *_, state in made.noted]
    assert [states.count(each) for each in ("begun", "switched", "finished")] == [3, 3, 3]


def test_a_server_that_does_not_show_it_stays_known_by_both() -> None:
    made, host = Rotating(), shell(shown=False)
    keys = rotate_host_keys.announce(SERVERS[:1], host, made.ports())
    with pytest.raises(ToolError, match="does not show its new host key"):
        rotate_host_keys.switch(SERVERS[:1], keys, host, made.ports())
    assert (made.hosts.known, made.pinned) == (keys, [])


@pytest.mark.parametrize("said", ["", "ssh-rsa AAAA", "ssh-ed25519 short", "ssh-ed25519 " + "A" * 68 + "\nx"])
def test_what_is_no_host_key_is_never_believed(said: str) -> None:
    made = Rotating()
    with pytest.raises(ToolError, match="made no Ed25519 host key"):
        rotate_host_keys.announce(SERVERS[:1], shell(prepared=said), made.ports())
    assert made.hosts.known == {}


def test_a_key_that_is_pinned_already_is_not_pinned_again() -> None:
    made, again = Rotating(), [server.model_copy(update={"host_key": COMING}) for server in SERVERS]
    rotate_host_keys.switch(again, {server.incarnation: COMING for server in again}, shell(), made.ports())
    assert made.pinned == []


def test_both_keys_are_in_known_hosts_while_one_follows_the_other(tmp_path: Path) -> None:
    first = SERVERS[0]
    place = f"[{first.ssh_host}]:{first.ssh_port}"
    keep_expected(tmp_path, {first.incarnation: COMING, "another": COMING})
    assert known_hosts_text([first], expected_keys(tmp_path)) == f"{place} {KEY}\n{place} {COMING}\n"
    assert known_hosts_text([first], {first.incarnation: KEY}) == f"{place} {KEY}\n"
    keep_expected(tmp_path, {})
    assert known_hosts_text([first], expected_keys(tmp_path)) == f"{place} {KEY}\n"
