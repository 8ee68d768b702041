"""Composition root: builds the adapters of a run and sees to it that the run ends in a report and a true ledger."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from orchestrator.adapters import Adapters, HostAccess
from orchestrator.app_fleet import read_fleet
from orchestrator.clock import SystemClock, new_run_id
from orchestrator.connections import Connections
from orchestrator.convergence.book import ConvergeBook
from orchestrator.convergence.inputs import playbooks_digest
from orchestrator.errors import InputError, StewardError
from orchestrator.evidence.ledger import SqliteLedger
from orchestrator.inventory.build import Binaries
from orchestrator.phases.report import RunFacts, build_report, fleet_label
from orchestrator.pipeline import Step
from orchestrator.plays.leftovers import end_leftovers
from orchestrator.plays.runner import AnsibleRunner
from orchestrator.ports import BackupStore, PlaybookRunner, Say, Target
from orchestrator.provisioning.automation import PulumiProvisioner
from orchestrator.provisioning.credentials import PASSPHRASE_FILE, admin_key
from orchestrator.provisioning.registry import StackRegistry
from orchestrator.provisioning.stack_config import config_path
from orchestrator.reporting.model import Report
from orchestrator.reporting.write import write
from orchestrator.repository_keys import RepositoryKeys
from orchestrator.results import RunResults
from orchestrator.settings import Settings
from orchestrator.stack_lock import stack_lock
from orchestrator.step_runner import LocalStepRunner, Watcher
from orchestrator.toolchain.environment import Toolchain, load_toolchain
from orchestrator.vault import VaultStore
from orchestrator.verification.testinfra_host import TestinfraVerifier
from stacks.outputs import ServerOutput


def open_ledger(settings: Settings) -> SqliteLedger:
    """The ledger of this installation; makes STEWARD_HOME (0700) on first use."""
    try:
        settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        (settings.home / "pulumi").mkdir(mode=0o700, exist_ok=True)
    except OSError as problem:
        raise InputError(
            "STEWARD_HOME", f"cannot be made: {problem.strerror}", place=str(settings.home),
            next_step="Set STEWARD_HOME to a folder that you may write to.",
        ) from problem  # fmt: skip
    return SqliteLedger(settings.home / "steward.db")


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
        runner = LocalStepRunner(self.adapters.clock, self.watcher, self.results.steps.append)
        self.problem = runner.execute(steps)
        self.exit_code = self.problem.exit_code if self.problem else 0

    @property
    def folder(self) -> Path:
        """Where the run's records are."""
        return self.settings.run_folder(self.id)

    def report(self) -> Report:
        """Write the run's report in every format and return it."""
        facts = RunFacts(
            run=self.id,
            verb=self.verb,
            actor=actor(),
            steward_version=version("steward-iac"),
            tool_versions=tool_versions(),
            started_at=self.started.utc,
            finished_at=self.adapters.clock.now(),
            fleet_file=self.fleet_file,
        )
        made = build_report(facts, self.adapters.target.loaded, self.results, self.problem)
        write(made, self.folder)
        self.exit_code = made.exit_code
        return made


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
    """Open a run: fleet checked, stack known, nobody else at work on it. Whatever happens, the ledger gets an end.

    `create` makes a stack that is not there yet; `warm` begins to connect to its servers at once.
    """
    loaded = read_fleet(settings, path)
    toolchain = load_toolchain(settings)
    clock = SystemClock()
    ledger = open_ledger(settings)
    with stack_lock(settings.home, loaded.fleet.stack, verb):
        target = StackRegistry(settings, toolchain, ledger, clock).open(loaded, create=create)
        started = clock.moment()
        run_id = new_run_id(started.utc)
        label = fleet_label(path.absolute(), settings.project)
        connections = Connections(settings)
        adapters = compose(settings, toolchain, target, run_id, ledger, clock, say, connections, label)
        run = Run(run_id, verb, settings, adapters, RunResults(), watcher, started, ledger, label)
        settings.run_folder(run_id).mkdir(mode=0o700, parents=True)
        ledger.begin_run(run_id, verb, target.stack.name, started)
        if warm:
            connections.warm(stacks_of(target), adapters.provisioner.outputs)
        code = 3
        try:
            yield run
            code = run.exit_code
        finally:
            connections.close()
            ledger.end_run(run_id, code, clock.moment())


