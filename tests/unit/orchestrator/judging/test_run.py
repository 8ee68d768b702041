"""What a run judges as one population."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from orchestrator.judging.run import Fixed, population, shipped_parts, with_play
from orchestrator.judging.sources import Whose
from orchestrator.ports.policies import Known
from policies.evaluate import evaluate
from policies.model import State
from policies.pack import rule_by_id
from policies.profiles import load_profiles
from policies.subjects.steps import PlannedStep
from tests.unit.orchestrator.samples import FLEET, fleet

DB = "urn:pulumi:acme-demo::steward::local:index:Server::db-1"


def test_a_server_that_is_replaced_is_judged_as_it_will_be() -> None:
    before, after = {"name": "db-1", "image": "debian-12"}, {"name": "db-1", "image": "debian-13"}
    steps = [
        PlannedStep("create-replacement", DB, "local:index:Server", before, after),
        PlannedStep("replace", DB, "local:index:Server", before, after),
        PlannedStep("delete-replaced", DB, "local:index:Server", before),
    ]
    fixed = Fixed(fleet(FLEET).model_dump(mode="json"), "acme.yaml", {})

    resources, sources = population(
        Known(steps=steps), fixed, Whose("acme-demo", {}, datetime(2026, 11, 29, tzinfo=UTC))
    )

    assert [(each.urn, each.facts.text("image")) for each in resources] == [(DB, "debian-13")]
    (told,) = next(source for source in sources if source.name == "plan").subjects
    assert told.facts.text("op") == "replace"


def test_an_own_role_may_use_what_steward_brings_and_nothing_that_nobody_judges() -> None:
    roles = with_play({
        "roles/own/tasks/main.yml": "- {name: Facts, steward_host: {}}",
        "roles/own/meta/main.yml": "dependencies: [nginx, ../../elsewhere]",
    })  # fmt: skip
    shipped = shipped_parts(Path(__file__).parents[4] / "playbooks")
    fixed = Fixed(fleet(FLEET).model_dump(mode="json"), "acme.yaml", roles, shipped)

    _, sources = population(Known(), fixed, Whose("acme-demo", {}, datetime(2026, 11, 29, tzinfo=UTC)))

    found = next(source for source in sources if source.name == "roles").subjects
    results = evaluate(found, load_profiles(), rules=[rule_by_id("playbooks.includes-are-judged")])
    told = [(each.subject.type, each.path) for each in results if each.state in (State.FAIL, State.UNKNOWN)]
    assert told == [("role", "dependencies[1]")]
