"""What the rules about hosts share: settings, modes, and what a container's kernel keeps to itself."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Final

from policies.facts import Facts, MalformedFactError, UnknownFactError, shown
from policies.model import Finding, Gap, NotApplicable, Outcome, Subject

_OCTAL: Final = 8
MOST_FINDINGS: Final = 25
"""Of one rule on one host: a person mends the first ones, and sees at the next run that there are more."""


def expect(facts: Facts, key: str, allowed: Collection[str], problem: str) -> Iterator[Outcome]:
    """A setting has one of the allowed values, whatever their case."""
    got = facts.text(key)
    if got.lower() not in allowed:
        yield Finding(facts.where(key), problem, shown(got), " or ".join(allowed))


def rows(facts: Facts, key: str) -> tuple[Facts, ...]:
    """A list of mappings that must be there: an absent one is no empty one."""
    if not facts.has(key):
        raise MalformedFactError(facts.where(key), "a list", None)
    return facts.rows(key)


def texts(facts: Facts, key: str) -> tuple[str, ...]:
    """A list of texts that must be there: an absent one is no empty one."""
    if not facts.has(key):
        raise MalformedFactError(facts.where(key), "a list", None)
    return facts.texts(key)


def count(facts: Facts, key: str) -> int:
    """A whole number that a configuration writes as text."""
    got = facts.text(key)
    if not got.isascii() or not got.isdigit() or len(got) > 12:
        raise MalformedFactError(facts.where(key), "a whole number", got)
    return int(got)


def within(facts: Facts, key: str, least: int, most: int, problem: str) -> Iterator[Outcome]:
    """A number written as text lies between two bounds."""
    got = count(facts, key)
    if not least <= got <= most:
        yield Finding(facts.where(key), problem, str(got), f"{least} to {most}")


def octal(facts: Facts, key: str) -> int:
    """Permissions written as octal digits."""
    got = facts.text(key)
    try:
        return int(got, _OCTAL)
    except ValueError:
        raise MalformedFactError(facts.where(key), "octal permissions", got) from None


def not_held(subject: Subject, capability: str) -> NotApplicable | None:
    """Why a setting is not the host's own: its kernel, shared with others, does not let it change that."""
    machine = subject.facts.table("virtualisation")
    if machine.text("kind") != "container" or subject.facts.table("capabilities").flag(capability):
        return None
    return NotApplicable(f"a container: its kernel gives it no {capability.upper()}, so the host decides")


def is_container(subject: Subject) -> bool:
    """Whether it shares its kernel."""
    return subject.facts.table("virtualisation").text("kind") == "container"


def chosen(subject: Subject) -> Mapping[str, str]:
    """Kernel settings that the fleet gives this host on purpose; none where it says nothing."""
    try:
        own = subject.facts.table("expected").get("sysctl") if subject.facts.has("expected") else None
    except UnknownFactError:
        return {}
    return {str(key): str(value) for key, value in own.items()} if isinstance(own, Mapping) else {}


def settings(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """Kernel settings, as `name=value|value`: those of a host that may set them."""
    table, own, left = subject.facts.table("sysctl"), chosen(subject), 0
    wanted = [each.partition("=") for each in params.texts("settings")]
    for name, _, allowed in wanted:
        if not table.has(name):
            yield Gap(table.where(name), reason="the collector did not read this setting")
            continue
        row = table.table(name)
        value = row.text_or_none("value")
        if value is None or (is_container(subject) and not row.flag("settable")):
            left += 1
        elif value not in (*allowed.split("|"), own.get(name)):
            words = allowed.replace("|", " or ")
            yield Finding(table.where(name), f"{name} is {shown(value)}", shown(value), words)
    if left == len(wanted):
        yield NotApplicable("a kernel without these settings, or a container that may not change them")


def modes(subject: Subject, params: Facts, key: str = "modes") -> Iterator[Outcome]:
    """Files have no more permissions than `PATTERN MODE GROUP[,GROUP]` allows, and belong to root."""
    wanted = [each.split() for each in params.texts(key)]
    for row in rows(subject.facts, "file_modes"):
        path = row.text("path")
        for pattern, most, groups in wanted:
            if fnmatchcase(path, pattern):
                yield from mode(row, path, int(most, _OCTAL), groups.split(","))
                break


def mode(row: Facts, path: str, most: int, groups: Collection[str]) -> Iterator[Outcome]:
    """One file: permissions, owner and group; a link has none of its own."""
    if row.text("kind") == "link":
        return
    if octal(row, "mode") & ~most:
        yield Finding(
            row.where("mode"), f"{shown(path)} is open to more than it should be", row.text("mode"),
            f"{most:04o} or less",
        )  # fmt: skip
    owner, group = row.text("owner"), row.text("group")
    if owner != "root" or group not in groups:
        yield Finding(
            row.where("owner"), f"{shown(path)} does not belong to the system", shown(f"{owner}:{group}"),
            f"root:{' or '.join(groups)}",
        )  # fmt: skip


def first(outcomes: Iterator[Outcome]) -> Iterator[Outcome]:
    """The outcomes, where findings end after MOST_FINDINGS; gaps are told all the same."""
    told = 0
    for outcome in outcomes:
        told += isinstance(outcome, Finding)
        if told <= MOST_FINDINGS or not isinstance(outcome, Finding):
            yield outcome


def on_sshd(subject: Subject, judge: Callable[[Facts], Iterator[Outcome]]) -> Iterator[Outcome]:
    """The configuration in effect, where there is a daemon."""
    sshd = subject.facts.table("sshd")
    if not sshd.flag("installed"):
        yield NotApplicable("no SSH daemon is installed")
        return
    yield from judge(sshd)


def administrators(subject: Subject) -> frozenset[str]:
    """The accounts that the fleet lets administer this host; raises UnknownFactError."""
    expected = subject.facts.table("expected")
    if not expected.has("administrators"):
        raise UnknownFactError(expected.where("administrators"), reason="the fleet does not say who may")
    listed = rows(expected, "administrators")
    return frozenset(row.text("name") for row in listed if not row.has("sudo") or row.flag("sudo"))
