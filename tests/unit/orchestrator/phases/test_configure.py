"""Playbooks run where something differs, and only what went well is remembered."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from orchestrator.inventory.model import Inventory, InventoryHost
from orchestrator.phases.configure import ConfigureRequest, configure
from orchestrator.ports.plays import PlayResult
from stacks.outputs import ServerOutput
from tests.fakes import FakeConvergence, FakeRunner
from tests.unit.orchestrator.samples import server

SERVERS = (server("web-1"), server("web-2"))


class Bench:
    """Two servers and what was remembered of them."""

    def __init__(self) -> None:
        self.runner, self.convergence = FakeRunner(), FakeConvergence()

    def configure(
        self, run: str, *, port: int = 80, always: bool = False, servers: Sequence[ServerOutput] = SERVERS
    ) -> PlayResult:
        hosts = [InventoryHost(name=each.name, groups=[], variables={"port": port}) for each in SERVERS]
        request = ConfigureRequest(
            inventory=Inventory(hosts=hosts, shared={}), servers=servers, run=run, private_keys=[Path("/k")],
            known_hosts=Path("/kh"), always=always,
        )  # fmt: skip
        self.runner.requests.clear()
        return configure(request, self.runner, self.convergence, lambda _: None)

    @property
    def played(self) -> list[str]:
        return [name for request in self.runner.requests for name in request.hosts]


def test_a_second_run_leaves_alone_what_is_as_it_should_be() -> None:
    bench = Bench()
    bench.configure("RUN1")
    found = bench.configure("RUN2")
    assert bench.played == []
    assert [(host.name, host.unchanged_since) for host in found.hosts] == [
        ("web-1", "RUN1"),
        ("web-2", "RUN1"),
    ]


def test_another_input_or_an_explicit_wish_converges_again() -> None:
    bench = Bench()
    bench.configure("RUN1")
    bench.configure("RUN2", port=81)
    assert bench.played == ["web-1", "web-2"]
    bench.configure("RUN3", port=81, always=True)
    assert bench.played == ["web-1", "web-2"]


def test_a_failed_host_is_not_remembered_and_hosts_keep_their_order() -> None:
    bench = Bench()
    bench.runner.failing = ["web-1"]
    bench.configure("RUN1")
    bench.runner.failing = []
    found = bench.configure("RUN2")
    assert bench.played == ["web-1"]
    assert [(host.name, host.unchanged_since) for host in found.hosts] == [("web-1", ""), ("web-2", "RUN1")]


def test_an_interrupted_converge_is_not_taken_for_a_good_one() -> None:
    bench = Bench()
    bench.configure("RUN1")
    bench.runner.raises = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        bench.configure("RUN2", always=True)
    bench.runner.raises = None
    bench.configure("RUN3")
    assert bench.played == ["web-1", "web-2"]


def test_nobody_is_not_everybody() -> None:
    bench = Bench()
    assert list(bench.configure("RUN1", always=True, servers=()).hosts) == []
    assert bench.runner.requests == []
