"""Fingerprints as ssh-keygen prints them, and pins that hold for one incarnation and one old key."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.errors import FindingsError, InputError
from orchestrator.evidence.ledger import SqliteLedger
from orchestrator.host_keys import HostKeyPin, fingerprint, with_pins
from orchestrator.phases.repin import KeySeen, judge, pin_of, told
from tests.fakes import NOON
from tests.unit.orchestrator.samples import outputs, server

AGAIN = "steward repin --fleet f.yaml --host web-1"


def seen(shown: str = "ssh-ed25519 AAAAshown") -> KeySeen:
    return KeySeen(server("web-1"), shown, "SHA256:old", "SHA256:new")


def test_a_fingerprint_is_ssh_keygens(tmp_path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "key")], check=True)
    said = subprocess.run(
        ["ssh-keygen", "-lf", str(tmp_path / "key.pub")], check=True, capture_output=True, text=True
    )
    assert fingerprint((tmp_path / "key.pub").read_text()) == said.stdout.split()[1]


@pytest.mark.parametrize("key", ["", "ssh-ed25519", "ssh-ed25519 !!"])
def test_what_is_no_key_has_no_fingerprint(key: str) -> None:
    assert fingerprint(key) == "no public key"


def test_a_pin_replaces_the_key_of_its_incarnation_and_chains() -> None:
    made = outputs()
    web = made.servers[0]
    first = HostKeyPin("s", web.name, web.incarnation, web.host_key, "ssh-ed25519 AAAA1")
    second = replace(first, old_key="ssh-ed25519 AAAA1", new_key="ssh-ed25519 AAAA2")
    assert with_pins(made, []) == made
    assert with_pins(made, [first]).servers[0].host_key == "ssh-ed25519 AAAA1"
    assert with_pins(made, [first, second]).servers[0].host_key == "ssh-ed25519 AAAA2"
    assert list(with_pins(made, [first]).servers[1:]) == list(made.servers[1:])


@pytest.mark.parametrize("changed", [{"incarnation": "f" * 32}, {"old_key": "ssh-ed25519 AAAAother"}])
def test_another_incarnation_or_another_old_key_inherits_none(changed: dict[str, str]) -> None:
    web = outputs().servers[0]
    pin = replace(HostKeyPin("s", web.name, web.incarnation, web.host_key, "ssh-ed25519 AAAA1"), **changed)
    assert with_pins(outputs(), [pin]) == outputs()


def test_without_a_named_key_nothing_leads_past() -> None:
    with pytest.raises(FindingsError, match=r"pinned SHA256:old, shown SHA256:new.*--accept SHA256:new"):
        judge(seen(), "", AGAIN)
    with pytest.raises(InputError, match="rule: shown SHA256:new, pinned SHA256:old"):
        judge(seen(), "SHA256:guess", AGAIN)
    judge(seen(), "SHA256:new", AGAIN)
    judge(seen(server("web-1").host_key), "", AGAIN)
    with pytest.raises(InputError, match="names another one"):
        judge(seen(server("web-1").host_key), "SHA256:new", AGAIN)


def test_what_is_told_names_both_or_the_one() -> None:
    assert told(seen()) == "web-1: pinned SHA256:old, shown SHA256:new"
    assert told(seen(server("web-1").host_key)) == "web-1 shows the pinned key SHA256:old"


def test_the_ledger_keeps_pins_of_each_stack_in_order(tmp_path: Path) -> None:
    ledger = SqliteLedger(tmp_path / "steward.db")
    first = pin_of(seen(), "1" * 32)
    second = replace(first, old_key=first.new_key, new_key="ssh-ed25519 AAAA2")
    for pin in (first, second, replace(first, stack_id="2" * 32)):
        ledger.pins.record(pin, "run", "anna", NOON)
    assert list(SqliteLedger(tmp_path / "steward.db").pins.of_stack("1" * 32)) == [first, second]
