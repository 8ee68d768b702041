"""The order of a run and when it stops, on fakes of the ports."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from orchestrator.errors import FindingsError, InputError, StewardError, StoppedError, ToolError
from orchestrator.inventory.prepared import Contents
from orchestrator.phases.destroy import Allowed
from orchestrator.pipelines.configure import converge_steps
from orchestrator.pipelines.destroy import destroy_steps
from orchestrator.pipelines.plan import plan_steps
from orchestrator.pipelines.step import Steps
from orchestrator.pipelines.up import up_steps
from orchestrator.pipelines.verify import verify_steps
from orchestrator.ports.images import PreparedImages
from orchestrator.ports.provisioning import Preview, Provisioned
from orchestrator.reporting.model import PolicyResult, StepState, Verdict
from orchestrator.results import RunResults
from orchestrator.step_runner import LocalStepRunner, Watcher
from policies.model import Phase
from tests.fakes import FakeProvisioner
from tests.unit.orchestrator.bench import CHANGE, Bench, not_ready
from tests.unit.orchestrator.samples import server


def finding(enforcement: str = "mandatory") -> PolicyResult:
    return PolicyResult(
        rule="network.x",
        severity="high",
        state="fail",
        enforcement=enforcement,
        subject="app",
        kind="network",
    )


ALL = [
    *("plan", "judge", "provision", "outputs", "ready", "enrol", "supply", "configure", "backup", "verify"),
    *("facts", "outside", "population", "records", "judge"),
]
LIVE = ALL[10:]


def test_up_goes_from_plan_to_proof_in_order(bench: Bench) -> None:
    assert bench.execute(up_steps) is None
    assert bench.steps == ALL
    assert set(bench.states.values()) == {StepState.DONE}
    assert bench.provisioner.asked == ["outputs", "preview", "up", "outputs", *["resources"] * 2]
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
    assert bench.steps == [name for name in ALL[: -len(LIVE)] if name != "provision"]
    assert bench.provisioner.asked == ["outputs", "preview", "outputs", "outputs"]
    assert bench.backed_up == []
    assert len(bench.store.enrolled) == 3


def test_up_judges_what_it_made_and_not_what_was_so_before(bench: Bench) -> None:
    assert bench.execute(up_steps) is None
    (known, phase) = bench.judge.asked[-1]
    assert (phase, [each["host"] for each in known.hosts]) == (Phase.LIVE, ["web-1", "web-2", "db-1"])
    assert [each.host for each in bench.facts.kept] == ["web-1", "web-2", "db-1"]
    bench.provisioner.planned, bench.results = Preview((), 10, ()), RunResults()
    assert bench.execute(up_steps) is None
    assert [phase for _, phase in bench.judge.asked[2:]] == [Phase.PREVIEW]


def test_a_blocked_plan_ends_the_run_before_anything_else_is_asked(bench: Bench) -> None:
    bench.provisioner.planned = Preview([CHANGE], 0, [finding()], "refused")
    assert isinstance(bench.execute(up_steps), FindingsError)
    assert bench.steps == ["plan", "judge"]
    assert bench.provisioner.asked == ["outputs", "preview"]
    assert bench.shell.asked == []
    assert bench.results.preview is not None, "the report needs what was found"


def test_what_only_we_can_judge_stops_a_plan_too(bench: Bench) -> None:
    bench.judge.rows = [finding()]
    bench.provisioner.planned = Preview([CHANGE], 0, ())
    problem = bench.execute(up_steps)
    assert isinstance(problem, FindingsError)
    assert "1 blocking finding; nothing was changed: network.x (app)" in str(problem)
    assert bench.provisioner.asked == ["outputs", "preview"]
    ((known, phase),) = bench.judge.asked
    assert (known.steps, phase) == (bench.results.preview.steps, Phase.PREVIEW)


def test_destroy_asks_the_rules_before_anything_goes(bench: Bench) -> None:
    bench.judge.rows = [finding()]
    problem = bench.execute(destroy_steps, Allowed())
    assert isinstance(problem, FindingsError)
    assert bench.steps == ["state", "judge"]
    ((known, phase),) = bench.judge.asked
    assert phase is Phase.DESTROY
    assert [step.op for step in known.steps] == ["delete"] * len(known.steps)
    assert "destroy" not in bench.provisioner.asked


def test_advice_does_not_stop(bench: Bench) -> None:
    bench.provisioner.planned = Preview([CHANGE], 0, [finding("advisory")])
    assert bench.execute(up_steps) is None


def test_a_half_made_stack_stops_before_its_servers_are_touched(bench: Bench) -> None:
    bench.provisioner.done = Provisioned([CHANGE], 0, failure="server web-2: disk full")
    problem = bench.execute(up_steps)
    assert isinstance(problem, ToolError)
    assert "disk full" in str(problem)
    assert bench.states == {"plan": StepState.DONE, "judge": StepState.DONE, "provision": StepState.FAILED}
    assert bench.results.provisioned is not None
    assert bench.results.provisioned.changes == [CHANGE]
    assert bench.shell.asked == []


class Images:
    """What servers are made from: remembers for whom something was to be ready."""

    def __init__(self, *problems: str) -> None:
        self.asked: list[str] = []
        self.problems = problems

    def prepare(self, wanted: Mapping[str, Contents]) -> PreparedImages:
        self.asked += wanted
        return PreparedImages(problems=self.problems)


def test_images_are_ready_before_servers_are_made_and_their_lack_stops_nothing(bench: Bench) -> None:
    said, made = list[str](), Images("no network")
    bench.adapters = replace(bench.adapters, images=made, say=said.append)
    assert bench.execute(up_steps) is None
    assert bench.steps == ["plan", "judge", "prepare", *ALL[2:]]
    assert made.asked == ["web-1"]
    assert [line for line in said if "no network" in line] != []


def test_a_plan_that_makes_no_server_prepares_nothing(bench: Bench) -> None:
    bench.provisioner.planned = Preview([CHANGE.model_copy(update={"op": "update"})], 0, ())
    bench.adapters = replace(bench.adapters, images=Images())
    assert bench.execute(up_steps) is None
    assert bench.steps == ALL


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
    assert bench.provisioner.asked == ["outputs", "preview"]


def test_configure_touches_only_the_servers_that_are_wanted(bench: Bench) -> None:
    assert bench.execute(converge_steps, ("web-2",)) is None
    assert list(bench.runner.requests[0].hosts) == ["web-2"]
    assert {line.split(":")[0] for line in bench.shell.asked} == {"web-2"}
    assert [each.id for each in bench.store.enrolled] == [bench.provisioner.made.server("web-2").incarnation]
    assert bench.provisioner.asked == ["outputs"], "no infrastructure"


def test_verify_only_looks(bench: Bench) -> None:
    bench.verifier.failing = ["web-1 nginx.site"]
    assert bench.execute(verify_steps) is None
    assert bench.steps == ["outputs", "ready", "verify", *LIVE]
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
    assert bench.execute(verify_steps, ("web-1",)) is None


def test_destroy_says_how_much_went(bench: Bench) -> None:
    adapters = replace(bench.adapters, provisioner=FakeProvisioner(bench.provisioner.made))
    runner = LocalStepRunner(adapters.clock, Watcher(), bench.results.steps.append)
    assert runner.execute(destroy_steps(adapters, bench.results, Allowed())) is None
    assert bench.results.steps[-1].message == "0 resources deleted"


def test_what_killed_runs_left_is_ended_before_the_gate(bench: Bench) -> None:
    """Else the gate would wait for locks that they hold."""
    order: list[str] = []
    inner = bench.shell.run

    def run(*words: Any, **options: Any) -> Any:
        order.append("asked")
        return inner(*words, **options)

    bench.shell.run = run  # type: ignore[method-assign]
    bench.adapters = replace(
        bench.adapters, end_killed=lambda servers, _: order.append(f"ended on {len(servers)}")
    )
    assert bench.execute(up_steps) is None
    assert order[0] == "ended on 3"
