"""A loan of a predecessor's repository ends with the restore, however that ends."""

from __future__ import annotations

import pytest

from orchestrator.backups.documents import Snapshot
from orchestrator.errors import ToolError
from orchestrator.phases.enrol import enrol
from orchestrator.phases.lending import lent, take_back
from tests.fakes import NOON, FakeCredentials, FakeStore, FixedClock
from tests.unit.orchestrator.samples import fleet, outputs, server

OLD = "0d" * 16
SNAPSHOT = Snapshot(id="5a" * 32, time=NOON, plan="site", tags=["plan=site", "plan-id=p1"], repository=OLD)


class Bench:
    """A vault in which a predecessor's repository lies."""

    def __init__(self) -> None:
        self.store, self.keys = FakeStore(FixedClock()), FakeCredentials()
        self.owner = self.keys.create(OLD, "web-1", "acme-demo", NOON)
        self.said: list[str] = []

    def loan(self):  # type: ignore[no-untyped-def]
        return lent(SNAPSHOT, self.store, self.keys, "acme-demo", NOON, self.said.append)


def test_the_guest_has_passwords_and_a_user_of_its_own_and_is_shut_out_afterwards() -> None:
    bench = Bench()
    with bench.loan() as given:
        assert bench.store.guests == [given.user]
        assert [each.key for each in bench.keys.lent("acme-demo")] == ["9" * 64]  # kept before it is let in
    assert given.user != bench.owner.http_user
    assert given.password != bench.owner.password
    assert given.http_password != bench.owner.http_password
    assert (given.url, given.plan_id) == (f"https://10.42.0.2:8443/{given.user}/", "p1")
    assert bench.store.guests == []
    assert bench.keys.lent("acme-demo") == []
    assert bench.keys.load(OLD) == bench.owner


def test_a_restore_that_fails_ends_the_loan_too() -> None:
    bench = Bench()
    with pytest.raises(ToolError), bench.loan():
        raise ToolError("web-1", "connection lost")
    assert bench.store.loans == ["lend 0d0d", "expel 0d0d"]


def test_a_loan_that_could_not_be_taken_back_is_said_and_ends_with_the_next_up() -> None:
    bench = Bench()
    with bench.loan():
        bench.store.away = "the vault is gone"
    assert "could not be taken back (the vault is gone)" in bench.said[-1]
    assert bench.store.guests
    bench.store.away = ""
    enrol(fleet(), outputs(), [server("web-1")], lambda _: bench.store, lambda _: bench.keys, NOON, print)
    assert bench.store.guests == []
    assert bench.keys.lent("acme-demo") == []


def test_loans_of_other_stacks_are_left_alone() -> None:
    bench = Bench()
    bench.keys.keep_lent(bench.keys.guest(OLD, NOON).model_copy(update={"stack": "acme-lab"}))
    take_back(bench.store, bench.keys, "acme-demo", print)
    assert bench.store.loans == []
