"""What must hold on a server, how it is looked at, and what follows from what was seen."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from orchestrator.errors import ToolError
from orchestrator.phases.verify import summary, verify
from orchestrator.ports.hosts import Expectation, Observation
from orchestrator.process import CommandResult
from orchestrator.reporting.model import Verdict
from orchestrator.verification.expectations import expectations
from orchestrator.verification.testinfra_host import _PROBES, TestinfraVerifier
from orchestrator.verification.verdicts import verdicts
from stacks.outputs import ServerOutput
from tests.fake_verifier import FakeVerifier
from tests.unit.orchestrator.bench import ROLES
from tests.unit.orchestrator.samples import fleet, outputs, server


def said(text: str) -> CommandResult:
    return CommandResult(("ssh",), 0, text, "", 0.1)


class Shell:
    """A host with scripted answers: the first key that begins the command; no answer is a failed command."""

    def __init__(self, answers: Mapping[str, str]) -> None:
        self.answers = answers
        self.asked: list[list[str]] = []

    def run(
        self, _server: ServerOutput, argv: Sequence[str], *, stdin: str = "", **_options: object
    ) -> CommandResult:
        assert list(argv[:5]) == ["sudo", "-n", "python3", "-I", "-c"]
        self.asked.append(json.loads(stdin)["commands"])
        return said(json.dumps([self.one(command) for command in self.asked[-1]]))

    def one(self, command: str) -> tuple[int | None, str, str]:
        found = next((text for key, text in self.answers.items() if command.startswith(key)), None)
        return (1, "", "failed") if found is None else (0, found, "")

    def close(self) -> None:
        pass


class Lost(Shell):
    """A host that is not there."""

    def run(self, *_words: object, **_options: object) -> CommandResult:
        raise ToolError("web-1", "SSH failed: refused")


def seen(shell: Shell, wanted: Expectation) -> Observation:
    (found,) = TestinfraVerifier(shell).observe(server(), [wanted])
    assert found.expectation == wanted
    return found


def probe(name: str, subject: str = "x", argument: str = "") -> Expectation:
    return Expectation("check", "title", name, subject, argument)


UP = "ActiveState=active\nUnitFileState=enabled\n"
DROP = '{"nftables": [{"chain": {"hook": "input", "policy": "%s"}}]}'


@pytest.mark.parametrize(
    ("wanted", "answers", "holds"),
    [
        (probe("service"), {"systemctl": UP}, True),
        (probe("service"), {"systemctl": UP.replace("enabled", "disabled")}, False),
        (probe("service"), {"systemctl": UP.replace("active", "failed")}, False),
        (probe("service"), {"systemctl": ""}, False),
        (probe("timer"), {"systemctl": UP}, True),
        (probe("timer"), {"systemctl": UP.replace("enabled", "static")}, False),
        (probe("listening", "80"), {"ss": "LISTEN 0 5 0.0.0.0:80 0.0.0.0:*\n"}, True),
        (probe("listening", "80"), {"ss": "LISTEN 0 5 0.0.0.0:8080 0.0.0.0:80\n"}, False),
        (probe("sshd", "permitrootlogin", "no"), {"sshd": "port 22\npermitrootlogin no\n"}, True),
        (probe("sshd", "permitrootlogin", "no"), {"sshd": "permitrootlogin yes\n"}, False),
        (probe("sshd", "permitrootlogin", "no"), {}, False),
        (probe("user"), {"id x": "", "sudo": "(ALL) NOPASSWD: ALL"}, True),
        (probe("user"), {"id x": "", "sudo": "not allowed"}, False),
        (probe("user"), {}, False),
        (probe("nft"), {"nft": DROP % "drop"}, True),
        (probe("nft"), {"nft": DROP % "accept"}, False),
        (probe("nft"), {}, False),
        (probe("http", "http://x/", "text/html"), {"python3": "200 text/html; charset=utf-8\n"}, True),
        (probe("http", "http://x/", "text/html"), {"python3": "200 text/plain\n"}, False),
        (probe("http", "http://x/", "text/html"), {"python3": "404 text/html\n"}, False),
        (probe("http", "http://x/", "text/html"), {}, False),
        (probe("https-refuses", "8443", "401"), {"python3": "401\n"}, True),
        (probe("https-refuses", "8443", "401"), {"python3": "200\n"}, False),
        (probe("database"), {"runuser": "4\n"}, True),
        (probe("database"), {}, False),
        (probe("mount", "/srv"), {"findmnt": "/ ext4\n/srv xfs\n"}, True),
        (probe("mount", "/srv"), {"findmnt": "/srv/other xfs\n"}, False),
    ],
)
def test_probes(wanted: Expectation, answers: dict[str, str], holds: bool) -> None:
    assert seen(Shell(answers), wanted).holds is holds


@pytest.mark.parametrize(
    ("age", "holds"), [(timedelta(minutes=5), True), (timedelta(hours=3), False), (-timedelta(hours=1), None)]
)
def test_a_snapshots_age_by_the_hosts_own_word(age: timedelta, holds: bool | None) -> None:
    good = {"finished_at": (datetime.now(UTC) - age).isoformat()}
    status = json.dumps({"plans": [{"plan": "site", "last_good": good}]})
    answers = {"/usr/local/sbin/steward-backup": status}
    assert seen(Shell(answers), probe("snapshot", "site", "7200")).holds is holds
    assert seen(Shell(answers), probe("snapshot", "databases", "7200")).holds is False


ODD = ["[]", "-5", '{"nftables": 5}', '{"nftables": [{"chain": 5}]}', "{",
       '{"plans": [{}]}', '{"plans": [5]}',
       '{"plans": [{"plan": "x", "last_good": {}}]}',
       '{"plans": [{"plan": "x", "last_good": {"finished_at": "2026-01-01T00:00:00"}}]}',
       "LISTEN", "\x00", "a=b=c\n=\n"]  # fmt: skip


COMMANDS = ("id", "systemctl", "ss", "sshd", "sudo", "nft", "python3", "runuser", "findmnt", "/usr/local",
            "cat", "getent", "stat", "sysctl", "journalctl", "sh", "timeout", "dpkg")  # fmt: skip


@pytest.mark.parametrize("name", sorted(_PROBES))
@pytest.mark.parametrize("text", ODD)
def test_a_host_that_answers_nonsense_never_passes_nor_breaks_the_run(name: str, text: str) -> None:
    assert not seen(Shell(dict.fromkeys(COMMANDS, text)), probe(name, "x", "60")).holds


@pytest.mark.parametrize("name", sorted(_PROBES))
def test_a_host_that_cannot_be_reached_is_unknown(name: str) -> None:
    found = seen(Lost({}), probe(name, '["x"]' if name == "command" else "x", "60"))
    assert found.holds is None
    assert found.observed.startswith("could not look: web-1: SSH failed: refused")


def test_a_host_is_asked_everything_at_once_and_once() -> None:
    shell = Shell({"systemctl": UP, "id x": "", "sudo": "NOPASSWD", "/usr/local/sbin/steward-backup": "{}"})
    wanted = [probe("service", "nginx"), probe("timer", "a"), probe("user"), probe("snapshot", "site", "60"),
              probe("snapshot", "databases", "60")]  # fmt: skip
    found = TestinfraVerifier(shell).observe(server(), wanted)
    assert [each.expectation for each in found] == wanted
    assert [each.holds for each in found] == [True, True, True, False, False]
    first, second = shell.asked
    assert [command.split()[0] for command in first] == [
        "systemctl",
        "systemctl",
        "id",
        "/usr/local/sbin/steward-backup",
    ]
    assert second == ["sudo -n -l -U x"]  # asked only of users that exist


@pytest.mark.parametrize("name", sorted(_PROBES))
def test_a_command_whose_answer_nobody_knows_makes_its_check_unknown(name: str) -> None:
    class Hanging(Shell):
        def one(self, _command: str) -> tuple[int | None, str, str]:
            return None, "", "did not end within 35 s"

    argument = '{"exit": 124, "contains": ""}' if name == "command" else "60"
    found = seen(Hanging({}), probe(name, '["x"]' if name == "command" else "x", argument))
    assert found.holds is None
    assert found.observed.endswith("did not end within 35 s")


def test_a_host_that_is_lost_in_the_second_round_keeps_what_it_said_in_the_first() -> None:
    class Leaving(Shell):
        def run(self, server: ServerOutput, argv: Sequence[str], **options: Any) -> CommandResult:
            if self.asked:
                raise ToolError("web-1", f"SSH failed: {'far too long to show ' * 50}refused")
            return super().run(server, argv, **options)

    shell = Leaving({"systemctl": UP, "id x": ""})
    service, user = TestinfraVerifier(shell).observe(server(), [probe("service", "nginx"), probe("user")])
    assert (service.holds, user.holds) == (True, None)
    assert user.observed.startswith("could not look: web-1: SSH failed")
    assert user.observed.endswith("refused.")
    assert len(user.observed) < 200


@pytest.mark.parametrize(
    "told",
    ["", "{}", "[]", "[[0, 1, 2]]", '[[0, ""]]', '[["0", "", ""]]', '[[0, "\\u0416", ""]]', "[" * 9999],
)
def test_a_host_that_answers_in_another_shape_is_unknown(told: str) -> None:
    class Odd(Shell):
        def run(self, *_words: object, **_options: object) -> CommandResult:
            return said(told)

    assert seen(Odd({}), probe("listening", "80")).holds is None


def test_every_expectation_of_a_fleet_has_a_probe_and_its_own_name() -> None:
    for group in ("web", "db"):
        wanted = expectations(fleet(), group, ROLES)
        assert {each.probe for each in wanted} <= set(_PROBES)
        assert len({each.check for each in wanted}) == len(wanted)


def test_what_is_expected_follows_from_the_fleet() -> None:
    web = {each.check: each for each in expectations(fleet(), "web", ROLES)}
    database = {each.check: each for each in expectations(fleet(), "db", ROLES)}
    assert web["nginx.listening"].subject == "8080"
    assert database["postgresql.listening"].subject == "5433"
    assert database["postgresql.database.shop"].subject == "shop"
    assert database["volume.data"].subject == "/var/lib/postgresql"
    assert database["backup.databases.snapshot"].argument == "7200"
    assert "nginx.running" not in database


def test_verdicts_never_make_a_pass_of_what_was_not_seen() -> None:
    observations = [Observation(probe("http"), holds, "o" * 999) for holds in (True, False, None)]
    found = verdicts("web-1", observations)
    assert [check.verdict for check in found] == [Verdict.PASS, Verdict.FAIL, Verdict.UNKNOWN]
    assert len(found[0].observed) == 200


def test_servers_are_looked_at_in_the_order_of_the_fleet_and_summed_up() -> None:
    checks = verify(fleet(), outputs().servers, FakeVerifier(failing=["db-1 ssh.running"]), ROLES)
    assert list(dict.fromkeys(check.server for check in checks)) == ["web-1", "web-2", "db-1"]
    assert summary(checks) == f"{len(checks) - 1} passed, 1 failed"
    assert summary(verdicts("x", [Observation(probe("http"), None, "")])) == "0 passed, 0 failed, 1 unknown"
