"""Firewalls hold: the whole matrix of the demo fleet is tried for real, and every way of breaking it is seen."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from orchestrator.phases.network import program
from orchestrator.verification.flows import Source, SourceKind, allows
from stacks.fleet.loader import load
from stacks.outputs import FleetOutputs
from tests.e2e.conftest import Demo
from tests.e2e.world import command, container_of, on_host, unfolded_document

pytestmark = [pytest.mark.real, pytest.mark.e2e]

EDGE, HOST = "inet steward_edge", "inet steward_host"
UNITS = {EDGE: "steward-edge.service", HOST: "steward-host-firewall.service"}
LISTENER = """\
import socket
silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
silent.bind(("0.0.0.0", 5140))
while True:
    silent.recv(1)
"""
BOOTED_SECONDS = 60.0


def network_checks(demo: Demo, *, code: int) -> dict[str, dict[str, Any]]:
    """`verify --network` on the shop, its network checks by server and name."""
    done = demo.world.steward("verify", "--fleet", demo.shop, "--network", "--json")
    assert done.code == code, done.all
    found = unfolded_document(done.out)["checks"]
    return {f"{c['server']} {c['check']}": c for c in found if c["check"].startswith("network.")}


def verdicts(checks: dict[str, dict[str, Any]]) -> set[str]:
    return {check["verdict"] for check in checks.values()}


def test_the_whole_matrix_is_as_the_fleet_says(demo: Demo) -> None:
    checks = network_checks(demo, code=0)
    assert verdicts(checks) == {"pass"}
    ports = {"tcp.9", "udp.9", "tcp.22", "tcp.80", "tcp.5432"}
    over_ipv6 = {"tcp6.9", "udp6.9", "tcp6.22", "tcp6.80", "tcp6.5432"}
    assert set(checks) == {f"{s} network.{p}" for s in ("web-1", "web-2", "db-1") for p in ports | over_ipv6}
    database = checks["db-1 network.tcp.5432"]
    assert database["observed"] == "open to web-1, web-2"
    assert set(database["witness"].split(", ")) == {
        "web-1",
        "web-2",
        "vault-1 (e2e-handvault)",
        "control machine",
    }
    page = demo.world.steward("verify", "--fleet", demo.shop, "--network").out
    assert "web-1, web-2" in page
    assert "as the fleet says" in page


def test_the_vault_too_and_it_is_tried_from_the_fleet_that_it_serves(demo: Demo) -> None:
    report = demo.world.report("verify", "--fleet", demo.vault, "--network")
    (store,) = [c for c in report["checks"] if c["check"] == "network.tcp.8443"]
    assert store["verdict"] == "pass"
    assert "(e2e-hand)" in store["observed"]
    assert "control machine" in store["witness"]


def test_a_container_of_another_network_is_not_taken_for_the_control_machine(
    demo: Demo, tmp_path: Path
) -> None:
    """Podman would hide it behind the gateway, whom every server lets in to SSH."""
    loaded, outputs = load(demo.shop), outputs_of(demo)
    with stranger() as (name, address):
        probes = [["tcp", s.address, port] for s in outputs.servers for port in (22, 80, 5432, 9)]
        asked = json.dumps({"seconds": 2.5, "at_once": 50, "from_port": 0, "probes": probes})
        answers = json.loads(command(["podman", "exec", name, "python3", "-I", "-c", _with(asked)]))
    source = Source("stranger", SourceKind.FOREIGN, address)
    for (_, target, port), answer in zip(probes, answers, strict=True):
        server = next(s for s in outputs.servers if s.address == target)
        wanted = "open" if allows(loaded.fleet, outputs, source, server, ("tcp", port)) else "silent"
        assert answer == wanted, (server.name, port)


def test_a_flow_that_opens_or_shuts_is_found_on_the_port_where_it_did(demo: Demo) -> None:
    database = container_of(demo.shop, "db-1")
    rules = {table: on_host(database, "nft", "list", "table", *table.split()) for table in (EDGE, HOST)}
    for table in (EDGE, HOST):  # open to everybody, in both tables: one alone would change nothing
        on_host(database, "nft", "insert", "rule", *table.split(), "input", "tcp", "dport", "5432", "accept")
    web = container_of(demo.shop, "web-1")
    on_host(web, "nft", "insert", "rule", *EDGE.split(), "input", "tcp", "dport", "80", "drop")
    checks = network_checks(demo, code=1)
    leak, wall = checks["db-1 network.tcp.5432"], checks["web-1 network.tcp.80"]
    assert (leak["verdict"], wall["verdict"]) == ("fail", "fail")
    assert "vault-1 (e2e-handvault)" in leak["witness"]
    assert "open, but not allowed" in leak["observed"]
    assert "allowed, but shut by a firewall" in wall["observed"]
    on_host(web, "systemctl", "restart", UNITS[EDGE])
    for unit in UNITS.values():
        on_host(database, "systemctl", "restart", unit)
    for table, text in rules.items():
        assert on_host(database, "nft", "list", "table", *table.split()) == text


@pytest.mark.parametrize("order", list(permutations((EDGE, HOST))), ids=["edge first", "host first"])
def test_the_two_tables_never_fight(demo: Demo, order: tuple[str, str]) -> None:
    """Loaded in either order they are as before; with one gone the other holds alone."""
    web = container_of(demo.shop, "web-1")
    before = {table: on_host(web, "nft", "--stateless", "list", "table", *table.split()) for table in order}
    for table in order:
        on_host(web, "systemctl", "reload", UNITS[table])
    first, second = order
    on_host(web, "nft", "delete", "table", *first.split())
    alone = on_host(web, "nft", "--stateless", "list", "ruleset")
    assert before[second].strip() == alone.strip()
    checks = network_checks(demo, code=1)  # the plain check of the missing table fails, and no flow differs
    assert verdicts(checks) == {"pass"}
    on_host(web, "systemctl", "restart", UNITS[first])
    for table in order:
        assert on_host(web, "nft", "--stateless", "list", "table", *table.split()) == before[table]


def test_udp_is_judged_by_what_came_through(demo: Demo) -> None:
    """A listener that never answers: silence alone says nothing, its host's connection table does."""
    web = container_of(demo.shop, "web-1")
    on_host(web, "systemd-run", "--unit=silent-listener", "python3", "-c", LISTENER)
    until(lambda: ":5140" in on_host(web, "ss", "-Hlnu"))
    try:
        # The listener itself is a finding (hardening.ports-allowed), though nothing comes through to it.
        shut = network_checks(demo, code=1)["web-1 network.udp.5140"]
        assert shut["verdict"] == "pass"
        for table in (EDGE, HOST):
            on_host(web, "nft", "insert", "rule", *table.split(), "input", "udp", "dport", "5140", "accept")
        leak = network_checks(demo, code=1)
        assert leak["web-1 network.udp.5140"]["verdict"] == "fail"
        assert "open, but not allowed" in leak["web-1 network.udp.5140"]["observed"]
        assert leak["web-2 network.udp.5140"]["verdict"] == "pass"
    finally:
        on_host(web, "systemctl", "stop", "silent-listener", check=False)
        for unit in UNITS.values():
            on_host(web, "systemctl", "restart", unit)


