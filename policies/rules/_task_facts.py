"""What the rules about tasks share: reading a task's module, command and texts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from policies.facts import Facts, UnknownFactError, shown
from policies.model import NotApplicable, Outcome, Subject, each

COMMANDS: Final = frozenset(f"ansible.builtin.{name}" for name in ("command", "shell", "raw", "script"))
SHELLS: Final = frozenset({"ansible.builtin.shell", "ansible.builtin.raw"})
SYSTEM_PACKAGES: Final = frozenset(
    {f"ansible.builtin.{name}" for name in ("apt", "dnf", "dnf5", "package", "yum")}
    | {f"community.general.{name}" for name in ("apk", "pacman", "zypper")}
)
_CONTROL_MACHINE: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_TEMPLATE: Final = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_JOINT: Final = re.compile(r"\|\||&&|[;\n|&]")
_TRUE: Final = frozenset({"yes", "true", "on", "1", "y", "t"})

Judge = Callable[[Facts], Iterable[Outcome]]


def module(subject: Subject) -> str:
    """The module in full; raises UnknownFactError where a strange collection may provide it."""
    return subject.facts.text("module")


def short(name: str) -> str:
    """The last word of a module's name."""
    return name.rpartition(".")[2]


def not_for(subject: Subject, what: str) -> NotApplicable:
    """Why a rule about certain modules says nothing of this task."""
    return NotApplicable(f"judges {what}; this is {shown(short(module(subject)))}")


def on_control_machine(subject: Subject) -> bool:
    """Whether the task runs where Ansible does; raises UnknownFactError where a template decides it."""
    facts = subject.facts
    return facts.text_or_none("delegateTo") in _CONTROL_MACHINE or facts.text_or_none("connection") == "local"


def literal(facts: Facts, key: str) -> str | None:
    """A text without any template; raises UnknownFactError where it has one: only a part is known."""
    value = facts.get(key)
    if isinstance(value, str) and has_template(value):
        raise UnknownFactError(facts.where(key), reason=f"a template in it: {shown(value)}")
    return None if value is None else str(value)


def true(facts: Facts, key: str, *, default: bool = False) -> bool:
    """A flag as Ansible reads it, which may be left out."""
    value = literal(facts, key)
    return default if value is None else value.strip().lower() in _TRUE


def has_template(text: str) -> bool:
    """Whether a part of the text is known only when the task runs."""
    return "{{" in text or "{%" in text


def without_templates(text: str) -> str:
    """The text with each template as one word, so that what is in it is not taken for shell."""
    return _TEMPLATE.sub("TEMPLATE", text)


def commands(line: str) -> Iterator[list[str]]:
    """The words of each command of a line, without variables set before it."""
    for part in _JOINT.split(without_templates(line)):
        words = part.split()
        while words and re.match(r"^[A-Za-z_]\w*=", words[0]):
            words.pop(0)
        if words:
            yield [words[0].rpartition("/")[2], *words[1:]]


def named(args: Facts, *keys: str) -> Iterator[tuple[str, str]]:
    """The (path, name) pairs of a list, or of a text with commas; raises UnknownFactError at a template."""
    for key in keys:
        value = args.get(key)
        if isinstance(value, list):
            names = Facts({str(place): name for place, name in enumerate(value)}, args.where(key))
            for place in range(len(value)):
                yield f"{args.where(key)}[{place}]", literal(names, str(place)) or ""
        elif value is not None:
            for name in (literal(args, key) or "").split(","):
                yield args.where(key), name.strip()


def written(subject: Subject, judge: Judge, *keys: str) -> Iterator[Outcome]:
    """Judge each text of the subject as it was written, or those of these keys alone."""
    rows = subject.facts.rows("written")
    yield from each(rows, lambda row: judge(row) if not keys or row.text("key") in keys else ())
