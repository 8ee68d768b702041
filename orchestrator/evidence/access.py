"""Access a person over time: keys and accounts on hosts by their own facts, and who started runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from orchestrator.evidence.documents import Read, Row, table, text
from orchestrator.evidence.record import Kind, Line

_NO_LOGIN: Final = ("nologin", "false", "sync", "halt", "shutdown")
_ORDER: Final = ("person", "host", "how", "first_seen")
_SECTIONS: Final = ("accounts", "authorized_keys")


def access(stack: str, lines: Sequence[Line], facts: Sequence[Read]) -> list[Row]:
    """One row a person, way and place: first and last seen, and since when it was seen to be gone.

    A person is the comment of a key or the name of an account; whoever started a run has the run's own name.
    """
    by_host: dict[str, list[Read]] = defaultdict(list)
    for each in facts:
        by_host[text(each.found, "host")].append(each)
    made = [row for host, found in by_host.items() for row in _of_host(host, found)]
    started: dict[str, list[str]] = defaultdict(list)
    for line in lines:
        if line.kind == Kind.RUN:
            started[line.text("actor")].append(line.text("ended_at"))
    made += [_row(actor, "ran steward", stack, times) for actor, times in started.items()]
    return sorted(made, key=lambda row: tuple(str(row[name]) for name in _ORDER))


def _of_host(host: str, facts: Sequence[Read]) -> Iterator[Row]:
    """Stretches of time in which one way in was seen on each look; a look that says nothing ends none."""
    seen: dict[tuple[str, str], list[str]] = {}
    for look in sorted(facts, key=_collected_at):
        at = _collected_at(look)
        for section in _SECTIONS:
            found = _section(look.found, section)
            if not isinstance(found, list):
                why = text(found, "unknown") if isinstance(found, dict) else ""
                yield _row("unknown", f"{section}: {why or 'not looked at'}", host, [at])
                continue
            now = set(_ways(section, [row for row in found if isinstance(row, dict)]))
            for way in [each for each in seen if each not in now and _is_of(section, each)]:
                yield _row(*way, host, seen.pop(way), at)
            for way in now:
                seen.setdefault(way, []).append(at)
    for way, times in seen.items():
        yield _row(*way, host, times)


def _ways(section: str, found: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    for row in found:
        if section == "accounts":
            shell = text(row, "shell").rsplit("/", 1)[-1]
            if shell and shell not in _NO_LOGIN:
                yield text(row, "name"), "account"
        elif text(row, "fingerprint"):
            print_ = text(row, "fingerprint")
            yield text(row, "comment") or print_, f"key {print_} as {text(row, 'account')}"


def _is_of(section: str, way: tuple[str, str]) -> bool:
    return (way[1] == "account") == (section == "accounts")


def _section(found: Mapping[str, Any], name: str) -> Any:
    return found[name] if name in found else table(found, "sections").get(name)


def _collected_at(look: Read) -> str:
    return text(look.found, "collected_at") or look.at


def _row(person: str, how: str, host: str, times: Sequence[str], gone: str = "") -> Row:
    return {
        "person": person, "how": how, "host": host, "first_seen": min(times), "last_seen": max(times),
        "times_seen": len(times), "gone_by": gone,
    }  # fmt: skip
