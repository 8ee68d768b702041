"""What a run judges as one population."""

from __future__ import annotations

from datetime import UTC, datetime

from orchestrator.judging.run import Fixed, population
from orchestrator.judging.sources import Whose
from orchestrator.ports.policies import Known
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
