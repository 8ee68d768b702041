"""Real runs of `begin_run` with real ledger and evidence; what is outside of this machine is faked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from orchestrator import app
from orchestrator.app import Run, begin_run
from orchestrator.evidence.chain import ChainFile
from orchestrator.evidence.folder import found_in
from orchestrator.evidence.record import Line
from orchestrator.evidence.verdict import Verdict
from orchestrator.evidence.verify import verify
from orchestrator.ports.provisioning import Preview, Provisioned
from orchestrator.ports.run import Target
from orchestrator.run_evidence import anchors_of
from orchestrator.settings import Settings
from orchestrator.step_runner import Watcher
from stacks.fleet.loader import LoadedFleet
from tests.fakes import FakeProvisioner
from tests.unit.orchestrator.bench import CHANGE, bench_of
from tests.unit.orchestrator.samples import FLEET, outputs


class Registry:
    """Stacks in the ledger alone, without Pulumi."""

    def __init__(self, settings: Settings, toolchain: object, ledger: Any, clock: Any) -> None:
        self.ledger, self.clock = ledger, clock

    def open(self, loaded: LoadedFleet, *, create: bool) -> Target:
        fleet = loaded.fleet
        known = self.ledger.stack(fleet.stack)
        record = known or self.ledger.create_stack(fleet.stack, fleet.client, self.clock.now())
        return Target(record, loaded)


class FakedComposition:
    """The faked adapters of the bench, for the stack and clock of a real run."""

    def __init__(self, settings: Settings, toolchain: object, target: Target, run: str, *_: object) -> None:
        self.target, self.run = target, run

    def adapters(self, ledger: object, clock: Any) -> object:
        made = bench_of(FakeProvisioner(outputs(), Preview([CHANGE], 0, ()), Provisioned([CHANGE], 0)))
        return replace(made.adapters, target=self.target, run=self.run, clock=clock)


@dataclass
class Place:
    """One installation with one fleet."""

    settings: Settings
    fleet: Path

    @contextmanager
    def run(self, verb: str = "plan", said: list[str] | None = None) -> Iterator[Run]:
        say = (said if said is not None else []).append
        with begin_run(self.settings, self.fleet, verb, Watcher(), say) as run:
            yield run

    def lines(self) -> list[Line]:
        (folder,) = found_in(self.settings.home)
        return list(ChainFile(folder.chain).lines())

    def told(self) -> list[tuple[str, object]]:
        """Kind and exit code of the records about runs."""
        kinds = ("run", "run_killed")
        return [(line.kind, line.body.get("exit_code")) for line in self.lines() if line.kind in kinds]

    def verify(self) -> Verdict:
        (folder,) = found_in(self.settings.home)
        with anchors_of(self.settings, folder) as anchors:
            return verify(folder, anchors, self.lines()[-1].ended_at())


@contextmanager
def place(folder: Path) -> Iterator[Place]:
    """An installation whose toolchain and adapters are faked."""
    project = folder / "project"
    if not project.exists():
        (project / "fleets").mkdir(parents=True)
        (project / "Pulumi.yaml").write_text("name: steward\nruntime: python\n")
        (project / "fleets" / "demo.yaml").write_text(FLEET)
    settings = Settings(home=folder / "home", cache=folder / "cache", project=project)
    toolchain = SimpleNamespace(digest="d" * 64)
    with (
        patch.object(app, "load_toolchain", lambda _: toolchain),
        patch.object(app, "StackRegistry", Registry),
        patch.object(app, "Composition", FakedComposition),
    ):
        yield Place(settings, project / "fleets" / "demo.yaml")
