"""Looking at hosts with pytest-testinfra, used as a library."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from orchestrator.errors import StewardError
from orchestrator.ports.hosts import Expectation, HostShell, Observation
from orchestrator.verification import hardening_probes
from orchestrator.verification.hardening_probes import NotApplicableError
from stacks.outputs import ServerOutput

Seen = tuple[bool | None, str]

_COULD_NOT_LOOK = (RuntimeError, OSError, ValueError, LookupError, TypeError, AttributeError, StewardError)
"""A host that is not there gives the last; one that answers in another shape gives the others."""
_SHOWN = 150
"""Characters of why nobody could look."""
_CLOCK_TOLERANCE_SECONDS = 120
_CERTIFICATE_SECONDS = 7 * 86_400
"""A certificate that ends within a week is a finding: somebody must still be able to act."""


class TestinfraVerifier:
    """Implements `ports.hosts.HostVerifier` over the run's own connections."""

    __test__ = False  # the name is the library's, not a test class

    def __init__(self, shell: HostShell) -> None:
        self._shell = shell

    def observe(self, server: ServerOutput, expectations: Sequence[Expectation]) -> Sequence[Observation]:
        """One observation per expectation; an unreachable host gives observations that saw nothing.

        Each probe runs until it wants an answer that is not there yet, then the host is asked all of these
        with one command, and the probes that waited run again: a host is asked once or twice.
        """
        from orchestrator.verification.testinfra_backend import NotAskedError, asked_together

        backend, host = asked_together(self._shell, server)
        facts, seen = _Facts(host), dict[int, Observation]()
        while len(seen) < len(expectations):
            waiting = []
            for number, wanted in enumerate(expectations):
                if number not in seen:
                    try:
                        seen[number] = _observe(facts, wanted)
                    except NotAskedError:
                        waiting.append(number)
            if waiting:
                try:
                    backend.ask()
                except StewardError as problem:
                    seen |= {number: _unseen(expectations[number], problem) for number in waiting}
        return [seen[number] for number in range(len(expectations))]


class _Facts:
    """One host, as probes ask it."""

    def __init__(self, host: Any) -> None:
        self.host = host

    def output(self, command: str, *arguments: str) -> str:
        """Standard output of a command; '' when it failed."""
        done = self.host.run(command, *arguments)
        return str(done.stdout) if done.rc == 0 else ""


def _observe(facts: _Facts, expectation: Expectation) -> Observation:
    try:
        holds, observed = _PROBES[expectation.probe](facts, expectation)
    except NotApplicableError as refused:
        return Observation(expectation, None, str(refused), applies=False)
    except _COULD_NOT_LOOK as problem:
        return _unseen(expectation, problem)
    return Observation(expectation, holds, observed)


def _unseen(expectation: Expectation, problem: Exception) -> Observation:
    told = " ".join(str(problem).split())
    # A message about a program begins with what it was and ends with what was wrong.
    short = told if len(told) <= _SHOWN else f"{told[: _SHOWN // 3]} … {told[-_SHOWN * 2 // 3 :]}"
    return Observation(expectation, None, f"could not look: {short}")


def _service(facts: _Facts, wanted: Expectation) -> Seen:
    shown = facts.output("systemctl show -p ActiveState -p UnitFileState %s", f"{wanted.subject}.service")
    state = dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)
    active = state.get("ActiveState") == "active"
    enabled = state.get("UnitFileState") in ("enabled", "enabled-runtime", "static", "indirect", "generated")
    return (
        active and enabled,
        f"{state.get('ActiveState', 'absent')}, {state.get('UnitFileState') or 'no unit file'}",
    )


def _timer(facts: _Facts, wanted: Expectation) -> Seen:
    shown = facts.output("systemctl show -p ActiveState -p UnitFileState %s", f"{wanted.subject}.timer")
    state = dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)
    good = state.get("ActiveState") == "active" and state.get("UnitFileState") == "enabled"
    return good, f"{state.get('ActiveState', 'absent')}, {state.get('UnitFileState') or 'no unit file'}"


def _listening(facts: _Facts, wanted: Expectation) -> Seen:
    lines = facts.output("ss --no-header --listening --tcp --numeric").splitlines()
    found = sorted({line.split()[3] for line in lines if line.split()[3].endswith(f":{wanted.subject}")})
    return bool(found), ", ".join(found) or f"nothing listens on {wanted.subject}"


def _sshd(facts: _Facts, wanted: Expectation) -> Seen:
    shown = facts.output("sshd -T -C user=root,host=control,addr=127.0.0.1")
    settings = dict(line.split(" ", 1) for line in shown.splitlines() if " " in line)
    value = settings.get(wanted.subject, "not set")
    return value == wanted.argument, value


def _user(facts: _Facts, wanted: Expectation) -> Seen:
    # testinfra's own `user` would first ask what system it is, in three turns.
    if facts.host.run("id %s", wanted.subject).rc != 0:
        return False, "no such user"
    rights = facts.output("sudo -n -l -U %s", wanted.subject)
    return (
        "NOPASSWD" in rights,
        "exists, sudo without password" if "NOPASSWD" in rights else "exists, no sudo",
    )


def _nft(facts: _Facts, wanted: Expectation) -> Seen:
    ruleset = json.loads(facts.output("nft -j list table inet %s", wanted.subject) or "{}")
    chains = [item["chain"] for item in ruleset.get("nftables", []) if "chain" in item]
    policy = next((chain.get("policy", "") for chain in chains if chain.get("hook") == "input"), "")
    return policy == "drop", f"input policy {policy}" if policy else "table is not loaded"