def open_stack(settings: Settings, path: Path, *, create: bool) -> Target:
    """The stack of a fleet file, outside of any run."""
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
    """After everything of a stack is deleted: its keys and configuration go too, and the ledger closes its id."""
    stack = run.adapters.target.stack
    shutil.rmtree(run.settings.stack_keys(stack.name), ignore_errors=True)
    shutil.rmtree(run.settings.home / "converged" / stack.name, ignore_errors=True)
    config_path(run.settings.project, stack.name).unlink(missing_ok=True)
    run.ledger.end_stack(stack, run.adapters.clock.now())


def compose(
    settings: Settings,
    toolchain: Toolchain,
    target: Target,
    run_id: str,
    ledger: SqliteLedger,
    clock: SystemClock,
    say: Say,
    connections: Connections,
    fleet_file: str,
) -> Adapters:
    """The real adapters of one run."""
    folder = settings.run_folder(run_id)
    provisioner = PulumiProvisioner(settings, toolchain, folder / "policies.jsonl")
    fleet, own = target.loaded.fleet, target.stack.name

    def hosts(stack: str, servers: Sequence[ServerOutput]) -> HostAccess:
        shell = connections.shell(stack, servers)
        keys = settings.stack_keys(stack)
        book = ConvergeBook(settings.home / "converged" / stack, shell, tools, (keys / PASSPHRASE_FILE).read_bytes)
        verifier = TestinfraVerifier(shell.config)
        return HostAccess(
            shell, admin_key(keys).private, shell.known_hosts, shell.control_path, verifier, book
        )

    def tools() -> str:
        return f"{toolchain.digest} {playbooks_digest(settings.project / 'playbooks')}"

    def playbooks(access: HostAccess, servers: Sequence[ServerOutput]) -> PlaybookRunner:
        retry = f"steward configure --fleet {fleet_file} --host {{host}}"
        return AnsibleRunner(
            settings, toolchain, folder / "plays", retry, lambda run: _report_leftovers(access, servers, run, say)
        )

    def vault_stack(repository: str) -> str:
        return fleet.repositories[repository].stack or own

    def store(repository: str) -> BackupStore:
        stack, spec = vault_stack(repository), fleet.repositories[repository]
        outputs = provisioner.outputs(stack)
        name = spec.repository or repository
        found = next((each for each in outputs.repositories if each.name == name), None)
        if found is None:
            raise InputError(
                stack, f"has no repository named '{name}'", place=f"repositories.{repository}",
                got=", ".join(each.name for each in outputs.repositories) or "none",
            )  # fmt: skip
        shell = connections.shell(stack, outputs.servers)
        return VaultStore(shell, outputs.server(found.server), toolchain.restic)

    return Adapters(
        target=target,
        run=run_id,
        clock=clock,
        ledger=ledger,
        provisioner=provisioner,
        binaries=Binaries(toolchain.restic, toolchain.rest_server),
        say=say,
        hosts=hosts,
        playbooks=playbooks,
        store=store,
        credentials=lambda repository: RepositoryKeys(
            settings.stack_keys(vault_stack(repository)), vault_stack(repository)
        ),
    )


def _report_leftovers(access: HostAccess, servers: Sequence[ServerOutput], run: str, say: Say) -> None:
    for problem in end_leftovers(access.shell, servers, run):
        say(f"could not look for leftovers: {problem}")


def actor() -> str:
    """Who runs this: the person, or the pipeline's own name."""
    return os.environ.get("STEWARD_ACTOR") or f"{getpass.getuser()}@{socket.gethostname()}"


def tool_versions() -> dict[str, str]:
    """Versions of what decides a run's outcome."""
    names = ("pulumi", "pulumi-policy", "ansible-core", "ansible-runner", "mitogen", "pytest-testinfra")
    return {name: version(name) for name in names}


