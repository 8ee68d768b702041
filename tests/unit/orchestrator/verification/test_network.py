"""The whole matrix of flows: what the fleet allows, how answers are judged, and who is asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from orchestrator.errors import ToolError
from orchestrator.phases.network import Neighbour, NetworkRequest, judge, look, neighbours_of
from orchestrator.reporting.model import Verdict
from orchestrator.verification.flows import Flow, Source, SourceKind, allows, flows
from orchestrator.verification.listening import Listening
from orchestrator.verification.reach import Standing, Tried, checks, counted, table
from stacks.outputs import FleetOutputs, ServerOutput
from tests.fakes import FakeShell
from tests.unit.orchestrator.samples import fleet, outputs, server

WEB, DB = Listening((("tcp", 22), ("tcp", 8080)), ()), Listening((("tcp", 22), ("tcp", 5433)), ("fe80::1",))
LISTENING = {"web-1": WEB, "web-2": WEB, "db-1": DB}
STRANGER = Source("vault-1 (acme-vault)", SourceKind.FOREIGN, "10.42.0.2", "backup")


def made() -> FleetOutputs:
    names = {"web-1": "10.41.0.11", "web-2": "10.41.0.12", "db-1": "10.41.0.13"}
    return outputs(*(server(name).model_copy(update={"address": at}) for name, at in names.items()))


def matrix() -> list[Flow]:
    return flows(fleet(), made(), LISTENING, [STRANGER])


def test_the_matrix_is_whole_and_allows_what_the_fleet_says() -> None:
    allowed = {(f.source.name, f.target, f.port) for f in matrix() if f.allowed and not f.dial}
    control, stranger = "control machine", STRANGER.name
    assert allowed == {
        *((control, name, 22) for name in LISTENING),
        *((place, "web-1", 8080) for place in ("web-2", "db-1", stranger, control)),
        *((place, "web-2", 8080) for place in ("web-1", "db-1", stranger, control)),
        *((web, "db-1", port) for web in ("web-1", "web-2") for port in (5433, 9100)),
    }
    ports = {9, 22, 5433, 8080, 9100}  # 9 for tcp and for udp
    for source in ("web-1", "web-2", "db-1", control, stranger):
        for target in set(LISTENING) - {source}:
            assert {f.port for f in matrix() if (f.source.name, f.target) == (source, target)} == ports


def test_over_ipv6_nothing_is_allowed_and_link_local_is_tried_by_neighbours_alone() -> None:
    v6 = [flow for flow in matrix() if flow.is_v6]
    assert {flow.source.name for flow in v6} == {"web-1", "web-2"}
    assert not any(flow.allowed for flow in v6)


def test_ssh_is_for_the_control_machine_and_not_for_a_server_of_any_rule() -> None:
    target = made().server("db-1")
    assert not allows(fleet(), made(), STRANGER, target, ("tcp", 22))
    cidr = Source("x", SourceKind.FOREIGN, "10.9.4.4")
    assert allows(fleet(), made(), cidr, target, ("tcp", 5433))
    assert not allows(fleet(), made(), cidr, target, ("udp", 5433))


@pytest.mark.parametrize(
    ("allowed", "protocol", "listens", "answer", "let_in", "standing"),
    [
        (True, "tcp", True, "open", None, Standing.OPEN),
        (True, "tcp", False, "refused", None, Standing.IDLE),
        (True, "tcp", True, "silent", None, Standing.BLOCKED),
        (True, "tcp", False, "silent", None, Standing.BLOCKED),
        (True, "tcp", True, "unreachable EHOSTUNREACH", None, Standing.BLOCKED),
        (False, "tcp", True, "silent", None, Standing.SHUT),
        (False, "tcp", True, "open", None, Standing.LEAK),
        (False, "tcp", False, "refused", None, Standing.LEAK),
        (False, "tcp", False, "unreachable EACCES", None, Standing.SHUT),
        (False, "tcp", True, "untried", None, Standing.UNKNOWN),
        (True, "udp", False, "refused", None, Standing.IDLE),
        (True, "udp", False, "silent", None, Standing.BLOCKED),
        (False, "udp", False, "silent", None, Standing.SHUT),
        (True, "udp", True, "silent", None, Standing.UNKNOWN),
        (True, "udp", True, "silent", True, Standing.OPEN),
        (True, "udp", True, "silent", False, Standing.BLOCKED),
        (False, "udp", True, "silent", True, Standing.LEAK),
        (False, "udp", True, "silent", False, Standing.SHUT),
        (False, "udp", True, "open", None, Standing.LEAK),
    ],
)  # fmt: skip
def test_an_answer_against_the_fleet(
    allowed: bool, protocol: Any, listens: bool, answer: str, let_in: bool | None, standing: Standing
) -> None:
    flow = Flow(STRANGER, "db-1", protocol, 514, "10.41.0.3", allowed, listens)
    assert Tried(flow, answer, let_in).standing is standing


Reality = Callable[[str, str, int], str]
"""(source, address, port) -> the answer of a probe."""


def as_allowed(source: str, address: str, port: int) -> str:
    flow = next(f for f in matrix() if (f.source.name, f.address, f.port) == (source, address, port))
    return ("open" if flow.listens else "refused") if flow.allowed else "silent"


def request_of(reality: Reality, *, neighbour: bool = True) -> NetworkRequest:
    def probe(source: str, text: str) -> str:
        return json.dumps([reality(source, address, port) for _, address, port in json.loads(text)["probes"]])

    class Shell(FakeShell):
        def run(self, place: ServerOutput, argv: Sequence[str], **options: Any) -> Any:
            if argv[0] == "python3":
                name = place.name if place.name != "vault-1" else STRANGER.name
                # Places are asked at once: each has an answer of its own.
                return FakeShell({"": probe(name, options["stdin"])}).run(place, argv, **options)
            return super().run(place, argv, **options)

    shell = Shell({"tail": ""})
    strangers = [Neighbour(STRANGER, server("vault-1"), Shell({}))] if neighbour else []
    shell.script = {f"{name}: tail": _tables(seen) for name, seen in LISTENING.items()}
    return NetworkRequest(
        fleet(), made(), made().servers, shell, strangers, lambda text, _: probe("control machine", text)
    )  # fmt: skip


def _tables(seen: Listening) -> str:
    rows = "".join(f" 0: 00000000:{port:04X} 00000000:0000 0A 0\n" for _, port in seen.ports)
    v6 = "fe800000000000000000000000000001 02 40 20 80 eth0\n" if seen.addresses_v6 else ""
    return f"==> /proc/net/tcp <==\n{rows}==> /proc/net/if_inet6 <==\n{v6}"


def judged(reality: Reality, *, neighbour: bool = True) -> dict[str, tuple[Verdict, str, str]]:
    request = request_of(reality, neighbour=neighbour)
    found = judge(look(request, lambda _: None), request)
    return {f"{c.server} {c.check}": (c.verdict, c.observed, c.witness) for c in found}


def test_a_fleet_that_holds_gives_no_finding() -> None:
    found = judged(as_allowed)
    assert {verdict for verdict, *_ in found.values()} == {Verdict.PASS, Verdict.NOT_APPLICABLE}
    assert found["db-1 network.tcp.9100"][0] is Verdict.NOT_APPLICABLE  # allowed, and nothing listens
    assert found["db-1 network.tcp.5433"][:2] == (Verdict.PASS, "open to web-1, web-2")
    assert "control machine" in found["db-1 network.tcp.5433"][2]


def test_a_hole_and_a_wall_are_findings_with_the_place_that_saw_them() -> None:
    def broken(source: str, address: str, port: int) -> str:
        if (source, address, port) == (STRANGER.name, "10.41.0.13", 5433):
            return "open"
        if (source, address, port) == ("web-2", "10.41.0.13", 5433):
            return "silent"
        return as_allowed(source, address, port)

    verdict, observed, witness = judged(broken)["db-1 network.tcp.5433"]
    assert verdict is Verdict.FAIL
    assert f"from {STRANGER.name}: open, but not allowed" in observed
    assert "from web-2: allowed, but shut by a firewall" in observed
    assert set(witness.split(", ")) == {STRANGER.name, "web-2"}


def test_a_place_that_cannot_look_or_lies_in_shape_makes_its_flows_unknown() -> None:
    request = request_of(as_allowed)
    request.shell.run = lambda *_, **__: (_ for _ in ()).throw(ToolError("web-1", "SSH failed"))  # type: ignore[method-assign]
    with pytest.raises(ToolError):
        look(request, lambda _: None)  # not even the tables of a server: nothing can be said
    strange = NetworkRequest(
        fleet(), made(), made().servers, request_of(as_allowed).shell, [], lambda _text, _seconds: "[1]"
    )
    told: list[str] = []
    found = look(strange, told.append).tried
    assert {t.standing for t in found if t.flow.source.kind is SourceKind.CONTROL} == {Standing.UNKNOWN}
    assert "control machine" in told[0]


def test_no_other_fleet_is_said_and_not_passed() -> None:
    found = judged(as_allowed, neighbour=False)
    verdict, observed, _ = found["acme-demo network.foreign"]
    assert verdict is Verdict.NOT_APPLICABLE
    assert "no server of another fleet" in observed


def test_one_server_a_foreign_network_looks_and_a_silent_one_is_left_out() -> None:
    shell, told = (
        FakeShell({"vault-1: true": "", "web-1: true": ToolError("web-1", "SSH failed")}),
        list[str](),
    )
    of_stack = {"acme-vault": outputs(server("vault-1")), "other": outputs(server("web-1"))}
    found = neighbours_of(["acme-vault", "other"], of_stack.__getitem__, lambda *_: shell, told.append)
    assert [each.source.name for each in found] == ["vault-1 (acme-vault)"]
    assert "other" in told[0]


def test_what_people_read() -> None:
    tried = [Tried(flow, as_allowed(flow.source.name, flow.address, flow.port)) for flow in matrix()]
    rows = {(target, port): (who, differs) for target, port, who, differs in table(tried)}
    assert rows["db-1", "5433/tcp"] == ("web-1, web-2", "")
    assert rows["db-1", "9100/tcp"] == ("web-1, web-2 (nothing listens)", "")
    assert rows["web-1", "8080/tcp"] == ("all 4 places", "")
    assert ("db-1", "8080/tcp") not in rows
    assert counted(tried).endswith("as the fleet says")
    ports, over_ipv6 = 3 * 6, 6
    assert len(checks(tried)) == ports + over_ipv6
