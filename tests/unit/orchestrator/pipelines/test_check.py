"""Check mode over a fleet: each host has one plan, and what cannot be asked is unknown."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from orchestrator.errors import FindingsError, StewardError, ToolError
from orchestrator.pipelines.check import check_steps
from orchestrator.pipelines.plan import plan_steps
from orchestrator.ports.provisioning import Preview
from orchestrator.reporting.model import Change, PolicyResult
from orchestrator.reporting.planning import HostPlan
from tests.unit.orchestrator.bench import Bench


def planned(bench: Bench) -> tuple[dict[str, HostPlan], StewardError | None]:
    steps = partial(plan_steps, hosts=partial(check_steps, bench.adapters, bench.results))
    problem = bench.execute(steps)
    return {each.name: each for each in bench.results.host_plans}, problem


NOTHING = Preview((), 9, ())


def enrolled(bench: Bench) -> None:
    """A run before this one made the repositories."""
    from orchestrator.pipelines.up import up_steps

    assert bench.execute(up_steps) is None
    bench.results.steps.clear()
    bench.runner.requests.clear()


def test_every_host_that_can_be_asked_is_asked_in_check_mode_once(bench: Bench) -> None:
    enrolled(bench)
    bench.provisioner.planned = NOTHING
    bench.runner.plans = [HostPlan(name=name, state="clean") for name in ("web-1", "web-2", "db-1")]
    assert [each.state for each in planned(bench)[0].values()] == ["clean"] * 3
    (request,) = bench.runner.requests
    assert (request.check, list(request.hosts)) == (True, ["web-1", "web-2", "db-1"])
    assert {step.effect for step in bench.results.steps} == {"read"}


def test_without_a_repository_nothing_is_made_and_the_host_is_unknown(bench: Bench) -> None:
    bench.provisioner.planned = NOTHING
    found, _ = planned(bench)
    assert {each.state for each in found.values()} == {"unknown"}
    assert {each.reason for each in found.values()} == {"its backup repository is not yet there"}
    assert bench.runner.requests == []
    assert bench.store.enrolled == []


def test_what_is_not_there_yet_or_made_anew_is_unknown(bench: Bench) -> None:
    enrolled(bench)
    made = bench.provisioner.made
    there = [each for each in made.servers if each.name != "web-2"]
    bench.provisioner.made = made.model_copy(update={"servers": there})
    anew = Change(op="replace", kind="server", name="db-1", urn="u")
    bench.provisioner.planned = Preview([anew], 0, ())
    bench.runner.plans = [HostPlan(name="web-1", state="clean")]
    found, _ = planned(bench)
    assert found["web-2"].reason == "not yet there"
    assert found["db-1"].reason == "not yet there: it is made anew"


def test_hosts_are_told_also_of_a_plan_that_is_refused(bench: Bench) -> None:
    enrolled(bench)
    bad = PolicyResult(
        rule="r", severity="high", state="fail", enforcement="mandatory", subject="s", kind="k"
    )
    bench.provisioner.planned = Preview((), 9, [bad])
    bench.runner.plans = [HostPlan(name=name, state="clean") for name in ("web-1", "web-2", "db-1")]
    found, problem = planned(bench)
    assert (len(found), type(problem)) == (3, FindingsError)


def test_a_vault_that_is_silent_leaves_hosts_unknown(bench: Bench) -> None:
    def silent(_name: str) -> object:
        raise ToolError("vault", "SSH failed")

    bench.provisioner.planned = NOTHING
    bench.adapters = replace(bench.adapters, store=silent)  # type: ignore[arg-type]
    assert {each.reason for each in planned(bench)[0].values()} == {"its vault cannot be asked: SSH failed"}
