"""The real adapters of one run, each made where a phase asks for it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from orchestrator.adapters import Adapters, HostAccess
from orchestrator.app_fleet import role_catalog
from orchestrator.circumstances import Origin
from orchestrator.clock import SystemClock
from orchestrator.connections import Connections, StackHostKeys
from orchestrator.convergence.book import ConvergeBook
from orchestrator.convergence.inputs import playbooks_digest
from orchestrator.cost.prices import PriceBook, read_prices
from orchestrator.earlier_runs import earlier_drills
from orchestrator.errors import InputError
from orchestrator.evidence.folder import EvidenceFolder, found_in
from orchestrator.evidence.last import clock_went_back, head_of
from orchestrator.evidence.ledger import SqliteLedger
from orchestrator.fact_book import RunFacts
from orchestrator.host_facts.collector import SshHostFacts
from orchestrator.host_keys import HostKeyPin
from orchestrator.host_times import HostTimes, NotedShell, NotedVerifier
from orchestrator.http_prober import HttpProber
from orchestrator.inventory.build import Binaries
from orchestrator.judging.about import occasion
from orchestrator.leftovers import end_leftovers
from orchestrator.plays.runner import AnsibleRunner
from orchestrator.policy_judge import RunJudge
from orchestrator.policy_reports import left_by_last_up
from orchestrator.ports.hosts import HostShell, HostVerifier
from orchestrator.ports.images import ServerImages
from orchestrator.ports.plays import PlaybookRunner
from orchestrator.ports.rotation import Kind, Rotation, State
from orchestrator.ports.run import Clock, Say, Target
from orchestrator.private_file import write_private
from orchestrator.progress import Watch
from orchestrator.provisioning.automation import PulumiProvisioner
from orchestrator.provisioning.credentials import PASSPHRASE_FILE, admin_key, public_keys
from orchestrator.provisioning.history import history_document
from orchestrator.provisioning.key_ring import FileKeyRing
from orchestrator.provisioning.local_listing import NoListing, PodmanListing
from orchestrator.provisioning.registry import StackRegistry
from orchestrator.provisioning.stack_config import PROJECT
from orchestrator.reporting.policy.build import Occasion
from orchestrator.repository_keys import RepositoryKeys
from orchestrator.settings import Settings
from orchestrator.ssh import shown_key
from orchestrator.supplies.logins import LoginBook
from orchestrator.supplies.supplier import LocalSupplier
from orchestrator.toolchain.environment import Toolchain
from orchestrator.toolchain.prepared_image import PodmanImages
from orchestrator.toolchain.recipe import IMAGE_NAME
from orchestrator.vault import VaultStore
from orchestrator.verification.outside import probe_from_here
from orchestrator.verification.testinfra_host import TestinfraVerifier
from stacks.outputs import ServerOutput

_RUNS_LOOKED_AT = 1_000
_MOST_RUNS = 100_000


@dataclass(frozen=True)
class Composition:
    """What the adapters of a run have in common; `fleet_file` is as a person would type it."""

    settings: Settings
    toolchain: Toolchain
    target: Target
    run: str
    connections: Connections
    fleet_file: str
    origin: Origin
    say: Say
    watch: Watch
    pins: Callable[[str], Sequence[HostKeyPin]]
    """Stack id -> host keys that people pinned since."""
    killed: Sequence[str] = ()
    """Runs of this stack that were killed and whose traces on hosts nobody has ended yet."""
    times: HostTimes = field(default_factory=lambda: HostTimes(SystemClock()))

    def adapters(self, ledger: SqliteLedger, clock: Clock) -> Adapters:
        """Everything outside, behind its ports."""
        return Adapters(
            target=self.target,
            run=self.run,
            clock=clock,
            ledger=ledger,
            provisioner=self.provisioner,
            binaries=Binaries(self.toolchain.restic, self.toolchain.rest_server),
            say=self.say,
            roles=role_catalog(self.settings),
            supplier=self.supplier(clock),
            hosts=self.hosts,
            playbooks=self.playbooks,
            store=self.store,
            credentials=self.credentials,
            resource_drifts=self.provisioner,
            images=self.images(clock),
            prices=self.prices(),
            prober=HttpProber(),
            judge=self.judge(ledger, clock),
            facts=RunFacts(self.settings, self.run, partial(self._runs, ledger), clock),
            drills=lambda: earlier_drills(
                self.settings, ledger.last_runs(self.target.stack.name, _RUNS_LOOKED_AT)
            ),
            chains=lambda: {folder.id for folder in found_in(self.settings.home)},
            listing=PodmanListing() if self.target.loaded.fleet.provider == "local" else NoListing(),
            rotation=self.rotation(ledger, clock),
            neighbours=lambda: [name for name in ledger.living_stacks() if name != self.target.stack.name],
            outside=probe_from_here,
            shown_key=shown_key,
            vault_cause=lambda repository, said: self.store(repository).cause_of(said),
            end_killed=self.end_killed,
            spoken=self.times.take,
            ready_seconds=self.settings.ready_seconds,
        )

    @cached_property
    def provisioner(self) -> PulumiProvisioner:
        """Pulumi, with the policies' results in the run's folder."""
        results = self.settings.run_folder(self.run) / "policies.jsonl"
        return PulumiProvisioner(
            self.settings, self.toolchain, results, self.say, self.pins, self._images_table
        )

    def images(self, clock: Clock) -> ServerImages | None:
        """Images for servers in Podman; other providers have their own."""
        if self.target.loaded.fleet.provider != "local":
            return None
        base, runtime = self.toolchain.images[IMAGE_NAME], self.toolchain.runtime
        return PodmanImages(base, runtime, self.settings.cache, self._images_table, clock)

    @property
    def _images_table(self) -> Path:
        return self.settings.run_folder(self.run) / "images.json"

    def judge(self, ledger: SqliteLedger, clock: Clock) -> RunJudge:
        """The rules of this installation, over all that the run comes to know."""
        fleet, started = self.target.loaded.fleet, clock.now()

        def about() -> Occasion:
            found = occasion(
                self.origin, "preview", self.run, started, fleet.stack, fleet.client, fleet.environment
            )
            chain = EvidenceFolder(self.settings.home, fleet.stack, self.target.stack.id)
            return replace(found, chain_head=head_of(chain))

        suspect = clock_went_back(self.settings.home, started)
        changes = self.settings.home / "pulumi" / ".pulumi" / "history" / PROJECT / fleet.stack

        def history() -> dict[str, Any]:
            found = history_document(changes, ledger.last_runs(fleet.stack, _MOST_RUNS))
            write_private(self.settings.run_folder(self.run) / "history.json", json.dumps(found) + "\n")
            return found

        left = partial(left_by_last_up, self.settings, fleet.stack)
        return RunJudge(self.settings, self.target, about, clock, suspect, left, history=history)

    def prices(self) -> PriceBook | None:
        """The book that STEWARD_PRICES names, or the client's own in STEWARD_HOME; raises InputError."""
        own = self.settings.home / "prices" / f"{self.target.stack.client}.yaml"
        path = self.settings.prices or (own if own.exists() else None)
        return read_prices(path) if path else None

    def supplier(self, clock: Clock) -> LocalSupplier:
        """Certificates, code and secrets for the roles of this stack's fleet."""
        stack, beside = self.target.stack.name, self.target.loaded.path.parent
        return LocalSupplier(self.settings.stack_keys(stack), stack, self.settings.cache, beside, clock)

    def hosts(self, stack: str, servers: Sequence[ServerOutput]) -> HostAccess:
        """Shell, verifier and converge records of a stack's servers."""
        shell, keys = self.connections.shell(stack, servers), self.settings.stack_keys(stack)
        folder = self.settings.home / "converged" / stack
        own = stack == self.target.stack.name  # servers of other stacks may have the same names
        noted: HostShell = NotedShell(shell, self.times) if own else shell
        verifier: HostVerifier = TestinfraVerifier(shell)
        book = ConvergeBook(folder, noted, self._tools, (keys / PASSPHRASE_FILE).read_bytes)
        return HostAccess(
            shell=noted,
            private_keys=admin_key(keys).places,
            known_hosts=shell.known_hosts,
            control_path=shell.control_path,
            verifier=NotedVerifier(verifier, self.times) if own else verifier,
            convergence=book,
            drifts=book,
            facts=SshHostFacts(noted, SystemClock()),
            public_keys=public_keys(keys),
        )

    def playbooks(self, access: HostAccess, servers: Sequence[ServerOutput]) -> PlaybookRunner:
        """Ansible; when it fails to end by itself, what it left on these servers is ended."""

        def leftovers(run: str) -> None:
            for problem in end_leftovers(access.shell, servers, run):
                self.say(f"could not look for leftovers: {problem}")

        retry = f"steward configure --fleet {shlex.quote(self.fleet_file)} --host {{host}}"
        folder = self.settings.run_folder(self.run) / "plays"
        return AnsibleRunner(self.settings, self.toolchain, folder, retry, leftovers, self.watch)

    def end_killed(self, servers: Sequence[ServerOutput], shell: HostShell) -> None:
        """What killed runs left at work on servers would hold locks that this run needs."""
        for run in self.killed:
            self.say(f"run {run} was killed: ending what it left on the servers")
            for problem in end_leftovers(shell, servers, run):
                self.say(f"could not look for leftovers: {problem}")

    def rotation(self, ledger: SqliteLedger, clock: Clock) -> Rotation:
        """What changing credentials needs beside the rest."""
        stack, settings = self.target.stack.name, self.settings

        def note(kind: Kind, subject: str, state: State) -> None:
            ledger.record_rotation(self.run, stack, kind, subject, state, clock.now())

        def pin(server: ServerOutput, key: str) -> None:
            made = HostKeyPin(self.target.stack.id, server.name, server.incarnation, server.host_key, key)
            ledger.pins.record(made, self.run, f"steward rotate in run {self.run}", clock.now())

        registry = StackRegistry(settings, self.toolchain, ledger, clock)
        return Rotation(
            ring=FileKeyRing(settings.stack_keys(stack), stack),
            login=self.connections.login,
            store=self.store,
            credentials=self.credentials,
            logins=LoginBook(settings.stack_keys(stack)),
            note=note,
            host_keys=StackHostKeys(self.connections, stack),
            pin=pin,
            record_admin_key=lambda: registry.record_key(self.target),
        )

    def store(self, repository: str) -> VaultStore:
        """The vault behind a repository of the fleet; raises InputError when its stack has no such vault."""
        stack, spec = self._vault_stack(repository), self.target.loaded.fleet.repositories[repository]
        outputs = self.provisioner.outputs(stack)
        name = spec.repository or repository
        found = next((each for each in outputs.repositories if each.name == name), None)
        if found is None:
            raise InputError(
                stack, f"has no repository named '{name}'", place=f"repositories.{repository}",
                got=", ".join(each.name for each in outputs.repositories) or "none",
            )  # fmt: skip
        shell = self.connections.shell(stack, outputs.servers)
        return VaultStore(shell, outputs.server(found.server), self.toolchain.restic)

    def credentials(self, repository: str) -> RepositoryKeys:
        """Where the credentials of a repository of the fleet are kept: with the vault's stack."""
        stack = self._vault_stack(repository)
        return RepositoryKeys(self.settings.stack_keys(stack), stack)

    def _vault_stack(self, repository: str) -> str:
        return self.target.loaded.fleet.repositories[repository].stack or self.target.stack.name

    def _runs(self, ledger: SqliteLedger) -> Sequence[str]:
        """Ids of the stack's runs, newest first."""
        return [str(row["id"]) for row in ledger.last_runs(self.target.stack.name, _RUNS_LOOKED_AT)]

    def _tools(self) -> str:
        own = playbooks_digest(self.settings.own_roles)
        return f"{self.toolchain.digest} {playbooks_digest(self.settings.playbooks)} {own}"
