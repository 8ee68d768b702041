"""A stack of three servers with every port faked, for tests of the order of things."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orchestrator.adapters import Adapters, HostAccess
from orchestrator.errors import StewardError, ToolError
from orchestrator.inventory.build import Binaries
from orchestrator.inventory.roles import RoleCatalog
from orchestrator.pipelines.step import Steps
from orchestrator.ports.run import StackRecord, Target
from orchestrator.reporting.model import Change, StepState
from orchestrator.results import RunResults
from orchestrator.step_runner import LocalStepRunner, Watcher
from stacks.outputs import ServerOutput
from tests.fake_facts import FakeFacts, FakeListing
from tests.fake_judge import FakeJudge
from tests.fake_prober import FakeProber
from tests.fake_supplies import FakeSupplier
from tests.fake_verifier import FakeVerifier
from tests.fakes import (
    NOON,
    Answer,
    FakeConvergence,
    FakeCredentials,
    FakeProvisioner,
    FakeRunner,
    FakeShell,
    FakeStore,
    FixedClock,
    MemoryLedger,
)
from tests.fakes_drift import FakeDrifts
from tests.fakes_rotation import Rotating
from tests.unit.orchestrator.samples import backup_run, backup_status, loaded

CHANGE = Change(op="create", kind="server", name="web-1", urn="u")
PLANS = {"web": "site", "db": "databases"}


@dataclass
class Bench:
    """A stack of three servers with every port faked, and one run on it."""

    adapters: Adapters
    provisioner: FakeProvisioner
    shell: FakeShell
    runner: FakeRunner
    verifier: FakeVerifier
    ledger: MemoryLedger
    store: FakeStore
    drifts: FakeDrifts
    judge: FakeJudge
    facts: FakeFacts
    results: RunResults = field(default_factory=RunResults)

    def execute(self, build: Callable[..., Steps], *words: Any) -> StewardError | None:
        steps = build(self.adapters, self.results, *words)
        return LocalStepRunner(self.adapters.clock, Watcher(), self.results.steps.append).execute(steps)

    @property
    def steps(self) -> list[str]:
        return [step.name for step in self.results.steps]

    @property
    def states(self) -> dict[str, StepState]:
        return {step.name: step.state for step in self.results.steps}

    @property
    def backed_up(self) -> list[str]:
        return sorted(line.split(":")[0] for line in self.shell.asked if "steward-backup run" in line)


ROLES = RoleCatalog(Path(__file__).parents[3] / "playbooks" / "roles")
"""The real roles: what they ask for decides what a run supplies."""


def bench_of(provisioner: FakeProvisioner) -> Bench:
    clock = FixedClock()
    store, good = FakeStore(clock), dict[str, Any]()

    def status(server: ServerOutput, _argv: Sequence[str]) -> Answer:
        return backup_status((PLANS[server.group], None, good.get(server.name)))

    def take(server: ServerOutput, argv: Sequence[str]) -> Answer:
        snapshot = server.incarnation * 2
        good[server.name] = backup_run(argv[argv.index("--plan") + 1], NOON, snapshot=snapshot, run=argv[-1])
        store.arrive(server.incarnation, snapshot)
        return json.dumps(good[server.name])

    shell = FakeShell(
        {"python3": "", "true": "", "steward-backup status": status, "steward-backup run": take}
    )
    runner, verifier, ledger, keys = FakeRunner(), FakeVerifier(), MemoryLedger(), FakeCredentials()
    drifts = FakeDrifts()
    facts = FakeFacts()
    access = HostAccess(
        shell, [Path("/key")], Path("/known_hosts"), "/sockets/%h-%p", verifier, FakeConvergence(), drifts,
        facts, [],
    )  # fmt: skip
    judge = FakeJudge()
    adapters = Adapters(
        target=Target(StackRecord("acme-demo", "1" * 32, "acme", "2" * 32, NOON), loaded()),
        run="RUN",
        clock=clock,
        ledger=ledger,
        provisioner=provisioner,
        binaries=Binaries(Path("/restic"), Path("/rest-server")),
        say=lambda _: None,
        hosts=lambda _stack, _servers: access,
        playbooks=lambda _access, _servers: runner,
        store=lambda _name: store,
        credentials=lambda _name: keys,
        prober=FakeProber(),
        resource_drifts=drifts,
        judge=judge,
        facts=facts,
        listing=FakeListing(),
        drills=tuple,
        chains=set,
        rotation=Rotating().ports(),
        neighbours=ledger.living_stacks,
        outside=lambda _request, _seconds: "[]",
        roles=ROLES,
        supplier=FakeSupplier(),
    )
    return Bench(adapters, provisioner, shell, runner, verifier, ledger, store, drifts, judge, facts)


def not_ready(bench: Bench, name: str) -> None:
    """The named server lets nobody in, and says so for good."""
    stuck = ToolError(name, "SSH failed")
    bench.shell.script = {f"{name}: sudo -n python3": stuck, **bench.shell.script}
