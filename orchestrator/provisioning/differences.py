"""Two versions of a resource's properties, read into what a person calls a difference. Pure.

Secrets never leave: what the engine or a property's name calls secret is told as changed, without its values.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from orchestrator.reporting.planning import PropertyChange

REDACTED = "(secret)"
NOT_YET_KNOWN = "(known when it is made)"
_UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_SECRET_TEXT = "[secret]"  # noqa: S105  # what the engine writes in place of one
_SECRET_MARK = "4dabf18193072939515e22adb298388d"  # noqa: S105  # the key that marks a wrapped value
_SECRET_NAME = re.compile(r"password|passphrase|secret|token|private_?key|credential", re.IGNORECASE)
_ADDED_OR_REMOVED = {True: "add", False: "remove"}
_WORDS = {True: "yes", False: "no", None: "none"}
_MOST = 100
"""Differences told of one resource; the last one then says how many there are besides."""
_LONGEST = 300
_ABSENT = object()


def property_changes(
    old: Mapping[str, Any], new: Mapping[str, Any], *, only: Iterable[str] = (), replacing: Iterable[str] = ()
) -> list[PropertyChange]:
    """Every difference between two versions, in the order of their names.

    `only` are the properties that the provider says differ (all when it names none); `replacing` are those
    that cost a replacement. Both are paths such as `tags.owner` or `rules[0].port`; their first part counts.
    """
    heads = {_head(path) for path in only} | {_head(path) for path in replacing}
    costly = {_head(path) for path in replacing}
    found: list[PropertyChange] = []
    for name in sorted({*old, *new}):
        if name.startswith("__") or (heads and name not in heads):
            continue
        differing = _compare(name, old.get(name, _ABSENT), new.get(name, _ABSENT))
        found += [each.model_copy(update={"replaces": name in costly}) for each in differing]
    more = len(found) - _MOST
    if more > 0:
        found = [*found[:_MOST], PropertyChange(path=f"and {more} more", how="change")]
    return found


def value_text(value: Any) -> str:
    """A value as one line: numbers as people write them, records as their parts, a rule as a sentence."""
    if _is_secret(value) or value == _UNKNOWN:
        return NOT_YET_KNOWN if value == _UNKNOWN else REDACTED
    if isinstance(value, bool | float) or value is None:
        return _WORDS[value] if isinstance(value, bool) or value is None else f"{value:.15g}"
    if isinstance(value, Mapping):
        return _bounded(_rule_text(value) or ", ".join(_part(key, value[key]) for key in sorted(value)))
    if isinstance(value, Sequence) and not isinstance(value, str):
        return _bounded(", ".join(value_text(each) for each in value) or "none")
    return _bounded(str(value))


def _part(key: str, value: Any) -> str:
    return f"{key} {REDACTED if _SECRET_NAME.search(key) else value_text(value)}"


def _rule_text(value: Mapping[str, Any]) -> str:
    """`allow web → 5432/tcp (10.41.0.129/32)` for the records of a firewall, '' for any other."""
    if not {"source", "port", "protocol"} <= set(value):
        return ""
    text = (
        f"allow {value_text(value['source'])} → {value_text(value['port'])}/{value_text(value['protocol'])}"
    )
    known = [each for each in value.get("addresses") or () if each != "0.0.0.0/0"]
    return f"{text} ({value_text(known)})" if known else text


def _compare(path: str, old: Any, new: Any) -> Iterator[PropertyChange]:
    if _same(old, new):
        return
    secret = bool(_SECRET_NAME.search(path)) or _is_secret(old) or _is_secret(new)
    if secret or old is _ABSENT or new is _ABSENT or new == _UNKNOWN:
        yield _difference(path, old, new, secret=secret)
    elif isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}):
            yield from _compare(f"{path}.{key}", old.get(key, _ABSENT), new.get(key, _ABSENT))
    elif isinstance(old, list) and isinstance(new, list):
        yield from _compare_lists(path, old, new)
    else:
        yield _difference(path, old, new)


def _compare_lists(path: str, old: list[Any], new: list[Any]) -> Iterator[PropertyChange]:
    """Records by their names and plain values as a set, because their place says nothing to a reader."""
    before, after = _by_name(old), _by_name(new)
    if before is not None and after is not None:
        for name in [*before, *(each for each in after if each not in before)]:
            was, now = before.get(name, _ABSENT), after.get(name, _ABSENT)
            yield from _compare(f"{path}.{name}", was, now)
        return
    gone = [each for each in old if each not in new]
    come = [each for each in new if each not in old]
    for each in gone:
        yield _difference(path, each, _ABSENT)
    for each in come:
        yield _difference(path, _ABSENT, each)
    if not gone and not come:
        yield _difference(path, old, new)


def _by_name(items: list[Any]) -> dict[str, Any] | None:
    names = [each.get("name") if isinstance(each, Mapping) else None for each in items]
    texts = [name for name in names if isinstance(name, str)]
    return dict(zip(texts, items, strict=True)) if len(set(texts)) == len(items) else None


def _difference(path: str, old: Any, new: Any, *, secret: bool = False) -> PropertyChange:
    how = "change" if old is not _ABSENT and new is not _ABSENT else _ADDED_OR_REMOVED[old is _ABSENT]
    before, after = (
        None if value is _ABSENT else REDACTED if secret else value_text(value) for value in (old, new)
    )
    return PropertyChange.model_validate({"path": path, "how": how, "old": before, "new": after})


def _same(old: Any, new: Any) -> bool:
    """Equal, or both of them nothing: a provider may write an empty list where a program said none."""
    return bool(old == new) or (_nothing(old) and _nothing(new))


def _nothing(value: Any) -> bool:
    return value is _ABSENT or value is None or value in ("", [], {})


def _is_secret(value: Any) -> bool:
    if isinstance(value, Mapping):
        return _SECRET_MARK in value
    return bool(value == _SECRET_TEXT)


def _head(path: str) -> str:
    return re.split(r"[.\[]", path, maxsplit=1)[0]


def _bounded(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
