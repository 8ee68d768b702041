"""A fleet file becomes subjects before anything is made; its fleet is the one that the engine registers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from policies.evaluate import evaluate
from policies.facts import Unknown
from policies.model import Kind, State, Subject
from policies.pack import all_rules
from policies.profiles import load_profiles
from policies.subjects.document import DocumentError
from policies.subjects.fleet import fleet_subjects, with_declared
from policies.subjects.resources import resource_subject
from stacks.components.fleet import service_facts
from stacks.fleet.loader import load
from stacks.program import StackIdentity, fleet_tags

FLEETS = Path(__file__).parents[2] / "stacks" / "fleets"


def fleet(name: str = "demo") -> dict[str, Any]:
    return load(FLEETS / f"{name}.yaml").fleet.model_dump(mode="json")


def by_name(subjects: list[Subject]) -> dict[str, Subject]:
    return {f"{subject.type}/{subject.name}": subject for subject in subjects}


def test_fleet_services_and_groups_are_subjects() -> None:
    subjects = by_name(fleet_subjects(fleet()))
    assert list(subjects) == ["fleet/acme-demo", "service/shop", "server_group/web", "server_group/db"]
    assert {subject.kind for subject in subjects.values()} == {Kind.RESOURCE}
    assert {subject.witness for subject in subjects.values()} == {"file"}
    assert [load_profiles().choose(subject).name for subject in subjects.values()] == ["demo"] * 4
    web, shop = subjects["server_group/web"].facts, subjects["service/shop"].facts
    assert (web.texts("services"), web.whole("networkServers")) == (("shop",), 3)
    assert [row.whole("count") for row in shop.rows("groups")] == [2, 1]


def test_the_fleet_has_the_facts_that_the_engine_registers() -> None:
    spec = load(FLEETS / "demo.yaml").fleet
    facts = fleet_subjects(spec.model_dump(mode="json"))[0].facts
    assert facts.get("services") == [
        service_facts(name, service) | {"servers": list(service.servers)}
        for name, service in spec.services.items()
    ]
    assert spec.budget is not None
    assert facts.get("budget") == spec.budget.model_dump(mode="json")
    made_later = {"clientId", "stackId"}
    tags = fleet_tags(spec, StackIdentity("c", "s", "k"))
    own = facts.table("tags")
    assert {key: own.text(key) for key in tags if key not in made_later} == {
        key: value for key, value in tags.items() if key not in made_later
    }
    assert {key for key, value in _raw_tags(spec.model_dump(mode="json")).items() if _unknown(value)} == (
        made_later
    )


def _raw_tags(document: dict[str, Any]) -> dict[str, object]:
    tags: Any = fleet_subjects(document)[0].facts.get("tags")
    return dict(tags)


def _unknown(value: object) -> bool:
    return isinstance(value, Unknown)


def test_an_assessment_of_file_and_engine_has_one_fleet() -> None:
    declared = fleet_subjects(fleet())
    urn = "urn:pulumi:acme-demo::steward::steward:index:Fleet::acme-demo"
    engine = resource_subject("steward:index:Fleet", urn, "acme-demo", {"owner": "x"}, is_component=True)
    both = with_declared([engine], declared)
    assert [subject for subject in both if subject.type == "fleet"] == [engine]
    assert len(both) == len(declared)
    assert with_declared([], declared) == declared


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("demo", set[str]()),
        ("vault", set[str]()),
    ],
)
def test_the_fleets_of_the_demo_fail_only_what_they_should(name: str, expected: set[str]) -> None:
    rules = [rule for rule in all_rules() if rule.kind is Kind.RESOURCE]
    results = evaluate(fleet_subjects(fleet(name)), load_profiles(), rules=rules)
    wrong = [result for result in results if result.state in (State.FAIL, State.ERROR)]
    assert {result.rule for result in wrong} == expected
    assert not [result.message for result in wrong if result.blocks]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"client": 7}, "fleet: client: expected a text, got 7"),
        ({"servers": ["web"]}, "fleet: servers: expected a mapping"),
        ({"servers": {"web": 3}}, "fleet: servers.web: expected a mapping, got 3"),
        ({"servers": {"web": {"count": 10**9}}}, "servers.web.count: expected 1 to 100, got 1000000000"),
        ({"services": {"shop": {"availability": 5}}}, "services.shop.availability: expected a mapping"),
    ],
)
def test_what_is_no_fleet_is_refused_by_its_place(change: dict[str, Any], told: str) -> None:
    with pytest.raises(DocumentError, match=told):
        fleet_subjects(fleet() | change)
