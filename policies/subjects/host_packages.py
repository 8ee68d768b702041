"""Packages of a host beside what its lists offer and what a feed knows: pending upgrades, vulnerabilities."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from policies.facts import Unknown
from policies.subjects.debian_version import later
from policies.subjects.moments import days_since, moment

_DAY: Final = 86_400.0
RATINGS: Final = ("low", "medium", "high", "critical")
UNRATED: Final = "unrated"
_FIRST_SEEN: Final = Unknown("first seen in this document; an earlier one would tell since when")
_Dated = tuple[datetime, object]


def lists(upgrades: object, at: datetime) -> object:
    """Age of the lists since they were fetched, and each list past the day until which it is valid."""
    if not isinstance(upgrades, Mapping):
        return upgrades
    rows = [row for row in _rows(upgrades.get("lists")) if isinstance(row, Mapping)]
    fetched = days_since(upgrades.get("fetched_at"), at)
    return {
        "age_days": Unknown("apt has kept no date of its last update") if fetched is None else fetched,
        "security": any(row.get("security") is True for row in rows),
        "lists": [
            {
                "file": row.get("file"),
                "days_past_valid": days_since(row.get("valid_until"), at) or 0.0,
            }
            for row in rows
        ],
    }


def pending(installed: object, looks: Sequence[_Dated]) -> object:
    """Upgrades that the lists offer now; `age_days` since the first of the unbroken looks that saw each."""
    if isinstance(installed, Unknown) or not looks:
        return installed
    at, newest = looks[-1]
    if not isinstance(newest, Mapping):
        return newest
    own = {(row.get("name"), row.get("arch")): row for row in _rows(installed) if isinstance(row, Mapping)}
    found: dict[tuple[str, str], dict[str, object]] = {}
    for offer in _rows(newest.get("offers")):
        key = (offer.get("package"), offer.get("arch")) if isinstance(offer, Mapping) else ("", "")
        if not isinstance(offer, Mapping) or key not in own:
            continue
        row = _upgrade(own[key], offer)
        before = found.get((str(key[0]), str(key[1])))
        if row is not None and (before is None or _replaces(row, before)):
            found[(str(key[0]), str(key[1]))] = row
    for row in found.values():
        row["age_days"] = _age(row, looks, at)
    return [found[key] for key in sorted(found)]


def _upgrade(own: Mapping[str, object], offer: Mapping[str, object]) -> dict[str, object] | None:
    now, then = own.get("version"), offer.get("version")
    try:
        if not isinstance(now, str) or not isinstance(then, str) or not later(then, now):
            return None
    except ValueError as problem:
        then = Unknown(str(problem))
    return {
        "package": own.get("name"),
        "arch": own.get("arch"),
        "installed": now,
        "candidate": then,
        "security": offer.get("security") is True,
        "held": own.get("held") is True,
    }


def _replaces(row: Mapping[str, object], before: Mapping[str, object]) -> bool:
    """A fix for security counts whatever else is offered; of two alike the later version does."""
    if row["security"] != before["security"]:
        return row["security"] is True
    mine, theirs = row["candidate"], before["candidate"]
    return isinstance(mine, str) and isinstance(theirs, str) and later(mine, theirs)


def _age(row: Mapping[str, object], looks: Sequence[_Dated], now: datetime) -> object:
    since = now
    for at, upgrades in reversed(looks[:-1]):
        offers = _rows(upgrades.get("offers")) if isinstance(upgrades, Mapping) else ()
        if not any(_same(row, offer) for offer in offers):
            break
        since = at
    return _FIRST_SEEN if since == now else (now - since).total_seconds() / _DAY


def _same(row: Mapping[str, object], offer: object) -> bool:
    if not isinstance(offer, Mapping) or offer.get("security") is not row["security"]:
        return False
    if (offer.get("package"), offer.get("arch")) != (row["package"], row["arch"]):
        return False
    # An earlier fix that was never installed was pending then as well, whatever has come since.
    then, installed = offer.get("version"), row["installed"]
    try:
        return isinstance(then, str) and isinstance(installed, str) and later(then, installed)
    except ValueError:
        return False


def _rows(value: object) -> Sequence[object]:
    return value if isinstance(value, list | tuple) else ()


@dataclass(frozen=True)
class Feed:
    """Known vulnerabilities by source package, as of a moment; `problem` says why there are none."""

    as_of: datetime | None
    packages: Mapping[str, object]
    problem: str = ""

    @classmethod
    def of(cls, feed: Mapping[str, object] | None) -> Feed:
        """The feed, or why it cannot be used: one without a date might be of any age."""
        if feed is None:
            return cls(None, {}, "there is no vulnerability feed")
        as_of, packages = moment(feed.get("as_of")), feed.get("packages")
        if as_of is None:
            return cls(None, {}, "the vulnerability feed does not say as of when it is")
        if not isinstance(packages, Mapping) or not packages:
            return cls(None, {}, "the vulnerability feed knows no packages")
        return cls(as_of, packages)

    def matches(self, installed: object, at: datetime) -> object:
        """What is known of the installed versions, with the age of the feed at that moment."""
        if self.as_of is None:
            return Unknown(self.problem)
        if isinstance(installed, Unknown):
            return installed
        own: dict[tuple[str, str], list[str]] = {}
        for row in _rows(installed):
            if isinstance(row, Mapping):
                key = (str(row.get("source")), str(row.get("source_version")))
                own.setdefault(key, []).append(str(row.get("name")))
        found = [row for (source, version), names in own.items() for row in self._of(source, version, names)]
        age = max((at - self.as_of).total_seconds() / _DAY, 0.0)
        return {"age_days": age, "found": sorted(found, key=lambda row: (str(row["source"]), str(row["id"])))}

    def _of(self, source: str, version: str, names: Sequence[str]) -> Iterator[dict[str, object]]:
        for entry in _rows(self.packages.get(source)):
            if not isinstance(entry, Mapping):
                continue
            fixed: object = entry.get("fixed_version") or ""
            try:
                if isinstance(fixed, str) and fixed and not later(fixed, version):
                    continue
            except ValueError as problem:
                fixed = Unknown(str(problem))
            rating = str(entry.get("severity") or "").lower()
            yield {
                "id": str(entry.get("id"))[:60],
                "source": source,
                "installed": version,
                "packages": sorted(names)[:20],
                "fixed_version": fixed,
                "severity": rating if rating in RATINGS else UNRATED,
                "urgency": str(entry.get("urgency") or "")[:40],
            }
