"""Rules about commands in tasks: whether a module would do, and what a shell makes of the line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from policies.facts import Facts, shown
from policies.model import Finding, NotApplicable, Outcome, Subject
from policies.rules._task_facts import (
    COMMANDS,
    SHELLS,
    commands,
    module,
    not_for,
    without_templates,
)

_LINE: Final = "commandLine"
_META: Final = re.compile(r"[|&;<>$`*?(){}\[\]~\n\\\"']")
_PIPE: Final = re.compile(r"(?<!\|)\|(?!\|)")
_QUOTED: Final = re.compile(r"'[^']*'|\"[^\"]*\"")
_PIPEFAIL: Final = re.compile(r"\bset\s+(-\w+\s+)*-\w*o\s+pipefail\b")
_INTERPRETER: Final = (
    r"(?:sudo\s+(?:-\S+\s+)*)?(?:/\S*/)?(?:env\s+)?(?:(?:ba|z|da|k)?sh|python[\d.]*|perl|ruby|node)\b"
)
_FETCH: Final = r"\b(?:curl|wget)\b"
_PIPED_CODE: Final = re.compile(
    rf"{_FETCH}[^\n;]*\|\s*{_INTERPRETER}|(?:ba|z|da|k)?sh\s+(?:-\w+\s+)*[\"']?(?:<\(|\$\(|`)\s*{_FETCH}"
    rf"|\b(?:eval|source|\.)\s+[\"']?(?:<\(|\$\(|`)\s*{_FETCH}"
)
_VARIABLE: Final = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_QUOTING: Final = re.compile(r"\|\s*(?:ansible\.builtin\.)?quote\b|\|\s*int\b")
_ROOT_TOOLS: Final = frozenset({"sudo", "su", "doas", "runuser", "pkexec"})
_MODULES: Final[Mapping[str, str]] = {
    "apt": "apt",
    "apt-get": "apt",
    "aptitude": "apt",
    "apt-key": "deb822_repository",
    "apt-add-repository": "deb822_repository",
    "add-apt-repository": "deb822_repository",
    "chgrp": "file",
    "chmod": "file",
    "chown": "file",
    "chpasswd": "user",
    "cp": "copy",
    "crontab": "cron",
    "curl": "get_url or uri",
    "debconf-set-selections": "debconf",
    "dnf": "dnf",
    "firewall-cmd": "ansible.posix.firewalld",
    "git": "git",
    "groupadd": "group",
    "groupdel": "group",
    "groupmod": "group",
    "hostnamectl": "hostname",
    "ln": "file",
    "mkdir": "file",
    "modprobe": "community.general.modprobe",
    "mount": "ansible.posix.mount",
    "npm": "community.general.npm",
    "passwd": "user",
    "pip": "pip",
    "pip3": "pip",
    "rm": "file",
    "rmdir": "file",
    "rsync": "ansible.posix.synchronize",
    "sed": "lineinfile or replace",
    "service": "service",
    "setsebool": "ansible.posix.seboolean",
    "sysctl": "ansible.posix.sysctl",
    "systemctl": "systemd_service",
    "tar": "unarchive",
    "timedatectl": "community.general.timezone",
    "touch": "file",
    "ufw": "community.general.ufw",
    "umount": "ansible.posix.mount",
    "unzip": "unarchive",
    "useradd": "user",
    "userdel": "user",
    "usermod": "user",
    "wget": "get_url",
    "yum": "dnf",
}
_ONLY_WITH: Final[Mapping[str, re.Pattern[str]]] = {
    "apt": re.compile(r"\b(install|remove|purge|update|upgrade|dist-upgrade|full-upgrade|autoremove)\b"),
    "git": re.compile(r"^(clone|pull|checkout|fetch)\b"),
    "npm": re.compile(r"\b(install|ci)\b"),
    "pip": re.compile(r"\b(install|uninstall)\b"),
    "sed": re.compile(r"(^|\s)(-\w*i|--in-place)"),
    "sysctl": re.compile(r"(^|\s)(-w|--write|-p|--load|--system)|="),
    "systemctl": re.compile(
        r"\b(start|stop|restart|reload|enable|disable|mask|unmask|daemon-reload|try-restart)\b"
    ),
    "service": re.compile(r"\b(start|stop|restart|reload)\b"),
    "tar": re.compile(r"^-?-?\w*x"),
    "crontab": re.compile(r"^(?!.*-l\b)"),
    "timedatectl": re.compile(r"\bset-timezone\b"),
    "hostnamectl": re.compile(r"\b(set-hostname|hostname)\b"),
}
"""Where some uses of a program have no module; `apt-get` and the like are as their short form."""
_FAMILY: Final[Mapping[str, str]] = {"apt-get": "apt", "aptitude": "apt", "pip3": "pip"}
_NO_MODULE: Final = re.compile(r"--(fix-broken|simulate|dry-run|download-only)\b")


def module_where_there_is_one(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """A command is not run for what a module does, and no shell for what needs none."""
    # raw is for hosts on which no module can run yet, and script runs what is in a file.
    if module(subject) not in ("ansible.builtin.command", "ansible.builtin.shell"):
        yield not_for(subject, "command and shell")
        return
    line = subject.facts.text(_LINE)
    place = subject.facts.where(_LINE)
    if not _PIPE.search(_bare(line)):
        for program, *words in commands(line):
            better = _better(program, " ".join(words))
            if better:
                yield Finding(
                    place, f"{program} is run where a module exists", program, f"the module {better}"
                )
                return
    if module(subject) == "ansible.builtin.shell" and not _META.search(without_templates(line)):
        yield Finding(place, "a shell is started for a plain command", "shell", "the module command")


def pipes_fail(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """A pipe in a shell fails when any part of it fails."""
    if module(subject) not in SHELLS:
        yield not_for(subject, "shells")
        return
    line = _bare(subject.facts.text(_LINE))
    if _PIPE.search(line) and not _PIPEFAIL.search(line):
        yield Finding(
            subject.facts.where(_LINE),
            "only the last command of the pipe can fail the task",
            "a pipe",
            "set -o pipefail before it, with executable: /bin/bash",
        )


def commands_say_what_changes(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """A command says when it changes something, so that a second run can be told from a first."""
    facts = subject.facts
    if module(subject) not in COMMANDS:
        yield not_for(subject, "commands")
        return
    if facts.flag("handler"):
        yield NotApplicable("a handler runs only after a change")
        return
    args = facts.table("args")
    if not (facts.has("changedWhen") or args.has("creates") or args.has("removes")):
        yield Finding(
            facts.where("changedWhen"),
            "the command counts as a change at every run",
            "nothing",
            "creates, removes or changed_when",
        )


def no_code_from_the_network(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """What a download gives is not run unseen."""
    if module(subject) not in COMMANDS:
        yield not_for(subject, "commands")
        return
    if _PIPED_CODE.search(subject.facts.text(_LINE)):
        yield Finding(
            subject.facts.where(_LINE),
            "a download is run without a look at it",
            "a download piped to an interpreter",
            "get_url with a checksum, then the file",
        )


def root_by_become_only(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """Another account's rights are taken by become, which the play shows, and not inside of a command."""
    if module(subject) not in COMMANDS:
        yield not_for(subject, "commands")
        return
    line = subject.facts.text(_LINE)
    for program, *_ in commands(line):
        if program in _ROOT_TOOLS:
            yield Finding(
                subject.facts.where(_LINE),
                f"{program} inside of a command",
                program,
                "become and become_user",
            )
            return


def shell_variables_quoted(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """A value that reaches a shell is quoted for it."""
    if module(subject) not in SHELLS:
        yield not_for(subject, "shells")
        return
    line = subject.facts.text(_LINE)
    bare = [text for text in _VARIABLE.findall(line) if not _QUOTING.search(text)]
    if bare:
        yield Finding(
            subject.facts.where(_LINE),
            f"the value of {shown(bare[0].strip())} becomes part of the shell's program",
            f"{len(bare)} without quoting",
            "the filter quote, or the module command with argv",
        )


def _better(program: str, rest: str) -> str:
    only = _ONLY_WITH.get(_FAMILY.get(program, program))
    if program not in _MODULES or _NO_MODULE.search(rest) or (only and not only.search(rest)):
        return ""
    better = _MODULES[program]
    return better if "." in better else f"ansible.builtin.{better.replace(' or ', ' or ansible.builtin.')}"


def _bare(line: str) -> str:
    """Without templates and quoted text, in which a pipe is no pipe."""
    return _QUOTED.sub("''", without_templates(line))
