"""Values in the leaves of the example fleet: each file is valid and plans, or is refused in words.

What is valid goes on through the pure steps that a hostile text reaches: outputs, inventory, its rendering.
Roles are judged by their real specifications.
"""

# ruff: noqa: E501, RUF001  # hostile texts read best unbroken
from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.app_fleet import role_catalog
from orchestrator.inventory.build import Binaries, RepositoryAccess, build_inventory
from orchestrator.inventory.render import render_hosts, render_secrets
from orchestrator.settings import load_settings
from stacks.fleet.loader import parse
from stacks.fleet.mistakes import FleetInvalid, Mistake
from stacks.fleet.model import Fleet
from stacks.outputs import read_outputs
from tests.unit.stacks.fleet.test_fuzz import DEMO, Steps, places, with_value

MOST_SECONDS = 0.1
"""Of processor time; a busy machine gets further tries."""


def leaves() -> list[Steps]:
    """The places that hold a single value."""
    return [steps for steps in places(DEMO) if not isinstance(value_at(steps), dict | list)]


def value_at(steps: Steps) -> Any:
    node: Any = DEMO
    for step in steps:
        node = node[step]
    return node


LEAVES = leaves()
HUGE = st.sampled_from(
    ["x" * 50_000, "é" * 20_000, 10**400, -(10**18), 1e308, ["x"] * 5_000, {"k": "v" * 30_000}]
)
HOSTILE = st.sampled_from([
    "", " ", "\0", "\x1b[2J\x1b]0;x\x07", "\x7f", "\x85", "\u2028", "\u202e", "\ufeff", "\ud800", "\U0001f600", "ａcme", "а",
    "{{ lookup('pipe','touch /tmp/planted') }}", "{% for x in range(10**9) %}{% endfor %}", "{#", "${IFS}", "$(id)", "`id`", "%s", "%n",
    "../../etc/passwd", "/etc/shadow", "~root/.ssh", "//x", "C:\\x", "/var/../etc", "/proc/self/environ", "file:///etc/passwd",
    "'; DROP TABLE x; --", "<script>alert(1)</script>", "=cmd()", "-oProxyCommand=id", "--help", "a\nb: c", "*", "&a", "!x", "<<", "null",
    "1e3", "0x1f", "0o17", "1_000", "12:30:45", "2026-11-25", "NaN", ".inf", "yes", "no", "٢٦h", "26H", "99999999999d", "10.41.0.0/33",
    "0.0.0.0/0", "::/0", "* * * * *", "99 * * * *", "@daily", "Mon 25:00-26:00", "Europe/Nowhere", "acme-demo", "anywhere", "web", "db",
])  # fmt: skip
KINDS = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 70_000), st.floats(), st.just([]), st.just({}), st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=4), st.integers(), max_size=2),
)  # fmt: skip
MUTATED = st.one_of(HOSTILE, KINDS, st.text(max_size=30), HUGE)


@cache
def roles() -> Any:
    """The check of a use of a role; the uses that a value does not change are judged once, by Ansible's code."""
    check, known = role_catalog(load_settings()).check, dict[str, Any]()

    def judged(role: str, variables: Mapping[str, Any]) -> Any:
        use = f"{role} {variables!r}"
        if use not in known:
            known[use] = check(role, variables)
        return known[use]

    return judged


def judge(raw: bytes) -> Fleet | None:
    """The fleet, or None after a refusal whose every word can be shown; quickly, either way."""
    for _ in range(3):
        began = time.process_time()
        found, mistakes = told(raw)
        took = time.process_time() - began
        if took < MOST_SECONDS:
            assert (found is None) == bool(mistakes)
            assert all(each.message.isprintable() and each.path.isprintable() for each in mistakes)
            assert all(len(each.message) < 1_000 for each in mistakes)
            return found
    raise AssertionError(f"took {took:.3f} s of processor time")


def told(raw: bytes) -> tuple[Fleet | None, tuple[Mistake, ...]]:
    """The fleet, or its mistakes."""
    try:
        return parse(raw, "fuzz.yaml", roles()), ()
    except FleetInvalid as problem:
        return None, problem.mistakes


def outputs_of(fleet: Fleet) -> Iterator[tuple[str, Any]]:
    """What the program would export for a fleet."""
    servers = [
        {"name": name, "group": group, "network": fleet.servers[group].network, "incarnation": "0" * 32,
         "address": "10.41.0.9", "ssh_host": "127.0.0.1", "ssh_port": 20_000.0, "ssh_user": "steward",
         "host_key": "ssh-ed25519 AAAA", "published": {}}
        for group, name in fleet.server_names()
    ]  # fmt: skip
    networks = [
        {"name": name, "cidr": str(each.cidr), "network_id": "n", "gateway": str(each.cidr[1])}
        for name, each in fleet.networks.items()
    ]
    yield "version", 1.0
    yield from (("client", fleet.client), ("client_id", "c" * 32), ("environment", fleet.environment))
    yield from (("stack", fleet.stack), ("stack_id", "5" * 32), ("networks", networks), ("servers", servers))
    yield "plans", [{"name": name, "id": "a" * 32} for name in fleet.backups]


def plan(fleet: Fleet) -> None:
    """Everything pure between a valid fleet and the files that Ansible reads; raises nothing."""
    outputs = read_outputs(fleet.stack, dict(outputs_of(fleet)))
    access = {name: RepositoryAccess("u", name, "PEM", "h", "p") for _, name in fleet.server_names()}
    inventory = build_inventory(fleet, outputs, "RUN", Binaries(Path("/r"), Path("/s")), access)
    text = render_hosts(inventory)
    assert (text + render_secrets(inventory)).isascii()
    assert text.count(": !unsafe\n") == len(inventory.hosts) + 1


def try_leaf(steps: Steps, count: int) -> None:
    """That many values in one leaf."""

    @settings(max_examples=count, deadline=None, database=None)
    @given(MUTATED)
    def mutate(value: Any) -> None:
        fleet = judge(json.dumps(with_value(DEMO, steps, value)).encode())
        if fleet is not None:
            plan(fleet)

    mutate()


def name_of(steps: Steps) -> str:
    return ".".join(map(str, steps))
