"""The order of a run and when it stops, on fakes of the ports."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from socket import create_server, socket
from typing import Any

import pytest

from orchestrator.adapters import Adapters, HostAccess
from orchestrator.errors import FindingsError, InputError, StewardError, StoppedError, ToolError
from orchestrator.inventory.build import Binaries
from orchestrator.phases.restore import RestoreRequest
from orchestrator.pipeline import Steps, converge_steps, destroy_steps, plan_steps, up_steps, verify_steps
from orchestrator.pipeline_backup import list_steps, restore_steps, run_steps, status_steps
from orchestrator.ports import Preview, Provisioned, StackRecord, Target
from orchestrator.reporting.model import Change, PolicyResult, StepState, Verdict
from orchestrator.results import RunResults
from orchestrator.step_runner import LocalStepRunner, Watcher
from stacks.outputs import ServerOutput
from tests.fakes import (
    NOON,
    Answer,
    FakeCredentials,
    FakeProvisioner,
    FakeRunner,
    FakeShell,
    FakeStore,
    FakeVerifier,
    FixedClock,
    MemoryLedger,
)
from tests.unit.orchestrator.samples import backup_run, backup_status, loaded, outputs, server

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


@pytest.fixture
def bench() -> Iterator[Bench]:
    """Servers listen on a real port each, because the gate knocks at it."""
    with ExitStack() as stack:
        listeners: dict[str, socket] = {
            name: stack.enter_context(closing(create_server(("127.0.0.1", 0))))
            for name in ("web-1", "web-2", "db-1")
        }
        made = outputs(*(server(name, ssh_port=each.getsockname()[1]) for name, each in listeners.items()))
        yield bench_of(FakeProvisioner(made, Preview([CHANGE], 0, ()), Provisioned([CHANGE], 0)))


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
    access = HostAccess(shell, Path("/key"), Path("/known_hosts"), verifier)
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
    )
    return Bench(adapters, provisioner, shell, runner, verifier, ledger, store)


def finding(enforcement: str = "mandatory") -> PolicyResult:
    return PolicyResult(
        rule="network.x",
        severity="high",
        state="fail",
        enforcement=enforcement,
        subject="app",
        kind="network",
    )


def not_ready(bench: Bench, name: str) -> None:
    """The named server lets nobody in, and says so for good."""
    stuck = ToolError(name, "SSH failed")
    bench.shell.script = {f"{name}: sudo -n python3": stuck, **bench.shell.script}


ALL = ["plan", "provision", "outputs", "ready", "enrol", "configure", "backup", "verify"]


def test_up_goes_from_plan_to_proof_in_order(bench: Bench) -> None:
    assert bench.execute(up_steps) is None
    assert bench.steps == ALL
    assert set(bench.states.values()) == {StepState.DONE}
    assert bench.provisioner.asked == ["preview", "up", "outputs"]
    assert list(bench.runner.requests[0].hosts) == ["web-1", "web-2", "db-1"]
    assert bench.backed_up == ["db-1", "web-1", "web-2"]
    assert bench.verifier.looked == ["web-1", "web-2", "db-1"]
    assert len(bench.ledger.receipts) == 3
    assert {row.verdict for row in bench.results.backups} == {Verdict.PASS}


def test_what_is_configured_knows_the_repositories_that_were_made(bench: Bench) -> None:
    bench.execute(up_steps)
    (database,) = [h for h in bench.runner.requests[0].inventory.hosts if h.name == "db-1"]
    assert database.secrets["backup_repository"]["user"] in bench.store.repositories


def test_a_second_up_changes_nothing(bench: Bench) -> None:
    bench.execute(up_steps)
    bench.provisioner.planned = Preview((), 9, ())
    bench.provisioner.asked.clear()
    bench.shell.asked.clear()
    bench.results = RunResults()
    assert bench.execute(up_steps) is None
    assert bench.steps == [name for name in ALL if name != "provision"]
    assert bench.provisioner.asked == ["preview", "outputs"]
    assert bench.backed_up == []
    assert len(bench.store.enrolled) == 3


def test_a_blocked_plan_ends_the_run_before_anything_else_is_asked(bench: Bench) -> None:
    bench.provisioner.planned = Preview([CHANGE], 0, [finding()], "refused")
    assert isinstance(bench.execute(up_steps), FindingsError)
    assert bench.steps == ["plan"]
    assert bench.provisioner.asked == ["preview"]
    assert bench.shell.asked == []
    assert bench.results.preview is not None, "the report needs what was found"


def test_advice_does_not_stop(bench: Bench) -> None:
    bench.provisioner.planned = Preview([CHANGE], 0, [finding("advisory")])
    assert bench.execute(up_steps) is None


def test_a_half_made_stack_stops_before_its_servers_are_touched(bench: Bench) -> None:
    bench.provisioner.done = Provisioned([CHANGE], 0, failure="server web-2: disk full")
    problem = bench.execute(up_steps)
    assert isinstance(problem, ToolError)
    assert "disk full" in str(problem)
    assert bench.states == {"plan": StepState.DONE, "provision": StepState.FAILED}
    assert bench.results.provisioned is not None
    assert bench.results.provisioned.changes == [CHANGE]
    assert bench.shell.asked == []


def test_one_server_that_is_not_ready_keeps_no_other(bench: Bench) -> None:
    not_ready(bench, "web-2")
    assert bench.execute(up_steps) is None
    assert bench.steps == ALL
    assert list(bench.runner.requests[0].hosts) == ["web-1", "db-1"]
    assert bench.backed_up == ["db-1", "web-1"]
    assert bench.verifier.looked == ["web-1", "db-1"]
    (lost,) = [host for host in bench.results.hosts("again {host}") if host.unreachable]
    assert (lost.name, lost.failed_task, lost.retry) == ("web-2", "ready: ssh", "again web-2")


def test_no_server_ready_configures_nobody_rather_than_everybody(bench: Bench) -> None:
    for name in ("web-1", "web-2", "db-1"):
        not_ready(bench, name)
    bench.execute(up_steps)
    assert bench.runner.requests == []
    assert bench.backed_up == bench.verifier.looked == []
    assert len(bench.results.hosts("")) == 3


def test_a_host_that_failed_is_neither_backed_up_nor_verified(bench: Bench) -> None:
    bench.runner.failing = ["web-1"]
    assert bench.execute(up_steps) is None
    assert bench.backed_up == ["db-1", "web-2"]
    assert bench.verifier.looked == ["web-2", "db-1"]
    assert "failed: web-1" in next(step.message for step in bench.results.steps if step.name == "configure")


@pytest.mark.parametrize(
    ("raised", "state", "kind"),
    [
        (ToolError("ansible", "broke"), StepState.FAILED, ToolError),
        (StoppedError("steward", "stopped"), StepState.STOPPED, StoppedError),
        (KeyboardInterrupt(), StepState.STOPPED, StoppedError),
    ],
)
def test_an_error_ends_the_run_with_everything_before_it_kept(
    bench: Bench, raised: BaseException, state: StepState, kind: type[StewardError]
) -> None:
    bench.runner.raises = raised
    assert isinstance(bench.execute(up_steps), kind)
    assert bench.steps == ALL[: ALL.index("configure") + 1]
    assert bench.states["configure"] is state
    assert bench.states["enrol"] is StepState.DONE
    assert bench.backed_up == []


def test_plan_asks_for_a_preview_and_no_more(bench: Bench) -> None:
    assert bench.execute(plan_steps) is None
    assert bench.provisioner.asked == ["preview"]


def test_configure_touches_only_the_servers_that_are_wanted(bench: Bench) -> None:
    assert bench.execute(converge_steps, ("web-2",)) is None
    assert list(bench.runner.requests[0].hosts) == ["web-2"]
    assert {line.split(":")[0] for line in bench.shell.asked} == {"web-2"}
    assert [each.id for each in bench.store.enrolled] == [bench.provisioner.made.server("web-2").incarnation]
    assert bench.provisioner.asked == ["outputs"], "no infrastructure"


def test_verify_only_looks(bench: Bench) -> None:
    bench.verifier.failing = ["web-1 nginx.site"]
    assert bench.execute(verify_steps) is None
    assert bench.steps == ["outputs", "ready", "verify"]
    assert [check.check for check in bench.results.checks if check.verdict is Verdict.FAIL] == ["nginx.site"]
    assert bench.runner.requests == []


@pytest.mark.parametrize("build", [up_steps, converge_steps, verify_steps])
def test_a_server_that_the_fleet_does_not_have_is_refused(bench: Bench, build: Callable[..., Steps]) -> None:
    """Without this `--host web-9` would do nothing and end well."""
    bench.provisioner.planned = Preview((), 0, ())
    problem = bench.execute(build, ("web-9",))
    assert isinstance(problem, InputError)
    assert "web-9" in str(problem)
    assert "web-1" in str(problem)


def test_a_server_that_the_fleet_no_longer_has_is_left_alone(bench: Bench) -> None:
    made = bench.provisioner.made
    bench.provisioner.made = made.model_copy(update={"servers": [*made.servers, server("old-1")]})
    assert bench.execute(verify_steps) is None
    assert bench.verifier.looked == ["web-1", "web-2", "db-1"]


@pytest.mark.parametrize("build", [converge_steps, verify_steps])
def test_a_server_that_is_not_up_yet_is_no_success(bench: Bench, build: Callable[..., Steps]) -> None:
    made = bench.provisioner.made
    bench.provisioner.made = made.model_copy(update={"servers": made.servers[:2]})
    problem = bench.execute(build)
    assert isinstance(problem, InputError)
    assert "though the fleet has them: db-1" in str(problem)
    assert bench.execute(build, ("web-1",)) is None


def test_backup_run_takes_what_is_not_due_and_status_takes_nothing(bench: Bench) -> None:
    bench.execute(run_steps, (), ())
    bench.execute(run_steps, ("web-1",), ("site",))
    assert bench.backed_up == ["db-1", "web-1", "web-1", "web-2"]
    bench.results = RunResults()
    bench.execute(status_steps, (), ())
    assert len(bench.backed_up) == 4
    assert {row.verdict for row in bench.results.backups} == {Verdict.PASS}


@pytest.mark.parametrize("build", [run_steps, status_steps])
def test_a_plan_that_the_fleet_does_not_have_is_refused_before_any_host_is_asked(
    bench: Bench, build: Callable[..., Steps]
) -> None:
    problem = bench.execute(build, (), ("sites",))
    assert isinstance(problem, InputError)
    assert "Did you mean 'site'" in str(problem)
    assert bench.steps == []


def test_snapshots_are_listed_by_server(bench: Bench) -> None:
    row = {"id": "5a" * 32, "time": NOON.isoformat(), "plan": "databases"}
    bench.shell.script["steward-backup list"] = json.dumps(
        {"schema": "steward.backup-list/1", "snapshots": [row]}
    )
    found: dict[str, list[object]] = {}
    assert bench.execute(list_steps, ("db-1",), (), found) is None
    assert list(found) == ["db-1"]
    assert any("steward-backup list --plan databases" in line for line in bench.shell.asked)


RESTORE = RestoreRequest(
    server="db-1", plan="databases", snapshot="latest", target=None, database=None, run="RUN"
)


def test_a_restore_that_differs_is_a_result(bench: Bench) -> None:
    answer = {
        "schema": "steward.backup-restore/1",
        "plan": "databases",
        "ok": False,
        "tables_different": ["shop.t"],
    }
    bench.shell.script["steward-backup restore"] = json.dumps(answer)
    assert bench.execute(restore_steps, RESTORE) is None
    assert bench.results.restored is not None
    assert not bench.results.restored.ok
    assert bench.results.steps[-1].message == "different"


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"server": "db-9"}, "no server named 'db-9'.*Did you mean 'db-1'"),
        ({"plan": "site"}, "no backup plan named 'site'; known: databases"),
        ({"database": "shopp"}, "no database named 'shopp'.*Did you mean 'shop'"),
    ],
)
def test_a_restore_of_what_is_not_there_is_refused(bench: Bench, changed: dict[str, str], text: str) -> None:
    import re

    problem = bench.execute(restore_steps, RESTORE.model_copy(update=changed))
    assert isinstance(problem, InputError)
    assert re.search(text, str(problem)), problem
    assert bench.steps == []


def test_a_restore_on_a_server_that_is_not_ready_is_no_success(bench: Bench) -> None:
    not_ready(bench, "db-1")
    problem = bench.execute(restore_steps, RESTORE)
    assert bench.results.restored is None
    assert problem is not None or bench.results.hosts("")[0].unreachable


def test_destroy_says_how_much_went(bench: Bench) -> None:
    adapters = replace(bench.adapters, provisioner=FakeProvisioner(bench.provisioner.made))
    runner = LocalStepRunner(adapters.clock, Watcher(), bench.results.steps.append)
    assert runner.execute(destroy_steps(adapters, ())) is None
    assert bench.results.steps[0].message == "0 resources deleted"
