"""network: try every flow between servers for real, from every place, and hold it against the fleet file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from threading import Event

from orchestrator.errors import StewardError, ToolError
from orchestrator.host_answer import answer
from orchestrator.parallel import for_each
from orchestrator.ports.hosts import HostShell
from orchestrator.ports.run import Say
from orchestrator.reporting.model import Check, Verdict
from orchestrator.verification.flows import CONTROL, Flow, Source, SourceKind, flows
from orchestrator.verification.listening import (
    CONNECTIONS_ARGV,
    LISTENING_ARGV,
    Listening,
    let_through,
    read_listening,
)
from orchestrator.verification.reach import SILENT, UNTRIED, Tried, checks, counted
from stacks.fleet.model import Fleet
from stacks.outputs import FleetOutputs, ServerOutput

_PARALLEL = 8
_LOOK_SECONDS = 30.0
_PROBE_SECONDS = 2.6
"""Long enough for a lost SYN to be sent again, which the kernel does after one second and three."""
_AT_ONCE = 400
_MOST_PROBES = 4_000
"""Of one place in one request; more go in several."""
_UDP_PORT = 40_909
"""Datagrams go out from here, so that their target can tell them from others."""

Outside = Callable[[str, float], str]
"""Runs the probing program here: (request, seconds) -> what it printed."""


@dataclass(frozen=True)
class Neighbour:
    """A server of another fleet to look from, and how it is reached."""

    source: Source
    server: ServerOutput
    shell: HostShell


@dataclass(frozen=True)
class NetworkRequest:
    """What to look at, and from where."""

    fleet: Fleet
    outputs: FleetOutputs
    servers: Sequence[ServerOutput]
    shell: HostShell
    neighbours: Sequence[Neighbour]
    outside: Outside


@dataclass(frozen=True)
class Looked:
    """Every flow and what came of it; `left_out`: by server, ports it claims beyond the bound."""

    tried: Sequence[Tried]
    left_out: Mapping[str, int]


def look(request: NetworkRequest, say: Say) -> Looked:
    """Every flow, tried; a place that cannot look leaves its flows untried."""

    def listens(server: ServerOutput, _stopping: Event) -> Listening:
        said = request.shell.run(server, LISTENING_ARGV, timeout=_LOOK_SECONDS, check=False)
        return read_listening(said.stdout)

    listening = dict(
        zip(
            (s.name for s in request.servers),
            for_each(request.servers, listens, at_once=_PARALLEL),
            strict=True,
        )
    )
    foreign = [neighbour.source for neighbour in request.neighbours]
    wanted = flows(request.fleet, request.outputs, listening, foreign)
    by_source = {source: [f for f in wanted if f.source == source] for source in {f.source for f in wanted}}

    def ask(source: Source, stopping: Event) -> list[Tried]:
        try:
            return [
                t for piece in _pieces(by_source[source], stopping) for t in _tried(request, source, piece)
            ]
        except ToolError as problem:
            say(f"{source.name}: could not look from there: {problem}")
            return [Tried(flow, UNTRIED) for flow in by_source[source]]

    found = for_each(sorted(by_source, key=lambda each: each.name), ask, at_once=_PARALLEL)
    left_out = {name: seen.left_out for name, seen in listening.items() if seen.left_out}
    return Looked(_witnessed(request, [each for tried in found for each in tried]), left_out)


def judge(looked: Looked, request: NetworkRequest) -> list[Check]:
    """The checks of the report; what nobody could look at is said, not passed over."""
    found = checks(looked.tried)
    for name, count in looked.left_out.items():
        title, observed = "every port in use was tried", f"{count} more ports than are tried of one server"
        found.append(_said(name, "network.ports", title, Verdict.UNKNOWN, observed, "host"))
    if not request.neighbours:
        title, observed = "other fleets get in only where they may", "no server of another fleet to look from"
        stack = request.fleet.stack
        found.append(_said(stack, "network.foreign", title, Verdict.NOT_APPLICABLE, observed, "none"))
    return found


def _said(server: str, check: str, title: str, verdict: Verdict, observed: str, witness: str) -> Check:
    return Check(
        server=server, check=check, title=title, verdict=verdict, observed=observed, expected="true",
        witness=witness,
    )  # fmt: skip


def summary(looked: Looked) -> str:
    """`92 flows from 5 places: 92 as the fleet says`"""
    return counted(looked.tried)


def neighbours_of(
    stacks: Sequence[str],
    outputs_of: Callable[[str], FleetOutputs],
    shell_of: Callable[[str, Sequence[ServerOutput]], HostShell],
    say: Say,
    most: int = 4,
) -> list[Neighbour]:
    """One server of each network of other fleets; those that do not answer are told and left out."""
    found: list[Neighbour] = []
    for stack in stacks:
        try:
            servers = outputs_of(stack).servers
            shell = shell_of(stack, servers)
            for server in {each.network: each for each in reversed(servers)}.values():
                if len(found) < most:
                    shell.run(server, ["true"], timeout=_LOOK_SECONDS)
                    name = f"{server.name} ({stack})"
                    source = Source(name, SourceKind.FOREIGN, server.address, server.network)
                    found.append(Neighbour(source, server, shell))
        except StewardError as problem:
            say(f"{stack}: no look from there: {problem}")
    return found


def program() -> str:
    """The source of the program that probes."""
    return files("orchestrator.verification").joinpath("probe_program.py").read_text()


def _pieces(wanted: Sequence[Flow], stopping: Event) -> Iterator[Sequence[Flow]]:
    for start in range(0, len(wanted), _MOST_PROBES):
        if not stopping.is_set():
            yield wanted[start : start + _MOST_PROBES]


def _tried(request: NetworkRequest, source: Source, piece: Sequence[Flow]) -> list[Tried]:
    """One request to one place."""
    probes = [[flow.protocol, flow.address, flow.dial or flow.port] for flow in piece]
    asked = {"seconds": _PROBE_SECONDS, "at_once": _AT_ONCE, "from_port": _UDP_PORT, "probes": probes}
    seconds = _LOOK_SECONDS + 2 * _PROBE_SECONDS * (1 + len(piece) // _AT_ONCE)
    answers = whole_answers(source.name, _ask(request, source, json.dumps(asked), seconds), len(piece))
    return [Tried(flow, answer) for flow, answer in zip(piece, answers, strict=True)]


def _ask(request: NetworkRequest, source: Source, text: str, seconds: float) -> str:
    if source == CONTROL:
        return request.outside(text, seconds)
    shell, server = request.shell, None
    for neighbour in request.neighbours:
        if neighbour.source == source:
            shell, server = neighbour.shell, neighbour.server
    argv = ["python3", "-I", "-c", program()]
    place = server or request.outputs.server(source.name)
    return shell.run(place, argv, timeout=seconds, stdin=text).stdout


def whole_answers(subject: str, text: str, expected: int) -> list[str]:
    """As many words as there were probes; a host that answers otherwise is not believed."""
    answers = answer(subject, text, list)
    if len(answers) != expected:
        raise ToolError(subject, "the probing program gave no whole answer", got=text[:200])
    return [str(answer)[:40] for answer in answers]


def _witnessed(request: NetworkRequest, tried: Sequence[Tried]) -> list[Tried]:
    """Where a datagram met silence and something listens, the target says whether it let it in."""
    unsure = [t for t in tried if t.answer == SILENT and t.flow.protocol == "udp" and t.flow.listens]
    tables: dict[str, str] = {}
    for name in {each.flow.target for each in unsure}:
        said = request.shell.run(
            request.outputs.server(name), CONNECTIONS_ARGV, timeout=_LOOK_SECONDS, check=False
        )
        if said.returncode == 0:
            tables[name] = said.stdout
    sure = []
    for each in tried:
        flow = each.flow
        if each in unsure and flow.target in tables:
            sender = "" if flow.is_v6 else flow.source.address or _gateway(request, flow.target)
            let_in = flow.port in let_through(tables[flow.target], flow.address, _UDP_PORT, sender)
            sure.append(Tried(flow, each.answer, let_in))
        else:
            sure.append(each)
    return sure


def _gateway(request: NetworkRequest, target: str) -> str:
    return request.outputs.network(request.outputs.server(target).network).gateway
