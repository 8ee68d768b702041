"""Outputs are read whole or refused by the name of what is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from stacks.outputs import OutputsInvalid, read_outputs

SERVER: dict[str, Any] = {
    "name": "web-1", "group": "web", "network": "app", "incarnation": "0" * 32, "address": "10.41.0.2",
    "ssh_host": "127.0.0.1", "ssh_port": 40021.0, "ssh_user": "steward", "host_key": "ssh-ed25519 AAAA",
    "published": {"80": 41000.0},
}  # fmt: skip
OUTPUTS: dict[str, Any] = {
    "version": 1.0, "client": "acme", "client_id": "c" * 32, "environment": "demo", "stack": "acme-demo",
    "stack_id": "5" * 32,
    "networks": [{"name": "app", "cidr": "10.41.0.0/24", "network_id": "n", "gateway": "10.41.0.1"}],
    "servers": [SERVER], "repositories": [], "plans": [{"name": "site", "id": "1" * 32}],
}  # fmt: skip


def test_numbers_that_pulumi_carries_as_floats_are_whole_again() -> None:
    outputs = read_outputs("acme-demo", OUTPUTS)
    assert (outputs.server("web-1").ssh_port, outputs.server("web-1").published) == (40021, {"80": 41000})
    assert outputs.network("app").gateway == "10.41.0.1"


def test_a_name_that_does_not_exist_is_a_key_error() -> None:
    outputs = read_outputs("acme-demo", OUTPUTS)
    with pytest.raises(KeyError, match="web-9"):
        outputs.server("web-9")
    with pytest.raises(KeyError, match="db"):
        outputs.network("db")


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (None, "output 'fleet' is missing"),
        ([], "output 'fleet': "),
        ({**OUTPUTS, "version": 2}, "output 'fleet.version': "),
        ({**OUTPUTS, "stack": "acme-prod"}, "output 'fleet.stack' is 'acme-prod', another stack"),
        ({**OUTPUTS, "extra": 1}, "output 'fleet.extra': "),
        ({**OUTPUTS, "\x1b[2J": 1}, r"output 'fleet.\x1b[2J': "),
        ({key: value for key, value in OUTPUTS.items() if key != "servers"}, "output 'fleet.servers': "),
        ({**OUTPUTS, "servers": [{**SERVER, "ssh_port": 40021.5}]}, "output 'fleet.servers.0.ssh_port': "),
        ({**OUTPUTS, "servers": [{**SERVER, "ssh_port": 0}]}, "output 'fleet.servers.0.ssh_port': "),
        (
            {**OUTPUTS, "servers": [{**SERVER, "host_key": "ssh-rsa AAAA"}]},
            "output 'fleet.servers.0.host_key': ",
        ),
        (
            {**OUTPUTS, "servers": [{**SERVER, "host_key": "ssh-ed25519 AAAA\nx"}]},
            "output 'fleet.servers.0.host_key': ",
        ),
        (
            {**OUTPUTS, "servers": [{**SERVER, "incarnation": "web-1"}]},
            "output 'fleet.servers.0.incarnation': ",
        ),
        ({**OUTPUTS, "servers": [{**SERVER, "address": None}]}, "output 'fleet.servers.0.address': "),
    ],
)
def test_what_is_wrong_is_named(value: Any, problem: str) -> None:
    with pytest.raises(OutputsInvalid) as caught:
        read_outputs("acme-demo", value)
    assert any(each.startswith(problem) for each in caught.value.problems), caught.value.problems
    assert str(caught.value).startswith("acme-demo: ")
    assert str(caught.value).isprintable()
