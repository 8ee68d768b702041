"""What a host says it listens on is tried from another server of the fleet."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from orchestrator.errors import ToolError
from orchestrator.phases.outside import look, ports_of, summary
from stacks.outputs import ServerOutput
from tests.fake_facts import facts_of
from tests.fakes import FakeShell
from tests.unit.orchestrator.samples import fleet, outputs

LISTENING = [
    {"protocol": "tcp", "port": 22, "address": "0.0.0.0", "process": "sshd"},
    {"protocol": "tcp", "port": 5433, "address": "::", "process": "postgres"},
    {"protocol": "tcp", "port": 25, "address": "127.0.0.1", "process": "exim4"},
    {"protocol": "udp", "port": 323, "address": "::1", "process": "chronyd"},
]


def documents(*hosts: str, **sections: object) -> list[dict[str, Any]]:
    return [facts_of(host, **{"listening": LISTENING, **sections}) for host in hosts]


def shell(answer: object) -> FakeShell:
    def said(_server: ServerOutput, _argv: Sequence[str]) -> Any:
        return answer if isinstance(answer, ToolError) else json.dumps(answer)

    return FakeShell({"python3": said})


def test_the_next_server_tries_what_others_could_reach_and_says_who_may() -> None:
    seen = look(fleet(), outputs(), documents("web-1", "db-1"), shell(["silent", "open"]))
    rows: Any = seen["db-1"]
    assert [(row["witness"], row["port"], row["answer"], row["allowed"]) for row in rows] == [
        ("web-1", 22, "silent", False),
        ("web-1", 5433, "open", True),
    ]
    assert [row["witness"] for row in seen["web-1"]] == ["db-1", "db-1"]  # type: ignore[attr-defined]
    assert summary(seen) == "4 ports of 2 hosts tried"


def test_a_single_server_stays_unknown_with_that_reason() -> None:
    seen = look(fleet(), outputs(), documents("web-1"), shell([]))
    assert seen == {"web-1": {"unknown": "no other server of the fleet could look at this host"}}


def test_a_witness_that_cannot_look_makes_it_unknown_and_hides_no_other() -> None:
    seen = look(fleet(), outputs(), documents("web-1", "db-1"), shell(ToolError("web-1", "SSH failed")))
    assert all("could not look: SSH failed" in each["unknown"] for each in seen.values())  # type: ignore[index]
    lied = look(fleet(), outputs(), documents("web-1", "db-1"), shell(["open"] * 9))
    assert all("could not look" in each["unknown"] for each in lied.values())  # type: ignore[index]


def test_a_host_may_say_anything_of_itself() -> None:
    odd: list[object] = [7, {"protocol": "sctp", "port": 1}, {"protocol": "tcp", "port": "x", "address": ""}]
    odd += [{"protocol": "tcp", "port": 70_000, "address": "0.0.0.0"}]
    odd += [{"protocol": "tcp", "port": 80, "address": "::ffff:127.0.0.1"}]
    assert ports_of(facts_of("web-1", listening=odd)) == []
    assert ports_of(facts_of("web-1", listening={"unknown": "no /proc"})) == []
    many = [{"protocol": "tcp", "port": port, "address": "0.0.0.0"} for port in range(1, 2_000)]
    assert len(ports_of(facts_of("web-1", listening=many))) == 256
