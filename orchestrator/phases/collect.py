"""collect: ask every server for its facts, and keep what each said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.ports.facts import FactBook
from orchestrator.ports.hosts import HostFactCollector, HostFacts, Unreached
from orchestrator.reporting.humanise import plural
from orchestrator.results import Readiness
from stacks.outputs import ServerOutput


@dataclass(frozen=True)
class Collected:
    """Documents of this run and of earlier ones, and the servers that gave none, with the reason."""

    documents: Sequence[Mapping[str, Any]]
    earlier: Sequence[Mapping[str, Any]]
    unreached: Mapping[str, str]

    @property
    def asked(self) -> frozenset[str]:
        """Names of the servers that gave a document, or were asked for one in vain."""
        return frozenset({*(str(each["host"]) for each in self.documents), *self.unreached})


def collect(
    servers: Sequence[ServerOutput],
    readiness: Sequence[Readiness],
    collector: HostFactCollector,
    book: FactBook,
) -> Collected:
    """All servers at once; those that never became ready are told with what they lacked."""
    answers = collector.collect(servers).values()
    found = [each for each in answers if isinstance(each, HostFacts)]
    book.keep(found)
    silent = {each.host: each.reason for each in answers if isinstance(each, Unreached)}
    documents = [each.document for each in found]
    return Collected(documents, book.earlier(servers), {**never_ready(readiness), **silent})


def never_ready(readiness: Sequence[Readiness]) -> dict[str, str]:
    """The servers that never became ready, each with what it lacked."""
    return {
        each.server: f"not ready: {each.missing}{f', {each.message}' if each.message else ''}"
        for each in readiness
        if each.missing
    }


def summary(found: Collected) -> str:
    """`3 hosts gave facts; 1 did not: db-1`"""
    text = f"{plural(len(found.documents), 'host')} gave facts"
    silent = ", ".join(found.unreached)
    return text + (f"; {len(found.unreached)} did not: {silent}" if silent else "")
