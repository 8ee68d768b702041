"""drift: hosts and resources no longer as they were made, told once each, with the next command. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from orchestrator.phases.accept import named
from orchestrator.reporting.drift import DriftItem, DriftSubject
from orchestrator.reporting.model import Finding, Severity

_HIGH = ("user", "role", "firewall", "server", "volume", "network", "bucket")
_FILES = ("file", "folder", "link", "special")


def told_once(
    hosts: Sequence[DriftSubject], resources: Sequence[DriftSubject], fleet_file: str
) -> list[DriftSubject]:
    """All subjects, hosts first; what went with a server is told with the server."""
    by_name = {each.name: each for each in resources}
    gone = {item.name for each in resources for item in each.items if _is_gone(item)}
    explained = [_explained(host, by_name.get(f"server {host.name}")) for host in hosts]
    made = [_of_resource(each, gone) for each in resources]
    return [_with_fixes(each, fleet_file) for each in [*explained, *made]]


def findings(subjects: Sequence[DriftSubject]) -> list[Finding]:
    """A finding for each item, and for each subject of which nothing is known; none of it is clean."""
    found = []
    for subject in subjects:
        if subject.state == "unknown":
            found.append(
                Finding(
                    source="drift",
                    severity="medium",
                    blocking=True,
                    subject=subject.name,
                    title="Not known whether it drifted",
                    observed=subject.reason,
                    expected="can be looked at",
                    fix=subject.fix,
                )
            )
        found += [_finding(subject, item) for item in subject.items]
    return found


def commands(subjects: Sequence[DriftSubject]) -> list[str]:
    """The next commands, each once, what heals most first."""
    fixes = [item.fix for subject in subjects for item in subject.items if not item.unhealed_since]
    fixes += [subject.fix for subject in subjects if subject.fix]
    fixes += [item.fix for subject in subjects for item in subject.items if item.unhealed_since]
    unique = list(dict.fromkeys(fixes))
    if any("--refresh" in each for each in unique):  # it does what `up` does, too
        unique = [each for each in unique if not each.startswith("steward up") or "--refresh" in each]
    return unique


def summary(subjects: Sequence[DriftSubject]) -> str:
    """`2 drifted, 9 clean, 1 unknown`."""
    counts = {
        state: sum(each.state == state for each in subjects) for state in ("drifted", "clean", "unknown")
    }
    return ", ".join(f"{count} {state}" for state, count in counts.items())


def _is_gone(item: DriftItem) -> bool:
    return item.kind == "server" and item.how == "remove"


def _explained(host: DriftSubject, server: DriftSubject | None) -> DriftSubject:
    """Why a host did not answer, where its resource says so."""
    if host.state != "unknown" or server is None or server.state != "drifted":
        return host
    said = "; ".join(item.observed for item in server.items)
    return host.model_copy(update={"reason": f"the server is drifted: {said}"})


def _of_resource(resource: DriftSubject, gone: set[str]) -> DriftSubject:
    items = resource.items
    if items and items[0].kind == "firewall" and items[0].server in gone and items[0].how == "remove":
        return resource.model_copy(update={"items": (), "reason": f"gone with server {items[0].server}"})
    return resource


def _with_fixes(subject: DriftSubject, fleet_file: str) -> DriftSubject:
    fleet = f"--fleet {shlex.quote(fleet_file)}"
    refresh = " --refresh" if subject.kind == "resource" else ""
    items = [
        item.model_copy(
            update={"fix": _by_hand(item, fleet) if item.unhealed_since else f"steward up {fleet}{refresh}"}
        )
        for item in subject.items
    ]
    fix = f"steward up {fleet}{refresh}" if subject.state == "unknown" else ""
    return subject.model_copy(update={"items": tuple(items), "fix": fix})


def _by_hand(item: DriftItem, fleet: str) -> str:
    """No role puts it back: undo it there, or say that it is right."""
    host = shlex.quote(item.server)
    undo = _UNDO.get((item.kind if item.kind not in _FILES else "file", item.how), "")
    keep = f"steward drift {fleet} --host {host} --accept --item {shlex.quote(named(item))}"
    return f"on {host}: {undo.format(name=shlex.quote(item.name))}; or keep it: {keep}" if undo else keep


_UNDO: Mapping[tuple[str, str], str] = {
    ("file", "add"): "sudo rm -r {name}",
    ("user", "add"): "sudo userdel --remove {name}",
    ("group", "add"): "sudo groupdel {name}",
    ("package", "add"): "sudo apt-get remove {name}",
    ("package", "remove"): "sudo apt-get install {name}",
    ("role", "add"): "sudo -u postgres dropuser {name}",
    ("database", "add"): "sudo -u postgres dropdb {name}",
    ("setting", "add"): "sudo -u postgres psql -c 'alter system reset {name}'",
    ("firewall", "add"): "sudo nft delete {name}",
}


def _finding(subject: DriftSubject, item: DriftItem) -> Finding:
    severity: Severity = "high" if item.kind in _HIGH else "medium"
    words = {"add": "was added", "remove": "is gone", "change": "differs"}
    return Finding(
        source="drift",
        severity=severity,
        blocking=True,
        subject=item.server or subject.name,
        title=f"{item.kind} {item.name} {words[item.how]}",
        observed=item.observed,
        expected=item.expected,
        fix=item.fix,
    )
