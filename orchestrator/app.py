"""Composition root: builds the adapters of a run, and sees that it ends in a report and a true ledger."""

from __future__ import annotations

import shutil
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from orchestrator.adapters import Adapters
from orchestrator.app_fleet import read_fleet, require_project
from orchestrator.backups.calendar import DAYS
from orchestrator.circumstances import Origin, actor, origin_of, tool_versions
from orchestrator.clock import Moment, SystemClock, new_run_id
from orchestrator.composition import Composition
from orchestrator.connections import Connections
from orchestrator.earlier_runs import earlier_runs
from orchestrator.errors import StewardError, StoppedError, ToolError
from orchestrator.evidence.ledger import SqliteLedger, open_ledger
from orchestrator.evidence_vaults import MAKING, enrol_chain
from orchestrator.phases.report import Past, RunFacts, build_report, fleet_label
from orchestrator.pipelines.step import Step
from orchestrator.policy_reports import FILE
from orchestrator.ports.run import Say, Target
from orchestrator.private_file import write_private
from orchestrator.provisioning.registry import StackRegistry
from orchestrator.provisioning.stack_config import config_path
from orchestrator.redaction import redacted_values
from orchestrator.reporting.history import RunRow, row_of, unreported
from orchestrator.reporting.model import Report
from orchestrator.reporting.policy.json import to_json
from orchestrator.reporting.write import known_rows, write, write_index
from orchestrator.results import RunResults
from orchestrator.room import require_room, set_aside, with_reserve
from orchestrator.run_evidence import RunEvidence, say_killed, say_lost, told_at_its_end
from orchestrator.scratch import sweep
from orchestrator.settings import Settings
from orchestrator.stack_lock import stack_lock
from orchestrator.step_runner import LocalStepRunner, Watcher
from orchestrator.supplies.secrets import take_secrets
from orchestrator.toolchain.environment import load_toolchain
from orchestrator.vault_anchor import retire_accesses

_RUNS_LOOKED_AT = 50
_MOST_RUNS = 50_000


@dataclass
class Run:
    """One run on one stack, between its first and its last entry in the ledger."""

    id: str
    verb: str
    settings: Settings
    adapters: Adapters
    results: RunResults
    watcher: Watcher
    started: Any
    ledger: SqliteLedger
    fleet_file: str
    problem: StewardError | None = None
    exit_code: int = 0

    def execute(self, steps: Generator[Step, Any, None]) -> None:
        """Drive a pipeline; its error is kept for the report."""
        runner = LocalStepRunner(
            self.adapters.clock, self.watcher, self.results.steps.append, self.adapters.spoken
        )
        self.problem = runner.execute(steps)
        self.exit_code = self.problem.exit_code if self.problem else 0

    @property
    def folder(self) -> Path:
        """Where the run's records are."""
        return self.settings.run_folder(self.id)

    @property
    def history(self) -> Path:
        """Where the index over all runs of the stack is."""
        return self.settings.history_folder(self.adapters.target.stack.id)

    def report(self) -> Report:
        """Write the run's report in every format, bring the index over all runs up to date, and return it."""
        stack, past = self.adapters.target.stack, self._past()
        facts = RunFacts(
            run=self.id,
            verb=self.verb,
            actor=actor(),
            steward_version=version("steward-iac"),
            tool_versions=tool_versions(),
            started_at=self.started.utc,
            finished_at=self.adapters.clock.now(),
            fleet_file=self.fleet_file,
            stack_id=stack.id,
        )
        made = hidden(build_report(facts, self.adapters.target.loaded, self.results, self.problem, past))
        compiled = self.settings.cache / "templates"
        home = self.settings.home
        with_reserve(home, lambda: write(made, self.folder, compiled))
        self._write_judgement()
        rows = [row_of(made), *self._without_report()]
        with_reserve(home, lambda: write_index(stack.name, self.history, past.runs, rows, compiled))
        self.exit_code = made.exit_code
        return made

    def _write_judgement(self) -> None:
        """What rules said, as the record that auditors read; nothing where the run never came to judge."""
        if self.results.judgement is not None:
            text = to_json(self.results.judgement.report)
            with_reserve(self.settings.home, lambda: write_private(self.folder / FILE, text))

    def _past(self) -> Past:
        """What earlier runs of this stack left."""
        stack, servers = (
            self.adapters.target.stack,
            self.results.outputs.servers if self.results.outputs else (),
        )
        since = self.started.utc - timedelta(days=DAYS + 1)
        return Past(
            self.ledger.arrivals([server.incarnation for server in servers], since),
            known_rows(self.history, self.settings.home / "runs", stack.name, stack.id),
        )

    def _without_report(self) -> list[RunRow]:
        """Runs of this stack that the ledger knows and that are over: for those that left no report."""
        stack = self.adapters.target.stack
        return [
            unreported(row)
            for row in self.ledger.last_runs(stack.name, _RUNS_LOOKED_AT)
            if row["id"] != self.id
            and row["ended_at"]
            and datetime.fromisoformat(row["started_at"]) >= stack.created_at
        ]


