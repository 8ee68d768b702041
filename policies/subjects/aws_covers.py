"""What a plan of AWS Backup saves, and where to: from its selections and vaults to the neutral pairs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from policies.facts import Unknown
from policies.model import Subject

_Facts = Mapping[str, dict[str, Any]]
_Edges = Mapping[str, Mapping[str, tuple[str, ...]]]


def cover(subjects: Sequence[Subject], facts: _Facts, edges: _Edges) -> None:
    """Fill `covers` and the repository's stack of each plan; edges of servers must be whole."""
    plans = [each for each in subjects if each.type == "backup_plan" and each.urn in facts]
    if not plans:
        return
    vaults = {each.urn for each in subjects if _is(each, "Vault", facts)}
    names = {name for urn in vaults if isinstance(name := facts[urn].get("vaultName"), str)}
    selections = defaultdict(list)
    for part in subjects:
        if _is(part, "Selection", facts):
            for plan in edges[part.urn].get("planId", ()):
                selections[plan].append(part)
    stock = _Stock(subjects, facts, edges)
    for each in plans:
        facts[each.urn]["repository"] = _repository(each, vaults, names, facts, edges)
        facts[each.urn]["covers"] = [
            row for selection in selections[each.urn] for row in stock.covered(selection)
        ]


def _is(subject: Subject, kind: str, facts: _Facts) -> bool:
    return subject.urn in facts and subject.source_type.endswith(f":{kind}")


def _repository(
    plan: Subject, vaults: AbstractSet[str], names: AbstractSet[str], facts: _Facts, edges: _Edges
) -> Mapping[str, object]:
    """Amazon's vaults have no stack; one that stands in this list is of the stack that it protects."""
    name = facts[plan.urn]["repository"]["name"]
    known = isinstance(name, str)
    if not vaults.isdisjoint(edges[plan.urn].get("rules", ())) or (known and name in names):
        return {"name": name, "stack": plan.stack}
    if known:
        return {"name": name, "stack": "another stack"}
    return {"name": name, "stack": Unknown("the vault is not named, so nobody knows whose it is")}


def _values(row: object) -> Iterable[object]:
    return row.values() if isinstance(row, Mapping) else ()


class _Stock:
    """Servers and volumes that a selection may name."""

    def __init__(self, subjects: Sequence[Subject], facts: _Facts, edges: _Edges) -> None:
        self._facts, self._edges = facts, edges
        self._all = [each for each in subjects if each.type in ("server", "volume") and each.urn in facts]
        self._by_tag: dict[tuple[str, str], list[Subject]] = defaultdict(list)
        for each in self._all:
            tags = facts[each.urn].get("tags")
            for pair in tags.items() if isinstance(tags, dict) else ():
                if isinstance(pair[1], str):
                    self._by_tag[pair].append(each)
        self._by_urn = {each.urn: each for each in self._all}
        self._servers = defaultdict(list)
        for server in self._all:
            for volume in edges[server.urn].get("volumes", ()):
                self._servers[volume].append(server)

    def covered(self, selection: Subject) -> Iterator[object]:
        """The (server, volume) pairs that it saves, or Unknown where it does not say what."""
        told = self._facts[selection.urn]
        rows = told["selectionTags"]
        if any(isinstance(each, Unknown) for row in rows for each in (row, *_values(row))):
            yield Unknown("the selection's tags are not known")
            return
        for resource in self._all if told["everything"] else self._chosen(selection, rows):
            yield from self._pairs(resource)

    def _chosen(self, selection: Subject, rows: Sequence[Mapping[str, object]]) -> Iterator[Subject]:
        for urn in self._edges[selection.urn].get("resources", ()):
            if urn in self._by_urn:
                yield self._by_urn[urn]
        for row in rows:
            key, value = row["key"], row["value"]
            if isinstance(key, str) and isinstance(value, str):
                yield from self._by_tag.get((key, value), ())

    def _pairs(self, resource: Subject) -> Iterator[object]:
        if resource.type == "server":
            for row in self._facts[resource.urn]["volumes"]:
                yield {"server": resource.name, "volume": row["name"]}
            return
        for server in self._servers[resource.urn]:
            name = resource.name.removeprefix(f"{server.name}-")
            yield {"server": server.name, "volume": name}
