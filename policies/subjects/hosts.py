"""Facts of hosts as subjects: dated documents of a collector, what the fleet says of each host, and a feed.

Pure: the same documents give the same subjects whenever they are read, so every age is counted to the moment
at which a document was collected. How old the document itself is counts to the moment of the judgement.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from policies.facts import Facts, Unknown
from policies.model import Kind, Subject
from policies.subjects import host_access, host_packages
from policies.subjects.document import DocumentError, Record
from policies.subjects.moments import days_since, moment

SCHEMA: Final = "steward.host-facts/1"
SECTIONS: Final = (
    *("accounts", "apparmor", "audit", "authorized_keys", "automatic_upgrades", "banners", "boot"),
    *("capabilities", "clock", "core_dumps", "file_modes", "firewall", "groups", "homes", "journal"),
    *("kernel", "listening", "log_rotation", "login_defs", "modules", "mounts", "open_files", "packages"),
    *("pam", "reboot", "release", "scheduling", "shell_umask", "sshd", "sudo", "sysctl", "time_daemons"),
    *("units", "upgrades", "virtualisation"),
)
_MOST_ROWS: Final = 20_000
_MOST_KEYS: Final = 2_000
_MOST_DEPTH: Final = 8
_LONGEST: Final = 4_096
_WITNESS: Final = "host"


@dataclass(frozen=True)
class Collected:
    """One document that is what it says it is."""

    host: str
    at: datetime
    sections: Mapping[str, object]


def host_subjects(
    documents: Sequence[Mapping[str, object]],
    *,
    stack: str,
    tags: Mapping[str, object],
    expected: Mapping[str, Mapping[str, object]],
    feed: Mapping[str, object] | None = None,
    now: datetime | None = None,
) -> list[Subject]:
    """One subject a host, from its newest document; raises DocumentError.

    `now`: when they are judged, None where nobody knows the time.
    Older documents of a host tell since when an upgrade has been pending. `expected`: by host name, what the
    fleet says of it (`administrators`, `ports`) and what others saw of it (`listening_outside`).
    `feed`: {"as_of": date, "packages": {source: [{"id", "severity", "fixed_version"}]}}.
    """
    by_host: dict[str, list[Collected]] = {}
    for number, document in enumerate(documents):
        one = _collected(document, number)
        by_host.setdefault(one.host, []).append(one)
    vulnerabilities = host_packages.Feed.of(feed)
    return [
        _subject(
            sorted(found, key=lambda each: each.at), stack, tags, expected.get(host), vulnerabilities, now
        )
        for host, found in by_host.items()
    ]


def _collected(document: object, number: int) -> Collected:
    place = f"document {number}"
    if not isinstance(document, Mapping) or document.get("schema") != SCHEMA:
        raise DocumentError(f"{place}: expected facts of a host with schema {SCHEMA}")
    host, at = document.get("host"), moment(document.get("collected_at"))
    if not isinstance(host, str) or not host or len(host) > 253:
        raise DocumentError(f"{place}: host: expected a name, got {str(host)[:80]!r}")
    if at is None:
        raise DocumentError(f"{place} of {host[:80]!r}: collected_at: expected a UTC date and time")
    return Collected(host, at, document)


def _subject(
    found: Sequence[Collected],
    stack: str,
    tags: Mapping[str, object],
    expected: Mapping[str, object] | None,
    feed: host_packages.Feed,
    now: datetime | None,
) -> Subject:
    newest = found[-1]
    facts: dict[str, object] = {name: _section(newest, name) for name in SECTIONS}
    wanted: object = _known(expected) if expected else Unknown("the fleet file says nothing of this host")
    told = wanted if isinstance(wanted, Mapping) else {}
    facts |= {
        "name": newest.host,
        "tags": dict(tags),
        "collected_at": newest.at.isoformat(),
        "collected_age_seconds": Record(newest.sections, now).age("collected_at"),
        "expected": wanted,
        "clock": _clock(facts["clock"], newest),
        "reboot": _aged(facts["reboot"], newest.at, "since"),
        "authorized_keys": host_access.keys(facts["authorized_keys"], wanted, newest.at),
        "listening_outside": told.get("listening_outside", Unknown("no other server looked at this host")),
        "lists": host_packages.lists(facts["upgrades"], newest.at),
        "pending": host_packages.pending(
            facts["packages"], [(each.at, _section(each, "upgrades")) for each in found]
        ),
        "vulnerable": feed.matches(facts["packages"], newest.at),
    }
    return Subject(
        kind=Kind.HOST_FACTS,
        type="host",
        name=newest.host,
        urn=f"{Kind.HOST_FACTS}:{stack}/{newest.host}",
        stack=stack,
        facts=Facts(facts),
        source_type=SCHEMA,
        witness=_WITNESS,
    )


def _section(one: Collected, name: str) -> object:
    if name not in one.sections:
        return Unknown(f"the collected facts have no {name}")
    return _known(one.sections[name])


def _known(value: object, depth: int = 0) -> object:
    """The value with `{"unknown": why}` as Unknown at any depth, and bounded in every direction."""
    if isinstance(value, str):
        return value if len(value) <= _LONGEST else Unknown("a text longer than anybody reads")
    if not isinstance(value, Mapping | list | tuple):
        return value
    if depth > _MOST_DEPTH or len(value) > (_MOST_KEYS if isinstance(value, Mapping) else _MOST_ROWS):
        return Unknown(f"{len(value)} entries in level {depth}, more than are judged")
    if not isinstance(value, Mapping):
        return [_known(each, depth + 1) for each in value]
    if set(value) == {"unknown"}:
        return Unknown(str(value["unknown"])[:300])
    return {str(key): _known(each, depth + 1) for key, each in value.items()}


def _clock(clock: object, one: Collected) -> object:
    """The host's clock against the control machine's, which asked before it was read and heard after."""
    if not isinstance(clock, Mapping):
        return clock
    control = one.sections.get("control")
    told = control if isinstance(control, Mapping) else {}
    asked, answered = _number(told.get("asked_at")), _number(told.get("answered_at"))
    there = _number(clock.get("epoch"))
    since = days_since(clock.get("last_synchronised"), one.at)
    skew: object = Unknown("nobody noted when the host was asked for its time")
    if asked is not None and answered is not None and there is not None:
        skew = max(asked - there, there - answered, 0.0)
    return {**clock, "skew_seconds": skew, "days_since_synchronised": since}


def _number(value: object) -> float | None:
    return None if isinstance(value, bool) or not isinstance(value, int | float) else value


def _aged(section: object, at: datetime, key: str) -> object:
    """The section with the age in days of the moment that it names."""
    if not isinstance(section, Mapping):
        return section
    return {**section, "age_days": days_since(section.get(key), at)}


def hosts_of(subjects: Iterable[Subject]) -> frozenset[str]:
    """The names of hosts that gave facts: whoever else the fleet has was not reached."""
    return frozenset(subject.name for subject in subjects if subject.kind is Kind.HOST_FACTS)