@contextmanager
def begin_run(
    settings: Settings,
    path: Path,
    verb: str,
    watcher: Watcher,
    say: Say,
    *,
    create: bool = False,
    warm: bool = False,
) -> Iterator[Run]:
    """Open a run: fleet checked, stack known, nobody else at work. Whatever happens, the ledger gets an end.

    `create` makes a stack that is not there yet; `warm` begins to connect to its servers at once.
    """
    require_project(settings, path)
    loaded = read_fleet(settings, path)
    take_secrets(loaded.fleet.secrets())
    toolchain = load_toolchain(settings)
    clock = SystemClock()
    require_room(settings.home)
    ledger = open_ledger(settings)
    set_aside(settings.home)
    with stack_lock(settings.home, loaded.fleet.stack, verb, say):
        target = StackRegistry(settings, toolchain, ledger, clock).open(loaded, create=create)
        started = clock.moment()
        run_id = new_run_id(started.utc)
        label = fleet_label(path.absolute(), settings.project)
        connections = Connections(settings)
        killed = close_killed_runs(settings, ledger, target.stack.name, started)
        origin = origin_of(settings)
        composed = Composition(
            settings, toolchain, target, run_id, connections, label, origin, say, watcher.host,
            ledger.pins.of_stack, killed,
        )  # fmt: skip
        adapters = composed.adapters(ledger, clock)
        run = Run(run_id, verb, settings, adapters, RunResults(), watcher, started, ledger, label)
        settings.run_folder(run_id).mkdir(mode=0o700, parents=True)
        ledger.begin_run(run_id, verb, target.stack.name, started)
        watcher.begun(partial(earlier_runs, settings, ledger.last_runs, target.stack.name, verb))
        if warm:
            connections.warm(stacks_of(target), adapters.provisioner.outputs)
        with _to_its_end(run, evidence_of(run, toolchain.digest, origin), connections, killed, say):
            yield run


@contextmanager
def _to_its_end(
    run: Run, evidence: RunEvidence, connections: Connections, killed: Sequence[str], say: Say
) -> Iterator[None]:
    """Whatever happens in the block: no host keeps anything, evidence has a record, the ledger an end."""
    settings, ledger, stack = run.settings, run.ledger, run.adapters.target.stack
    code = 3
    try:
        say_lost(evidence, lambda: ledger.last_runs(stack.name, _MOST_RUNS), say)
        say_killed(evidence, killed, say)
        with told_at_its_end(evidence, lambda: ledger.last_runs(stack.name, _RUNS_LOOKED_AT), say) as ending:
            try:
                yield
            finally:
                if run.verb in MAKING and run.results.outputs is not None:
                    enrol_chain(settings, run.adapters, run.results.outputs, say)
                if isinstance(run.problem, StoppedError):
                    for told in connections.end_leftovers(run.id):
                        say(f"could not look for leftovers: {told}")
                connections.close()
            ending.exit_code = run.exit_code
            ending.problem = str(run.problem) if run.problem else ""
        code = run.exit_code
    finally:
        moment = run.adapters.clock.moment
        with_reserve(settings.home, lambda: ledger.end_run(run.id, code, moment()))


def evidence_of(run: Run, tools: str, origin: Origin) -> RunEvidence:
    """What writes the evidence of a run; `tools` is the digest of its toolchain."""
    return RunEvidence(
        settings=run.settings,
        stack=run.adapters.target.stack,
        clock=run.adapters.clock,
        run=run.id,
        verb=run.verb,
        started=run.started,
        actor=actor(),
        versions={"steward": version("steward-iac"), **tool_versions()},
        inputs={run.fleet_file: run.adapters.target.loaded.digest},
        tools=tools,
        origin=origin,
    )


def hidden(report: Report) -> Report:
    """The report without any secret that this process came to know, whoever put it there."""
    return Report.model_validate(redacted_values(report.model_dump(by_alias=True)))


def close_killed_runs(settings: Settings, ledger: SqliteLedger, stack: str, at: Moment) -> list[str]:
    """End what a killed run of this stack could not: its entry in the ledger, and what it left on disk.

    Returns the runs found so. Whoever holds the stack's lock knows that no other run of it lives.
    """
    sweep()
    killed = []
    for row in ledger.last_runs(stack, _RUNS_LOOKED_AT):
        if row["exit_code"] is None:
            for path in settings.run_folder(row["id"]).glob("plays/*/inventory/secrets.yml"):
                path.unlink(missing_ok=True)
            ledger.end_run(row["id"], ToolError.exit_code, at)
            killed.append(str(row["id"]))
    return killed


def open_stack(settings: Settings, path: Path, *, create: bool) -> Target:
    """The stack of a fleet file, outside of any run."""
    require_project(settings, path)
    loaded = read_fleet(settings, path)
    toolchain = load_toolchain(settings)
    ledger = open_ledger(settings)
    with stack_lock(settings.home, loaded.fleet.stack, "env"):
        return StackRegistry(settings, toolchain, ledger, SystemClock()).open(loaded, create=create)


def stacks_of(target: Target) -> list[str]:
    """The stack itself, and those that keep its backups."""
    vaults = [each.stack for each in target.loaded.fleet.repositories.values() if each.stack]
    return list(dict.fromkeys([target.stack.name, *vaults]))


def forget_stack(run: Run) -> None:
    """After everything of a stack is deleted: configuration and keys go too, and the ledger closes its id."""
    stack, settings = run.adapters.target.stack, run.settings
    config_path(settings.project, stack.name).unlink(missing_ok=True)
    run.ledger.end_stack(stack, run.adapters.clock.now())
    retire_accesses(settings.home, stack.name)
    shutil.rmtree(settings.home / "converged" / stack.name, ignore_errors=True)
    shutil.rmtree(settings.stack_keys(stack.name), ignore_errors=True)
