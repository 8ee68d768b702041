"""What the baseline brings about, looked at; what a kernel refuses is told apart from what holds."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from orchestrator.ports.hosts import Expectation, Observation
from orchestrator.reporting.model import Verdict
from orchestrator.verification.hardening import hardening
from orchestrator.verification.hardening_probes import PROBES, NotApplicableError
from orchestrator.verification.verdicts import verdicts
from stacks.fleet.server import Role


class Answers:
    """A host with scripted answers: the first key that begins the command."""

    def __init__(self, answers: Mapping[str, str]) -> None:
        self.answers = answers

    def output(self, command: str, *arguments: str) -> str:
        asked = command % arguments if arguments else command
        return next((text for key, text in self.answers.items() if asked.startswith(key)), "")


def look(probe: str, answers: Mapping[str, str], subject: str = "x", argument: str = "") -> bool | str | None:
    """Whether it holds, or why it does not apply."""
    try:
        return PROBES[probe](Answers(answers), Expectation("c", "t", probe, subject, argument))[0]
    except NotApplicableError as reason:
        return str(reason)


def record(**refused: str) -> dict[str, str]:
    """A host's record of what was refused."""
    named = {name.replace("__", " ").replace("_", "."): why for name, why in refused.items()}
    return {"cat /etc/steward/baseline.json": json.dumps({"not_applicable": named})}


PASSWD = "root:x:0:0:root:/root:/bin/bash\nsteward:x:1000:1000::/home/steward:/bin/bash\n"
TOOR, APP = "toor:x:0:0::/:/bin/sh\n", "app:x:99:9::/:/bin/sh\n"
ONE, TWO = "Id=a\nActiveState=inactive\n", "\nId=b\nActiveState=active\n"
SHADOW = "root:*:1:0:99999:7:::\nsteward:*:1:0:99999:7:::\n"
MOUNT = "tmpfs /tmp tmpfs rw,nosuid,nodev,noexec 0 0\n"


@pytest.mark.parametrize(
    ("probe", "subject", "argument", "answers", "holds"),
    [
        ("sshd-all", "maxauthtries=3", "", {"sshd": "maxauthtries 3\n"}, True),
        ("sshd-all", "maxauthtries=3", "", {"sshd": "maxauthtries 6\n"}, False),
        ("sshd-all", "maxauthtries=3", "", {}, False),
        ("sysctl", "kernel.a=1", "", {"sysctl": "kernel.a = 1\n"}, True),
        ("sysctl", "kernel.a=1", "", {"sysctl": "kernel.a = 0\n"}, False),
        ("sysctl", "kernel.a=1", "", {}, False),
        ("mount-options", "/tmp", "nosuid,noexec", {"cat /proc": MOUNT}, True),
        ("mount-options", "/tmp", "nosuid,noexec", {"cat /proc": MOUNT.replace(",noexec", "")}, False),
        ("mount-options", "/tmp", "nosuid,noexec", {"cat /proc": ""}, False),
        ("accounts", "x", "", {"getent passwd": PASSWD, "getent shadow": SHADOW}, True),
        ("accounts", "x", "", {"getent passwd": PASSWD, "getent shadow": "root::1:0:9:7:::\n"}, False),
        ("accounts", "x", "", {"getent passwd": PASSWD + TOOR, "getent shadow": SHADOW}, False),
        ("accounts", "x", "", {"getent passwd": PASSWD + APP, "getent shadow": SHADOW}, False),
        ("accounts", "x", "", {}, None),
        ("pam", "pam_x.so preauth", "", {"cat": "auth required   pam_x.so  preauth silent\n"}, True),
        ("pam", "pam_x.so preauth", "", {"cat": "# auth required pam_x.so preauth\n"}, False),
        ("modes", "/a=0640 root shadow", "", {"stat": "/a=0600:root:shadow\n"}, True),
        ("modes", "/a=0640 root shadow", "", {"stat": "/a=0600:root:root\n"}, True),
        ("modes", "/a=0640 root shadow", "", {"stat": "/a=0644:root:shadow\n"}, False),
        ("modes", "/a=0640 root shadow", "", {"stat": "/a=0640:app:shadow\n"}, False),
        ("modes", "/a=0640 root shadow", "", {}, False),
        ("allowed-service", "clock", "a,b", {"systemctl": ONE + TWO}, True),
        ("allowed-service", "clock", "a,b", {"systemctl": ONE}, False),
        ("journal", "journal", "", {"journalctl": "File path: /var/log/journal/x/system.journal\n"}, True),
        ("journal", "journal", "", {"journalctl": "File path: /run/log/journal/x/system.journal\n"}, False),
    ],
)  # fmt: skip
def test_probes(probe: str, subject: str, argument: str, answers: dict[str, str], holds: bool | None) -> None:
    assert look(probe, answers, subject, argument) is holds


def test_what_the_kernel_refuses_is_not_applicable_with_its_reason_even_where_the_value_is_right() -> None:
    refused = record(sysctl__kernel_a="read-only file system; it is 1", audit="no", mount__="x")
    assert look("sysctl", {**refused, "sysctl": "kernel.a = 1\n"}, "kernel.a=1") == (
        "1 of 1 refused by the kernel: kernel.a: read-only file system; it is 1"
    )
    assert look("allowed-service", {**refused, "systemctl": "ActiveState=active"}, "audit", "auditd") == "no"


def test_one_wrong_value_fails_though_others_are_refused() -> None:
    refused = record(sysctl__kernel_a="read-only")
    assert look("sysctl", {**refused, "sysctl": "kernel.b = 0\n"}, "kernel.a=1;kernel.b=1") is False


@pytest.mark.parametrize("text", ["[]", "{", '{"not_applicable": 5}', '{"not_applicable": {"clock": ""}}'])
def test_a_record_that_says_nothing_excuses_nothing(text: str) -> None:
    assert look("allowed-service", {"cat": text, "systemctl": "ActiveState=failed"}, "clock", "a") is False


def test_ssh_accounts_and_modes_cannot_be_excused_by_the_host() -> None:
    everything = json.dumps(
        {"not_applicable": dict.fromkeys(("sshd-all", "accounts", "modes", "pam", "x"), "no")}
    )
    for probe in ("sshd-all", "modes", "pam"):
        assert look(probe, {"cat /etc/steward": everything}, "x=0640 root root") is False


def test_a_verdict_of_not_applicable_keeps_the_reason() -> None:
    seen = Observation(Expectation("c", "t", "sysctl", "x"), None, "read-only file system", applies=False)
    (check,) = verdicts("web-1", [seen])
    assert (check.verdict, check.observed) == (Verdict.NOT_APPLICABLE, "read-only file system")


def test_the_fleets_own_kernel_settings_and_folders_count() -> None:
    role = Role(
        name="baseline", variables={"sysctl": {"net.ipv4.ip_forward": 1}, "restricted_mounts": ["/tmp"]}
    )
    wanted = {each.check: each for each in hardening(role)}
    assert "net.ipv4.ip_forward=1" in wanted["kernel.network"].subject
    assert [name for name in wanted if name.startswith("mount.")] == ["mount./tmp"]
    assert "net.ipv4.ip_forward=0" in {each.check: each for each in hardening(None)}["kernel.network"].subject
