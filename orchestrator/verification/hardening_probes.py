"""Looks at what the role `baseline` brings about; what a kernel refuses is not applicable, never a pass."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Protocol

from orchestrator.ports.hosts import Expectation

Seen = tuple[bool | None, str]

RECORD = "/etc/steward/baseline.json"
_LOGIN_SHELLS = ("/bin/sh", "/bin/bash", "/bin/dash", "/usr/bin/sh", "/usr/bin/bash", "/usr/bin/dash", "")
_PEOPLE_FROM, _NOBODY = 1000, 65534
_KEEP_SHELL = ("root", "postgres")
_SHOWN = 3


class NotApplicableError(Exception):
    """The host's kernel refuses what is expected; the text is the reason that was recorded there."""


class Facts(Protocol):
    """Answers of one host."""

    def output(self, command: str, *arguments: str) -> str:
        """Standard output of a command, asked for once; '' when it failed."""
        ...


def refusals(facts: Facts) -> Mapping[str, str]:
    """What the last converge recorded as refused, by name; nothing where there is no readable record."""
    try:
        record = json.loads(facts.output("cat %s", RECORD) or "{}")
    except ValueError:
        return {}
    found = record.get("not_applicable", {}) if isinstance(record, dict) else {}
    return {str(name): str(why) for name, why in found.items() if why} if isinstance(found, dict) else {}


def sshd_all(facts: Facts, wanted: Expectation) -> Seen:
    """Effective values for the admin user, `Match` blocks counted in."""
    shown = facts.output("sshd -T -C user=steward,host=control,addr=127.0.0.1")
    settings = dict(line.split(" ", 1) for line in shown.splitlines() if " " in line)
    return _differences({name: settings.get(name, "not set") for name in pairs(wanted)}, pairs(wanted))


def sysctl(facts: Facts, wanted: Expectation) -> Seen:
    """Values of kernel settings; those that the kernel refuses are told apart."""
    refused = {name: why for name, why in refusals(facts).items() if name.startswith("sysctl ")}
    asked = {name: value for name, value in pairs(wanted).items() if f"sysctl {name}" not in refused}
    lines = facts.output("sysctl -e " + " ".join(sorted(asked))).splitlines() if asked else []
    seen = {key.strip(): " ".join(value.split()) for key, _, value in (line.partition("=") for line in lines)}
    holds, told = _differences({name: seen.get(name, "not there") for name in asked}, asked)
    left = [name for name in pairs(wanted) if name not in asked]
    if holds is not False and left:
        first = refused[f"sysctl {left[0]}"]
        raise NotApplicableError(
            f"{len(left)} of {len(pairs(wanted))} refused by the kernel: {left[0]}: {first}"
        )
    return holds, told


def mount_options(facts: Facts, wanted: Expectation) -> Seen:
    """Options of what is mounted at a folder."""
    _unless_refused(facts, f"mount {wanted.subject}")
    lines = [line.split() for line in facts.output("cat /proc/self/mounts").splitlines()]
    found = next((parts[3] for parts in reversed(lines) if parts[1] == wanted.subject), "")
    missing = [option for option in wanted.argument.split(",") if option not in found.split(",")]
    return not missing, f"without {','.join(missing)}" if missing else found


def accounts(facts: Facts, _wanted: Expectation) -> Seen:
    """No empty password, one account with number 0, no account of the system that can log in."""
    passwd = [line.split(":") for line in facts.output("getent passwd").splitlines()]
    shadow = [line.split(":") for line in facts.output("getent shadow").splitlines()]
    if not passwd or not shadow:
        return None, "the accounts cannot be read"
    wrong = [f"{parts[0]} has an empty password" for parts in shadow if parts[1] == ""]
    for parts in passwd:
        name, number, shell = parts[0], int(parts[2]), parts[6]
        if number == 0 and name != "root":
            wrong.append(f"{name} is root under another name")
        if 0 < number < _PEOPLE_FROM and name not in _KEEP_SHELL and shell in _LOGIN_SHELLS:
            wrong.append(f"{name} has the shell {shell or '/bin/sh'}")
    return not wrong, "; ".join(wrong[:_SHOWN]) or f"{len(passwd)} accounts"


def pam(facts: Facts, wanted: Expectation) -> Seen:
    """PAM modules in the common files."""
    text = facts.output("cat /etc/pam.d/common-auth /etc/pam.d/common-password")
    lines = [" ".join(line.split()) for line in text.splitlines() if line.startswith(("auth", "password"))]
    missing = [each for each in wanted.subject.split(",") if not any(each in line for line in lines)]
    return not missing, f"without {', '.join(missing)}" if missing else "in force"


def modes(facts: Facts, wanted: Expectation) -> Seen:
    """Owner, group and permissions; fewer permissions are as good."""
    asked = pairs(wanted)
    lines = facts.output("stat --format=%n=%04a:%U:%G " + " ".join(asked)).splitlines()
    seen = {name: value.replace(":", " ") for name, _, value in (line.partition("=") for line in lines)}
    wrong = [
        f"{name} is {seen.get(name, 'not there')}" for name in asked if _wider(seen.get(name), asked[name])
    ]
    return not wrong, "; ".join(wrong[:_SHOWN]) or f"{len(asked)} as they should be"


def allowed_service(facts: Facts, wanted: Expectation) -> Seen:
    """One of several services runs, where the kernel allows what it does."""
    _unless_refused(facts, wanted.subject)
    names = wanted.argument.split(",")
    shown = facts.output(
        "systemctl show -p Id -p ActiveState " + " ".join(f"{name}.service" for name in names)
    )
    running = [block for block in shown.split("\n\n") if "ActiveState=active" in block]
    return bool(running), "runs" if running else f"none of {', '.join(names)} runs"


def journal(facts: Facts, wanted: Expectation) -> Seen:
    """The journal's files lie on a disk."""
    _unless_refused(facts, wanted.subject)
    told = facts.output("journalctl --header --quiet")
    return "File path: /var/log/journal/" in told, "on disk" if "/var/log/journal/" in told else "in memory"


def pairs(wanted: Expectation) -> dict[str, str]:
    """The names and values of a subject such as `a=1;b=2`."""
    found = (each.partition("=") for each in wanted.subject.split(";"))
    return {name: value for name, _, value in found}


def _unless_refused(facts: Facts, name: str) -> None:
    reason = refusals(facts).get(name)
    if reason:
        raise NotApplicableError(reason)


def _differences(seen: Mapping[str, str], wanted: Mapping[str, str]) -> Seen:
    wrong = [f"{name} is {seen[name]}" for name in wanted if seen[name].casefold() != wanted[name].casefold()]
    return not wrong, "; ".join(wrong[:_SHOWN]) or f"{len(wanted)} as they should be"


def _wider(seen: str | None, wanted: str) -> bool:
    """Whether a mode has bits that it should not, or another owner; True where nothing was seen."""
    if seen is None:
        return True
    mode, owner, group = seen.split(" ")
    most, rightful, rightful_group = wanted.split(" ")
    return bool(int(mode, 8) & ~int(most, 8)) or (owner, group) not in {
        (rightful, rightful_group), (rightful, "root"),
    }  # fmt: skip


PROBES: Mapping[str, Callable[[Facts, Expectation], Seen]] = {
    "sshd-all": sshd_all,
    "sysctl": sysctl,
    "mount-options": mount_options,
    "accounts": accounts,
    "pam": pam,
    "modes": modes,
    "allowed-service": allowed_service,
    "journal": journal,
}
