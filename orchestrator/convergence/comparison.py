"""An expected host held against one that was seen: what differs, and what of that belongs together. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from orchestrator.convergence.records import Expected, Parts, Seen
from orchestrator.reporting.drift import DriftItem

_WORDS = {"packages": "package", "units": "unit", "firewall": "firewall", "kernel": "kernel setting"}
_FIELDS = ("kind", "mode", "owner", "size", "content")
_LATEST = datetime(2200, 1, 1, tzinfo=UTC).timestamp()
_UNIT_FOLDERS = ("/etc/systemd/system/", "/usr/local/lib/systemd/system/")
_LONGEST = 600
GONE = "not there"


def hand_made(expected: Expected, seen: Seen) -> dict[str, dict[str, str | None]]:
    """The entries that are not as expected, by part, with what is there instead (None: nothing).

    What the host's own security updates brought is as its configuration wants it.
    """
    found: dict[str, dict[str, str | None]] = {}
    for part, now in seen.entries.items():
        should = expected.parts.get(part, {})
        differing = {key: now.get(key) for key in sorted({*should, *now}) if should.get(key) != now.get(key)}
        if part == "packages":
            differing = {
                key: value
                for key, value in differing.items()
                if value is None or seen.updated.get(key) != value
            }
        if differing:
            found[part] = differing
    return found


def after_converge(
    old: Expected | None,
    made_by_hand: Mapping[str, Mapping[str, str | None]],
    seen: Seen,
    run: str,
    at: datetime,
    look: str,
) -> Expected:
    """What is expected from now on: what a converge left, and the old value of what it did not put back."""
    parts: Parts = {name: dict(entries) for name, entries in seen.entries.items()}
    unhealed: dict[str, tuple[str, ...]] = {}
    for part, keys in made_by_hand.items() if old is not None else ():
        for key, value in keys.items():
            should = old.parts.get(part, {}).get(key) if old is not None else None
            if part not in parts or not _stayed(key, should, value, parts[part].get(key)):
                continue
            if should is None:
                parts[part].pop(key, None)
            else:
                parts[part][key] = should
            unhealed[part] = (*unhealed.get(part, ()), key)
    unnamed = {name: seen.parts[name] for name in seen.unnamed if name in seen.parts}
    return Expected(run=run, at=at, look=look, parts=parts, unnamed=unnamed, unhealed=unhealed)


def _stayed(key: str, should: str | None, by_hand: str | None, now: str | None) -> bool:
    """Whether a converge left what a hand made. An account that nobody asked for is still there when a role
    that sets the terms of all passwords touched it.
    """
    if key.startswith("user ") and should is None and by_hand is not None and now is not None:
        return by_hand.rpartition(" ")[0] == now.rpartition(" ")[0]
    return by_hand == now


def with_learned(
    expected: Expected, differing: Mapping[str, Mapping[str, str | None]], paths: Sequence[str]
) -> Expected:
    """What is expected when these entries are right as they were seen."""
    parts: Parts = {name: dict(entries) for name, entries in expected.parts.items()}
    for part, keys in differing.items():
        for key in set(keys) & set(paths):
            value = keys[key]
            if value is None:
                parts[part].pop(key, None)
            else:
                parts.setdefault(part, {})[key] = value
    return expected.model_copy(update={"parts": parts})


def beyond(
    expected: Expected, differing: Mapping[str, Mapping[str, str | None]], paths: Sequence[str]
) -> bool:
    """Whether anything else differs that is not known to be left by hand."""
    return any(
        set(keys) - set(paths) - set(expected.unhealed.get(part, ())) for part, keys in differing.items()
    )


@dataclass(frozen=True)
class Difference:
    """One entry that differs, as an item; without a key the whole part, when it has too many to name."""

    part: str
    key: str | None
    item: DriftItem


def items(server: str, expected: Expected, seen: Seen) -> list[DriftItem]:
    """One item for each thing that was changed by hand; what only follows from another is told with it."""
    found = [each.item for each in differences(server, expected, seen)]
    return [told(index, following, found) for index, following in groups(found).items()]


def told(index: int, following: Sequence[int], found: Sequence[DriftItem]) -> DriftItem:
    """One of them with those that follow from it."""
    also = tuple(f"{found[each].kind} {found[each].name}" for each in following)
    return found[index].model_copy(update={"also": also})


def differences(server: str, expected: Expected, seen: Seen) -> list[Difference]:
    """Every entry that was changed by hand, each by itself."""
    found = [
        Difference(part, key, _item(server, part, key, expected, seen))
        for part, keys in hand_made(expected, seen).items()
        for key in keys
    ]
    known = expected.digests()
    for name in seen.unnamed:
        if known.get(name) != seen.parts.get(name):
            item = DriftItem(server=server, kind="folder", name=name, how="change", expected="as converged",
                             observed="differs, in more entries than can be named")  # fmt: skip
            found.append(Difference(name, None, item))
    return found


def _item(server: str, part: str, key: str, expected: Expected, seen: Seen) -> DriftItem:
    should, now = expected.parts.get(part, {}).get(key), seen.entries[part].get(key)
    kind, name = _subject(part, key, now or should or "")
    before, after = _told(part, key, should, now)
    if part == "units" and now is None:
        after = f"inactive, {seen.unit_files.get(key, 'no such unit')}"
    at = seen.changed.get(key, 0) if now is not None else 0
    return DriftItem(
        server=server,
        kind=kind,
        name=name,
        how="add" if should is None else "remove" if now is None and key not in seen.unit_files else "change",
        expected=before,
        observed=after,
        changed_at=datetime.fromtimestamp(at, UTC) if 0 < at < _LATEST else None,
        unhealed_since=expected.run if key in expected.unhealed.get(part, ()) else "",
    )


def _subject(part: str, key: str, value: str) -> tuple[str, str]:
    if part in _WORDS:
        return _WORDS[part], key
    if part in ("accounts", "databases"):
        kind, _, name = key.partition(" ")
        return (kind, name) if name else ("database server", key)
    return value.split(" ", 1)[0] or "file", key


def _told(part: str, key: str, should: str | None, now: str | None) -> tuple[str, str]:
    """What is expected and what is seen, in words; digests are told as content that differs."""
    if part == "firewall":
        return _rules(should, now)
    if part in ("accounts", "databases") and key.startswith(("user ", "role ")):
        return _without_digest(should, now)
    if not part.startswith("/"):
        return (should if should is not None else GONE), (now if now is not None else GONE)
    if should is None or now is None:
        return _file(should), _file(now)
    before, after = _fields(should), _fields(now)
    keys = [key for key in before if before[key] != after.get(key) and key != "size"] or ["size"]
    if "content" in keys and "size" in before and "size" in after:
        told = [f"{each['size']} bytes" for each in (before, after)]
        told = told if told[0] != told[1] else ["as it was written", "other content"]
        before, after = before | {"content": told[0]}, after | {"content": told[1]}
    return _some(before, keys), _some(after, keys)


def _some(fields: Mapping[str, str], keys: list[str]) -> str:
    return ", ".join(f"{key} {fields.get(key, GONE)}" for key in keys)[:_LONGEST]


def _file(value: str | None) -> str:
    if value is None:
        return GONE
    known = _fields(value)
    return ", ".join(f"{key} {known[key]}" for key in ("kind", "mode", "owner", "target") if key in known)


def _fields(value: str) -> dict[str, str]:
    words = value.split(" ")
    if words[0] == "link":
        return {"kind": "link", "owner": words[1], "target": " ".join(words[2:])}
    return dict(zip(_FIELDS, words, strict=False))


def _without_digest(should: str | None, now: str | None) -> tuple[str, str]:
    before, after = (None if value is None else value.rpartition(" ") for value in (should, now))
    if before is None or after is None:
        return (GONE if before is None else before[0] or before[2]), (
            GONE if after is None else after[0] or after[2]
        )
    if before[0] != after[0]:
        return before[0], after[0]
    return "password or its terms as they were", "password or its terms changed"


def _rules(should: str | None, now: str | None) -> tuple[str, str]:
    """Only the rules that are missing and those that were added."""
    before, after = (should or "").splitlines(), (now or "").splitlines()
    missing = [line for line in before if line not in after]
    extra = [line for line in after if line not in before]
    if should is None or now is None:
        return (GONE if should is None else "loaded"), (
            GONE if now is None else "; ".join(after)[:_LONGEST] or "loaded"
        )
    if not missing and not extra:
        return "in another order", "in another order"
    return "; ".join(missing)[:_LONGEST] or "no such rule", "; ".join(extra)[:_LONGEST] or "missing"


def groups(found: Sequence[DriftItem]) -> dict[int, list[int]]:
    """By position, those that follow from no other with all that do: the home of a user, the link of a unit,
    what is in a folder. What follows from several is with the first.
    """
    leaders = [_leader(index, found) for index in range(len(found))]
    followers: dict[int, list[int]] = {index: [] for index, leader in enumerate(leaders) if leader is None}
    for index, leader in enumerate(leaders):
        if leader is not None:
            followers[leader].append(index)
    return followers


def _leader(index: int, found: Sequence[DriftItem]) -> int | None:
    for other in followed(index, found):
        above = _leader(other, found)
        return other if above is None else above
    return None


def followed(index: int, found: Sequence[DriftItem]) -> Iterator[int]:
    """All that one of them follows from."""
    return (other for other, each in enumerate(found) if other != index and _follows(found[index], each))


def _follows(each: DriftItem, leader: DriftItem) -> bool:
    same = each.how == leader.how
    if each.kind in ("file", "folder", "link", "special"):
        inside = leader.kind == "folder" and same and each.name.startswith(leader.name + "/")
        account = leader.kind == "user" and same and f"/{leader.name}" == _tail(each.name)
        unit = (
            leader.kind == "unit"
            and each.name.startswith(_UNIT_FOLDERS)
            and leader.name in each.name.split("/")
        )
        return inside or account or unit
    if each.kind in ("group", "subuid", "subgid"):
        return leader.kind == "user" and (each.name == leader.name or leader.name in _added_members(each))
    return (
        each.kind == "firewall"
        and leader.kind == "firewall"
        and same
        and each.name.startswith(leader.name + " ")
    )


def _tail(path: str) -> str:
    """`/mallory` of what lies in that home or mail box."""
    head, _, rest = path.removeprefix("/home").partition("/") if path.startswith("/home/") else ("", "", "")
    return f"/{rest.split('/', 1)[0]}" if not head and rest else ""


def _added_members(each: DriftItem) -> Iterator[str]:
    """Who was put into a group or taken out of it."""
    before, after = (set(text.rpartition(" ")[2].split(",")) for text in (each.expected, each.observed))
    yield from before ^ after
