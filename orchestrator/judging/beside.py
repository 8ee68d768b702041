"""What is set beside facts of hosts: what is expected of each, and the feed of known vulnerabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from orchestrator.errors import InputError
from orchestrator.judging.reading import json_mapping
from policies.facts import shown
from policies.subjects.moments import moment

_MOST_ENTRIES: Final = 500_000
"""Debian's tracker has about a tenth of it for one release."""
_TEXTS: Final = ("severity", "fixed_version", "urgency")


def read_feed(path: Path) -> Mapping[str, Any]:
    """`{as_of, count, packages: {source: [{id, severity, fixed_version, urgency}]}}`; raises InputError.

    `count` may be left out; where it stands, a feed with fewer entries was cut off. A feed that is read in
    part would call a host clean, so one entry that cannot be read refuses all of it.
    """
    feed = json_mapping(path, "feed of known vulnerabilities")
    if moment(feed.get("as_of")) is None:
        raise _wrong(path, "as_of", "a UTC date and time", feed.get("as_of"))
    packages = feed.get("packages")
    if not isinstance(packages, dict) or not packages:
        raise _wrong(path, "packages", "a mapping of source packages that holds something", packages)
    entries = sum(_checked(path, name, rows) for name, rows in packages.items())
    count = feed.get("count", entries)
    if isinstance(count, bool) or not isinstance(count, int) or count != entries:
        raise _wrong(path, "count", f"the {entries} entries that are there", count)
    if entries > _MOST_ENTRIES:
        raise _wrong(path, "packages", f"at most {_MOST_ENTRIES} entries", entries)
    return feed


def _checked(path: Path, name: str, rows: object) -> int:
    place = f"packages.{shown(name)}"
    if not isinstance(rows, list):
        raise _wrong(path, place, "a list", rows)
    for number, row in enumerate(rows):
        if not isinstance(row, dict) or not isinstance(row.get("id"), str) or not row["id"]:
            raise _wrong(path, f"{place}[{number}]", "a mapping with an id", row)
        for key in _TEXTS:
            if row.get(key) is not None and not isinstance(row[key], str):
                raise _wrong(path, f"{place}[{number}].{key}", "a text", row[key])
    return len(rows)


def _wrong(path: Path, place: str, rule: str, got: object) -> InputError:
    return InputError(
        "feed", "is not whole, so no host is called free of known vulnerabilities by it",
        place=f"{path}: {place}", rule=rule, got=shown(got), next_step="Fetch the feed again.",
    )  # fmt: skip


def read_expected(path: Path) -> Mapping[str, Mapping[str, object]]:
    """`{host: {administrators, ports, sysctl, listening_outside}}`; raises InputError."""
    found = json_mapping(path, "mapping of hosts to what is expected of each")
    known: Sequence[str] = ("administrators", "ports", "sysctl", "listening_outside")
    for host, told in found.items():
        strange = [key for key in told if key not in known] if isinstance(told, dict) else [told]
        if strange:
            raise InputError(
                "expected", "is nothing that can be expected of a host", place=f"{path}: {shown(host)}",
                rule=f"a mapping with {', '.join(known)}", got=shown(strange[0]),
                next_step="Write it as docs/host-facts.md says.",
            )  # fmt: skip
    return found
