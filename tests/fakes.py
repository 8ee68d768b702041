"""Fakes of the ports, one each: they answer from what a test gave them and remember what they were asked."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any

from orchestrator.clock import Moment
from orchestrator.errors import ToolError
from orchestrator.inventory.model import Inventory, InventoryHost
from orchestrator.ports.backups import Receipt
from orchestrator.ports.plays import PlayRequest, PlayResult
from orchestrator.ports.provisioning import Preview, Provisioned, StateResource
from orchestrator.ports.run import Say, StackRecord, Target
from orchestrator.process import CommandResult
from orchestrator.reporting.model import Change, Host
from orchestrator.reporting.planning import HostPlan
from stacks.outputs import FleetOutputs, ServerOutput
from tests.fakes_backups import FakeCredentials, FakeStore  # noqa: F401  # all fakes are asked for here

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@dataclass
class FixedClock:
    """A clock that stands still until it is moved."""

    at: datetime = NOON
    boot_id: str = "boot"

    def now(self) -> datetime:
        return self.at

    def moment(self) -> Moment:
        return Moment(self.at, (self.at - NOON).total_seconds(), self.boot_id)

    def move(self, by: timedelta) -> None:
        self.at += by


@dataclass
class FakeProvisioner:
    """Pulumi without Pulumi; `asked` is what it was asked, in order."""

    made: FleetOutputs
    planned: Preview = field(default_factory=lambda: Preview((), 0, ()))
    done: Provisioned = field(default_factory=lambda: Provisioned((), 0))
    state: Sequence[StateResource] = ()
    asked: list[str] = field(default_factory=list)

    def preview(self, target: Target, *, refresh: bool = False) -> Preview:
        self.asked.append("preview")
        return self.planned

    def up(self, target: Target, *, refresh: bool = False) -> Provisioned:
        self.asked.append("up")
        return self.done

    def resources(self, stack: str) -> Sequence[StateResource]:
        self.asked.append("resources")
        return self.state

    def outputs(self, stack: str) -> FleetOutputs:
        self.asked.append("outputs")
        return self.made

    def unprotect(self, stack: str, urns: Sequence[str]) -> None:
        self.asked.append("unprotect " + " ".join(urns))
        self.state = [replace(each, protect=each.protect and each.urn not in urns) for each in self.state]

    def destroy(self, stack: str) -> Sequence[Change]:
        """As Pulumi does: a protected resource stops it, but only after others went."""
        self.asked.append("destroy")
        if any(each.protect for each in self.state):
            raise ToolError(stack, "a protected resource cannot be deleted")
        gone = [
            Change(op="delete", kind="x", name=each.urn.rsplit("::", 1)[-1], urn=each.urn)
            for each in self.state
        ]
        self.state = ()
        return gone


Answer = str | CommandResult | Exception
Script = Mapping[str, Answer | Callable[[ServerOutput, Sequence[str]], Answer]]


class FakeShell:
    """Answers by the first key of the script that is in 'SERVER: COMMAND'; anything else fails loudly."""

    def __init__(self, script: Script) -> None:
        self.script = dict(script)
        self.asked: list[str] = []
        self.fed: list[str] = []
        self.closed = False
        self._lock = Lock()

    def run(
        self,
        server: ServerOutput,
        argv: Sequence[str],
        *,
        timeout: float,
        stdin: str | None = None,
        check: bool = True,
    ) -> CommandResult:
        line = f"{server.name}: {' '.join(argv)}"
        with self._lock:
            self.asked.append(line)
            if stdin is not None:
                self.fed.append(stdin)
        found = next((value for key, value in self.script.items() if key in line), None)
        assert found is not None, f"nobody scripted: {line[:200]}"
        answer = found(server, argv) if callable(found) else found
        if isinstance(answer, Exception):
            raise answer
        done = result(answer) if isinstance(answer, str) else answer
        if check and done.returncode != 0:
            raise ToolError(server.name, f"'{argv[0]}' failed: {done.stderr}")
        return done

    def close(self) -> None:
        self.closed = True


def result(stdout: str = "", *, code: int = 0, stderr: str = "") -> CommandResult:
    """How a command ended."""
    return CommandResult((), code, stdout, stderr, 0.0)


@dataclass
class FakeRunner:
    """Ansible without Ansible: all hosts converge but those in `failing`; `requests` is what it was asked."""

    failing: Sequence[str] = ()
    problem: str = ""
    raises: BaseException | None = None
    plans: Sequence[HostPlan] = ()
    requests: list[PlayRequest] = field(default_factory=list)

    def run(self, request: PlayRequest, say: Say) -> PlayResult:
        self.requests.append(request)
        if self.raises is not None:
            raise self.raises
        return PlayResult([self._host(name) for name in request.hosts], self.problem, self.plans)

    def _host(self, name: str) -> Host:
        failed = int(name in self.failing)
        return Host(name=name, ok=3, changed=1, failed=failed, unreachable=False, failed_task="x" * failed)


@dataclass
class FakeConvergence:
    """Remembers with which inventory each server was last converged well, by name."""

    known: dict[str, tuple[Inventory, str]] = field(default_factory=dict)

    def settled(self, inventory: Inventory, servers: Sequence[ServerOutput]) -> Mapping[str, str]:
        return {
            server.name: self.known[server.name][1]
            for server in servers
            if server.name in self.known
            and _host(self.known[server.name][0], server) == _host(inventory, server)
        }

    def due(self, declared: Mapping[str, str], servers: Sequence[ServerOutput]) -> Sequence[str]:
        return [
            server.name
            for server in servers
            if server.name not in self.known
            or self.known[server.name][0].declared.get(server.name) != declared.get(server.name)
        ]

    def forget(self, servers: Sequence[ServerOutput]) -> None:
        for server in servers:
            self.known.pop(server.name, None)

    def record(self, inventory: Inventory, servers: Sequence[ServerOutput], run: str) -> None:
        self.known |= {server.name: (inventory, run) for server in servers}


def _host(inventory: Inventory, server: ServerOutput) -> InventoryHost:
    return next(host for host in inventory.hosts if host.name == server.name)


@dataclass
class MemoryLedger:
    """The ledger without a file."""

    stacks: list[StackRecord] = field(default_factory=list)
    ended: set[str] = field(default_factory=set)
    runs: dict[str, dict[str, Any]] = field(default_factory=dict)
    receipts: dict[tuple[str, str], Receipt] = field(default_factory=dict)
    said: set[tuple[str, str]] = field(default_factory=set)

    def stack(self, name: str) -> StackRecord | None:
        return next((each for each in self.stacks if each.name == name and each.id not in self.ended), None)

    def living_stacks(self) -> Sequence[str]:
        return sorted(each.name for each in self.stacks if each.id not in self.ended)

    def create_stack(self, name: str, client: str, at: datetime) -> StackRecord:
        assert self.stack(name) is None, "two living stacks of one name"
        record = StackRecord(name, f"{len(self.stacks) + 1:032x}", client, f"{ord(client[0]):032x}", at)
        self.stacks.append(record)
        return record

    def end_stack(self, record: StackRecord, at: datetime) -> None:
        self.ended.add(record.id)

    def begin_run(self, run: str, verb: str, stack: str, at: Moment) -> None:
        self.runs[run] = {"verb": verb, "stack": stack, "exit_code": None}

    def end_run(self, run: str, exit_code: int, at: Moment) -> None:
        self.runs[run]["exit_code"] = exit_code

    def record_receipts(self, stack: str, run: str, receipts: Sequence[Receipt]) -> None:
        for each in receipts:
            self.receipts.setdefault((each.repository, each.snapshot), each)

    def accept(self, repository: str, plan: str, run: str, at: datetime) -> None:
        self.said.add((repository, plan))

    def accepted(self, repositories: Sequence[str]) -> Collection[tuple[str, str]]:
        return {pair for pair in self.said if pair[0] in repositories}

    def arrivals(self, repositories: Sequence[str], since: datetime) -> Sequence[Receipt]:
        return [each for each in self.receipts.values() if each.repository in repositories]

    def first_seen(self, repositories: Sequence[str]) -> Mapping[tuple[str, str], datetime]:
        return {key: each.arrived_at for key, each in self.receipts.items() if key[0] in repositories}
