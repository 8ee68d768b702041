"""Predecessors are asked for only where there are some, and a hostile one stops nothing."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from orchestrator.backups.documents import Snapshot
from orchestrator.backups.predecessors import Losses
from orchestrator.errors import InputError
from orchestrator.phases.predecessors import accept, find, lost
from orchestrator.ports.backups import Receipt
from orchestrator.ports.provisioning import StateResource
from tests.fakes import NOON, FakeCredentials, FakeStore, FixedClock, MemoryLedger
from tests.unit.orchestrator.samples import fleet, outputs

OLD = "0d" * 16


class Bench:
    """A vault with one predecessor of web-1 in it."""

    def __init__(self, server: str = "web-1") -> None:
        self.store, self.keys, self.ledger = FakeStore(FixedClock()), FakeCredentials(), MemoryLedger()
        for made in outputs().servers:
            self.keys.create(made.incarnation, made.name, "acme-demo", NOON)
        self.keys.create(OLD, server, "acme-demo", NOON)
        self.store.arrive(OLD, "5a" * 32)
        self.store.lying[OLD] = [Snapshot(id="5a" * 32, time=NOON, plan="site")]

    def lost(self, resources: Sequence[StateResource] = ()) -> Losses:
        of = (lambda _: self.store, lambda _: self.keys, self.ledger, lambda _: resources)
        return lost(fleet(), outputs(), *of)


def test_a_lost_servers_data_are_missed_and_accepted_by_a_persons_word_alone() -> None:
    bench = Bench()
    assert set(bench.lost().pairs) == {("site", "web-1")}
    said = accept(fleet(), outputs(), ["web-1"], (), bench.ledger, "RUN", NOON)
    assert said == [("site", "web-1")]
    assert bench.lost() == Losses()
    with pytest.raises(InputError, match="no such plan on these servers"):
        accept(fleet(), outputs(), ["web-1"], ["databases"], bench.ledger, "RUN", NOON)


def test_no_vault_is_asked_where_no_repository_was_left() -> None:
    bench = Bench()
    del bench.keys.known[OLD]

    def nobody(_name: str) -> FakeStore:
        raise AssertionError("the vault was asked")

    assert find(fleet(), outputs(), nobody, lambda _: bench.keys) == []


def test_the_repository_of_a_server_that_is_no_more_is_found_and_misses_nothing() -> None:
    bench = Bench("web-9")
    assert [
        each.server for each in find(fleet(), outputs(), lambda _: bench.store, lambda _: bench.keys)
    ] == ["web-9"]
    assert bench.lost() == Losses()


def test_a_repository_that_cannot_be_read_is_said_and_stops_nothing() -> None:
    bench = Bench()
    bench.store.broken = "the repository's snapshots cannot be read"
    assert bench.lost() == Losses(unread={"web-1": bench.store.broken})
    assert isinstance(bench.store.arrived[0], Receipt)
