"""Some of what was changed by hand on a host, and nothing else, becomes what should be. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from orchestrator.convergence.comparison import Difference, differences, followed, groups, items, told
from orchestrator.convergence.look import digest
from orchestrator.convergence.records import Expected, Parts, Seen
from orchestrator.reporting.drift import DriftItem


@dataclass(frozen=True)
class Accepted:
    """What is expected when `items` are right, and what `up` then takes for what the last converge left."""

    expected: Expected
    state: Mapping[str, str]
    items: tuple[DriftItem, ...]


def accepted(
    server: str, expected: Expected, state: Mapping[str, str], seen: Seen, wanted: Sequence[DriftItem]
) -> Accepted:
    """Those of `wanted` that are still exactly as they were told, with all that follows from them alone."""
    found = differences(server, expected, seen)
    named = [each.item for each in found]
    reviewed = [each.model_copy(update={"fix": ""}) for each in wanted]  # which is not of the host
    chosen = {
        index: following
        for index, following in groups(named).items()
        if told(index, following, named) in reviewed
    }
    taken = _taken(found, chosen, expected, seen)
    after = _expected(expected, taken, seen)
    left_over = items(server, after, seen)
    if all(each.unhealed_since for each in left_over):
        kept: Mapping[str, str] = seen.parts
    else:
        kept = _state(expected, state, taken, seen)
    return Accepted(after, kept, tuple(told(index, following, named) for index, following in chosen.items()))


def _taken(
    found: Sequence[Difference], chosen: Mapping[int, Sequence[int]], expected: Expected, seen: Seen
) -> list[Difference]:
    """The chosen entries and what follows from them, but not what follows from another one, too: two users
    were put into one group, and one of them was reviewed.
    """
    named = [each.item for each in found]
    users = {named[index].name for index in chosen if named[index].kind == "user"}
    taken = set(chosen)
    pending = [index for following in chosen.values() for index in following]
    while ready := [each for each in pending if taken.issuperset(followed(each, named))]:
        pending = [each for each in pending if each not in ready]
        taken.update(each for each in ready if _joined_group(found[each], expected, seen) <= users)
    return [found[index] for index in sorted(taken)]


def _joined_group(each: Difference, expected: Expected, seen: Seen) -> set[str]:
    """Who is in a group now and was not, or the other way round."""
    if each.item.kind != "group" or each.key is None:
        return set()
    values = (entries.get(each.part, {}).get(each.key, "") for entries in (expected.parts, seen.entries))
    before, after = (set(value.rpartition(" ")[2].split(",")) - {""} for value in values)
    return before ^ after


def _expected(expected: Expected, taken: Sequence[Difference], seen: Seen) -> Expected:
    parts: Parts = {name: dict(entries) for name, entries in expected.parts.items()}
    unnamed, unhealed = dict(expected.unnamed), {name: set(keys) for name, keys in expected.unhealed.items()}
    for each in taken:
        if each.key is None:
            parts.pop(each.part, None)
            unnamed[each.part] = seen.parts[each.part]
            unhealed.pop(each.part, None)
            continue
        _put(parts.setdefault(each.part, {}), each.key, seen.entries[each.part].get(each.key))
        unhealed.get(each.part, set()).discard(each.key)
    still = {name: tuple(sorted(keys)) for name, keys in unhealed.items() if keys}
    return expected.model_copy(update={"parts": parts, "unnamed": unnamed, "unhealed": still})


def _state(
    expected: Expected, state: Mapping[str, str], taken: Sequence[Difference], seen: Seen
) -> Mapping[str, str]:
    """What the last converge left, with what was taken. Where the digest shows that it left something else
    than can be told from here, it stays, and `up` converges once more than it had to.
    """
    kept = dict(state)
    for part in {each.part for each in taken}:
        if any(each.key is None for each in taken if each.part == part):
            kept[part] = seen.parts[part]
            continue
        left, now = dict(expected.parts.get(part, {})), seen.entries[part]
        for key in expected.unhealed.get(part, ()):
            _put(left, key, now.get(key))
        if digest(left) != state.get(part):
            continue
        for each in taken:
            if each.part == part and each.key is not None:
                _put(left, each.key, now.get(each.key))
        kept[part] = digest(left)
    return kept


def _put(entries: dict[str, str], key: str, value: str | None) -> None:
    if value is None:
        entries.pop(key, None)
    else:
        entries[key] = value