def test_rules_are_there_after_a_reboot_before_ssh_answers(demo: Demo) -> None:
    database = container_of(demo.shop, "db-1")
    before = {
        table: on_host(database, "nft", "--stateless", "list", "table", *table.split()) for table in UNITS
    }
    command(["podman", "restart", "--time", "5", database])
    until(lambda: on_host(database, "systemctl", "is-active", "ssh", check=False).strip() == "active")
    after = {
        table: on_host(database, "nft", "--stateless", "list", "table", *table.split()) for table in UNITS
    }
    assert after == before
    until(lambda: ":5432" in on_host(database, "ss", "-Hlnt"))
    assert verdicts(network_checks(demo, code=0)) == {"pass"}


def until(holds: Callable[[], bool]) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + BOOTED_SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def outputs_of(demo: Demo) -> FleetOutputs:
    exported = demo.world.shell("pulumi stack output --json", demo.shop)
    from stacks.outputs import read_outputs

    return read_outputs("e2e-hand", json.loads(exported.out)["fleet"])


@contextmanager
def stranger() -> Iterator[tuple[str, str]]:
    """A container of a network that is not Steward's, with its address."""
    image = command(["podman", "inspect", "--format", "{{.Image}}", _any_container()]).strip()
    name, subnet = "steward-e2e-stranger", "10.78.0"
    limits = ["--ulimit", "nofile=4096:4096", "--ulimit", "nproc=4096:4096"]
    command(["podman", "network", "create", "--subnet", f"{subnet}.0/24", name])
    try:
        place = ["--network", name, "--ip", f"{subnet}.9", "--entrypoint", "sleep"]
        command(["podman", "run", "--detach", "--name", name, *limits, *place, image, "600"])
        yield name, f"{subnet}.9"
    finally:
        command(["podman", "rm", "--force", "--time", "0", name], check=False)
        command(["podman", "network", "rm", "--force", name], check=False)


def _any_container() -> str:
    return command(
        ["podman", "ps", "--filter", "label=steward.stack=e2e-hand", "--format", "{{.Names}}"]
    ).split()[0]


def _with(request: str) -> str:
    """The probing program with its request built in: podman exec here has no standard input."""
    return f"import io, sys; sys.stdin = io.StringIO({request!r})\n" + program()
