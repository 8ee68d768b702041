"""Facts of hosts as tests want them: a collector, a book and a provider's listing that remember."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from orchestrator.ports.hosts import HostFacts, Unreached
from stacks.outputs import ServerOutput
from tests.fakes import NOON


@dataclass
class FakeFacts:
    """Implements `ports.hosts.HostFactCollector` and `ports.facts.FactBook`; `silent`: host -> why."""

    silent: Mapping[str, str] = field(default_factory=dict)
    listening: Sequence[Mapping[str, object]] = ()
    kept: list[HostFacts] = field(default_factory=list)
    expected: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    known: Sequence[Mapping[str, Any]] = ()

    def collect(self, servers: Sequence[ServerOutput]) -> Mapping[str, HostFacts | Unreached]:
        return {server.name: self._one(server.name) for server in servers}

    def keep(self, facts: Sequence[HostFacts]) -> None:
        self.kept.extend(facts)

    def keep_expected(self, expected: Mapping[str, Mapping[str, object]]) -> None:
        self.expected = expected

    def earlier(self, servers: Sequence[ServerOutput]) -> Sequence[Mapping[str, Any]]:
        return self.known

    def _one(self, host: str) -> HostFacts | Unreached:
        if host in self.silent:
            return Unreached(host, self.silent[host])
        return HostFacts(host, facts_of(host, listening=list(self.listening)))


@dataclass
class FakeListing:
    """Implements `ports.listing.ProviderListing`."""

    entries: Sequence[Mapping[str, str]] = ()
    asked: list[str] = field(default_factory=list)

    def listing(self, stack_id: str) -> Mapping[str, Any]:
        self.asked.append(stack_id)
        types = ["server", "network", "volume"]
        return {"schema": "steward.listing/1", "looked_at": True, "types": types, "entries": self.entries}


def facts_of(host: str, **sections: object) -> dict[str, object]:
    """A document of a host with these sections alone."""
    return {
        "schema": "steward.host-facts/1",
        "host": host,
        "collected_at": NOON.isoformat(),
        **sections,
    }