def _http(facts: _Facts, wanted: Expectation) -> Seen:
    script = (
        "import sys, urllib.request as u; r = u.urlopen(sys.argv[1], timeout=10); "
        "print(r.status, r.headers.get('content-type', ''))"
    )
    done = facts.host.run("python3 -c %s %s", script, wanted.subject)
    said = " ".join(done.stdout.split() if done.rc == 0 else "".join(done.stderr.splitlines()[-1:]).split())
    return done.rc == 0 and said.startswith("200 ") and wanted.argument in said, said


def _https_refuses(facts: _Facts, wanted: Expectation) -> Seen:
    script = (
        "import ssl, sys, http.client as h; c = ssl.create_default_context(); c.check_hostname = False; "
        "c.verify_mode = ssl.CERT_NONE; "
        "k = h.HTTPSConnection('127.0.0.1', int(sys.argv[1]), context=c, timeout=10); "
        "k.request('GET', '/' + '0' * 32 + '/config'); print(k.getresponse().status)"
    )
    done = facts.host.run("python3 -c %s %s", script, wanted.subject)
    status = done.stdout.strip() if done.rc == 0 else "no answer"
    return status == wanted.argument, f"status {status}"


def _database(facts: _Facts, wanted: Expectation) -> Seen:
    query = "SELECT count(*) FROM pg_catalog.pg_tables WHERE schemaname = 'public'"
    done = facts.host.run("runuser -u postgres -- psql -XAtq -d %s -c %s", wanted.subject, query)
    count = done.stdout.strip()
    return done.rc == 0 and count.isdigit(), f"{count} tables" if done.rc == 0 else "does not answer"


def _mount(facts: _Facts, wanted: Expectation) -> Seen:
    lines = facts.output("findmnt --noheadings --raw --output TARGET,FSTYPE").splitlines()
    found = next((line for line in lines if line.split(" ")[0] == wanted.subject), "")
    return bool(found), found or "not mounted"


def _snapshot(facts: _Facts, wanted: Expectation) -> Seen:
    document: Mapping[str, Any] = json.loads(facts.output("/usr/local/sbin/steward-backup status") or "{}")
    plan = next((each for each in document.get("plans", []) if each["plan"] == wanted.subject), None)
    good = (plan or {}).get("last_good")
    if not good:
        return False, "no good snapshot"
    age = (datetime.now(UTC) - datetime.fromisoformat(good["finished_at"])).total_seconds()
    if age < -_CLOCK_TOLERANCE_SECONDS:
        return None, "the host says it ended in the future: its clock or ours is wrong"
    return age <= int(wanted.argument), f"{max(0, int(age))} s old"


def _package(facts: _Facts, wanted: Expectation) -> Seen:
    lines = facts.output(
        "dpkg-query --show --showformat %s", r"${Package} ${Version} ${Status}\n"
    ).splitlines()
    found = next((line.split(" ") for line in lines if line.startswith(f"{wanted.subject} ")), None)
    if found is None:
        return False, "not installed"
    held, good = found[2] == "hold", fnmatch.fnmatchcase(found[1], wanted.argument)
    return held and good and found[-1] == "installed", f"{found[1]}, {'held' if held else 'not held'}"


def _sql(facts: _Facts, wanted: Expectation) -> Seen:
    done = facts.host.run("runuser -u postgres -- psql -XAtq -c %s", wanted.subject)
    said = " ".join(done.stdout.split()) or "nothing"
    return done.rc == 0 and said == wanted.argument, said if done.rc == 0 else "does not answer"


def _certificate(facts: _Facts, wanted: Expectation) -> Seen:
    script = (
        'openssl s_client -connect "127.0.0.1:$1" -servername "$2" </dev/null 2>/dev/null '
        f"| openssl x509 -noout -enddate -checkend {_CERTIFICATE_SECONDS}"
    )
    done = facts.host.run("sh -c %s sh %s %s", script, wanted.subject, wanted.argument)
    until = next((line for line in done.stdout.splitlines() if line.startswith("notAfter=")), "")
    return done.rc == 0 and bool(until), until.replace("notAfter=", "until ")[:100] or "no certificate"


def _file(facts: _Facts, wanted: Expectation) -> Seen:
    done = facts.host.run("stat --format %s -- %s", "%04a %U %G", wanted.subject)
    if done.rc != 0:
        return False, "does not exist"
    seen = dict(zip(("mode", "owner", "group"), done.stdout.split(), strict=True))
    asked = json.loads(wanted.argument)
    return all(seen[key] == value for key, value in asked.items()), " ".join(seen.values())


def _command(facts: _Facts, wanted: Expectation) -> Seen:
    argv, asked = json.loads(wanted.subject), json.loads(wanted.argument)
    done = facts.host.run("timeout 30 " + " ".join(["%s"] * len(argv)), *argv)
    said = " ".join(f"{done.stdout} {done.stderr}".split())
    return done.rc == asked["exit"] and asked["contains"] in said, f"exit {done.rc}: {said}"[:150]


_PROBES: Mapping[str, Callable[[_Facts, Expectation], Seen]] = {
    "service": _service,
    "timer": _timer,
    "listening": _listening,
    "sshd": _sshd,
    "user": _user,
    "nft": _nft,
    "http": _http,
    "https-refuses": _https_refuses,
    "database": _database,
    "mount": _mount,
    "snapshot": _snapshot,
    **hardening_probes.PROBES,
    "package": _package,
    "sql": _sql,
    "certificate": _certificate,
    "file": _file,
    "command": _command,
}
