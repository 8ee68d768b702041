"""What provider and vaults have of a stack is listed; what could not be asked is left out and said."""

from __future__ import annotations

from typing import Any

from orchestrator.errors import ToolError
from orchestrator.phases.population import listings, summary
from orchestrator.ports.run import StackRecord, Target
from orchestrator.provisioning.local_listing import NoListing
from tests.fake_facts import FakeListing
from tests.fakes import NOON, FakeCredentials, FakeStore, FixedClock
from tests.unit.orchestrator.samples import loaded

TARGET = Target(StackRecord("acme-demo", "51" * 16, "acme", "c1" * 16, NOON), loaded())
CHAIN, LOST = "ab" * 16, "cd" * 16


def asked(store: Any, provider: Any = None, chains: tuple[str, ...] = ()) -> tuple[Any, list[str]]:
    said: list[str] = []
    found = listings(
        TARGET, provider or FakeListing(), lambda _: store, lambda _: FakeCredentials(), chains, said.append
    )
    return found, said


def test_the_provider_is_asked_for_this_stack_and_the_vault_for_what_lies_in_it() -> None:
    store, provider = FakeStore(FixedClock()), FakeListing([{"type": "server", "name": "web-1"}])
    store.repositories.append(LOST)
    found, said = asked(store, provider)
    assert provider.asked == ["51" * 16]
    assert [row["name"] for row in found["vault"]["entries"]] == [LOST]
    assert (summary(found), said) == ("provider 1, vault 1", [])


def test_a_chain_of_evidence_is_nobodys_repository() -> None:
    store = FakeStore(FixedClock())
    store.repositories += [CHAIN, LOST]
    found, _ = asked(store, chains=(CHAIN,))
    assert [row["name"] for row in found["vault"]["entries"]] == [LOST]


def test_a_vault_that_does_not_answer_hides_no_other_source() -> None:
    class Away(FakeStore):
        def describe(self) -> Any:
            raise ToolError("vault-1", "SSH failed")

    found, said = asked(Away(FixedClock()))
    assert list(found) == ["provider"]
    assert said == ["the vault could not be listed: SSH failed"]


def test_a_provider_that_nobody_can_ask_says_so_and_lists_nothing() -> None:
    found, _ = asked(FakeStore(FixedClock()), NoListing())
    assert found["provider"]["looked_at"] is False
    assert summary(found).startswith("provider not looked at")
