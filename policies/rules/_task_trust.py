"""Rules about what a task may hide, where it may run, and what it may turn off."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from policies.facts import Facts, UnknownFactError, shown
from policies.model import Finding, NotApplicable, Outcome, Subject, each
from policies.rules._task_facts import (
    COMMANDS,
    SYSTEM_PACKAGES,
    has_template,
    literal,
    module,
    named,
    not_for,
    on_control_machine,
    short,
    true,
    written,
)

_SERVICES: Final = frozenset(f"ansible.builtin.{name}" for name in ("service", "systemd_service", "sysvinit"))
_OFF_BY_COMMAND: Final = re.compile(
    r"\bsetenforce\s+0|\bufw\s+(?:--force\s+)?(?:disable|reset)|\baa-teardown|\baa-disable|\bnft\s+flush\s+ruleset"
    r"|\bip6?tables\s+(?:-\w+\s+\w+\s+)?(?:-F|--flush)|\bauditctl\s+(?:-e\s*0|-D)"
)
_OFF_IN_FILE: Final = re.compile(
    r"^\s*SELINUX=(?:disabled|permissive)|\b(?:apparmor|selinux)=0", re.MULTILINE
)
_PIPE_LOOKUP: Final = re.compile(r"\b(?:lookup|query|q)\(\s*['\"](?:ansible\.builtin\.)?pipe['\"]")
_CONDITIONS: Final = ("when", "changed_when", "failed_when", "until")


def errors_not_ignored(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """A task that fails stops its host; failures that are meant are said by failed_when."""
    facts = subject.facts
    if facts.flag("ignoreErrors"):
        yield Finding(
            facts.where("ignoreErrors"),
            "every failure is ignored, also one that nobody thought of",
            "ignore_errors: true",
            "failed_when with the failure that is meant",
        )
    if (facts.text_or_none("failedWhen") or "").strip().lower() in ("false", "no"):
        yield Finding(
            facts.where("failedWhen"),
            "the task cannot fail",
            "failed_when: false",
            "failed_when with the failure that is meant",
        )


def no_commands_on_control_machine(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """No command is run where the keys to every host lie."""
    if module(subject) not in COMMANDS:
        yield not_for(subject, "commands")
    elif on_control_machine(subject):
        yield Finding(
            _where_local(subject),
            f"{short(module(subject))} runs on the control machine",
            "localhost",
            "a module, or a host of its own",
        )


def no_root_on_control_machine(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """A task on the control machine does not become root there, not even by its play."""
    if not on_control_machine(subject):
        yield NotApplicable("runs on the hosts of its play")
    elif subject.facts.flag("become"):
        yield Finding(subject.facts.where("become"), "root on the control machine", "become", "become: false")


def protections_stay_on(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """Firewall, audit, AppArmor and SELinux are not stopped, disabled or removed."""
    name, facts = module(subject), subject.facts
    guarded = params.texts("protections")
    args = facts.table("args")
    if name in COMMANDS:
        line = facts.text("commandLine")
        found = _OFF_BY_COMMAND.search(line) or _service_off(guarded).search(line)
        if found:
            yield Finding(
                facts.where("commandLine"), "a protection is turned off", shown(found.group()), "left on"
            )
    elif name in _SERVICES or name in SYSTEM_PACKAGES:
        if (name in _SERVICES and not _stops(args)) or (
            name in SYSTEM_PACKAGES and literal(args, "state") not in _GONE
        ):
            return
        for place, service in named(args, "name", "service", "pkg"):
            if re.sub(r"\.(?:service|socket)$", "", service) in guarded:
                yield Finding(place, f"{shown(service)} is turned off", "off", "left on")
    else:
        yield from _other_switches(name, args)
        yield from written(subject, _off_in_file)


def tasks_have_names(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """A task says what it is for: reports, waivers and the output of a run name it by that."""
    if module(subject) == "ansible.builtin.meta":
        yield NotApplicable("an order to Ansible itself, which shows no name")
    elif not subject.facts.text("name").strip():
        yield Finding(subject.facts.where("name"), "the task has no name", "nothing", "what it is for")


def conditions_are_plain(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """A condition is an expression already; a template in it evaluates a value as code a second time."""

    def judge(row: Facts) -> Iterator[Outcome]:
        if has_template(row.text("text")):
            yield Finding(
                shown(row.text("path")), "a template inside of a condition", "{{ }}", "the expression alone"
            )

    yield from written(subject, judge, *_CONDITIONS)


def no_pipe_lookup(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """No template runs a command on the control machine."""

    def judge(row: Facts) -> Iterator[Outcome]:
        if row.text("key") == "with_pipe" or _PIPE_LOOKUP.search(row.text("text")):
            place = shown(row.text("path"))
            yield Finding(
                place, "a template runs a command on the control machine", "lookup('pipe')", "a task"
            )

    yield from written(subject, judge)


def includes_are_judged(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """What is brought in from elsewhere is among the files that are judged."""
    facts = subject.facts
    rows = (*((facts.table("includes"),) if facts.has("includes") else ()), *facts.rows("brings"))
    if not rows:
        yield NotApplicable("brings in nothing from elsewhere")
    yield from each(rows, _is_there)


_GONE: Final = ("absent", "removed")


def _is_there(row: Facts) -> Iterator[Outcome]:
    place = row.text_or_none("path") or row.where("named")
    try:
        named_file = row.text("named")
    except UnknownFactError as gap:
        raise UnknownFactError(place, reason=gap.reason) from None
    if not row.has("file"):
        yield Finding(
            place, f"{shown(named_file)} is not among the files", "not judged", "a file that is judged"
        )


def _stops(args: Facts) -> bool:
    return (
        literal(args, "state") == "stopped" or not true(args, "enabled", default=True) or true(args, "masked")
    )


def _service_off(guarded: tuple[str, ...]) -> re.Pattern[str]:
    names = "|".join(re.escape(name) for name in guarded)
    return re.compile(
        rf"\bsystemctl\s+(?:--\S+\s+)*(?:stop|disable|mask)\s+(?:--\S+\s+)*(?:{names})\b|\bservice\s+(?:{names})\s+stop\b"
    )


def _other_switches(name: str, args: Facts) -> Iterator[Outcome]:
    off = {
        "ansible.posix.selinux": ("disabled", "permissive"),
        "community.general.ufw": ("disabled", "reset"),
    }.get(name, ())
    if off and literal(args, "state") in off:
        yield Finding(
            args.where("state"), "a protection is turned off", literal(args, "state") or "", "left on"
        )
    if name == "community.general.selinux_permissive" and true(args, "permissive"):
        yield Finding(args.where("permissive"), "a protection is turned off", "permissive", "left on")


def _off_in_file(row: Facts) -> Iterator[Outcome]:
    found = _OFF_IN_FILE.search(row.text("text"))
    if found:
        yield Finding(shown(row.text("path")), "a protection is turned off", shown(found.group()), "left on")


def _where_local(subject: Subject) -> str:
    return "delegateTo" if subject.facts.has("delegateTo") else "connection"
