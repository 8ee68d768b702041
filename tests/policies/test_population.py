"""The population is the union of four lists, and each member says who saw it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from policies.evaluate import evaluate
from policies.facts import UNKNOWN, UnknownFactError
from policies.model import State, Subject
from policies.pack import all_rules
from policies.profiles import load_profiles
from policies.subjects.document import DocumentError
from policies.subjects.population import (
    SCHEMA,
    Listing,
    fleet_listing,
    read_listing,
    reconcile,
    state_listing,
)
from policies.subjects.resources import resource_subject
from stacks.fleet.loader import load

DEMO = Path(__file__).parents[2] / "stacks" / "fleets" / "demo.yaml"
TAGS = {"client": "acme", "environment": "demo", "owner": "platform@acme.example", "profile": "demo"}
RULES = [rule for rule in all_rules() if rule.id.startswith("population.")]


def server(name: str, identity: object = "") -> Subject:
    facts = {"name": name, "incarnation": identity or f"id-{name}"}
    urn = f"urn:pulumi:acme-demo::steward::local:index:Server::{name}"
    return resource_subject("local:index:Server", urn, name, facts, is_component=False)


def listing(*entries: tuple[str, str, str], types: tuple[str, ...] = ("server",)) -> Listing:
    rows = [{"type": kind, "name": name, "identity": identity} for kind, name, identity in entries]
    document = {"schema": SCHEMA, "looked_at": True, "types": list(types), "entries": rows}
    found = read_listing(document)
    assert found is not None
    return found


def members(*sources: Listing | None) -> dict[str, Subject]:
    return {member.name: member for member in reconcile(*sources, stack="acme-demo", tags=TAGS)}  # type: ignore[misc]


def failed(subjects: dict[str, Subject]) -> set[tuple[str, str]]:
    results = evaluate(list(subjects.values()), load_profiles(), rules=RULES)
    return {(result.rule, result.subject.name) for result in results if result.state is State.FAIL}


def test_the_demo_fleet_lists_what_it_asks_for() -> None:
    found = fleet_listing(load(DEMO).fleet.model_dump(mode="json"))
    assert {f"{kind}/{name}" for kind, name in found.members} == {
        *("server/web-1", "server/web-2", "server/db-1", "volume/db-1-data", "network/app"),
        *("backup_plan/site", "backup_plan/databases"),
        *("repository/web-1", "repository/web-2", "repository/db-1"),
    }


def test_four_lists_that_agree_leave_no_finding() -> None:
    fleet = Listing(
        frozenset({"server", "repository"}), {("server", "a"): frozenset(), ("repository", "a"): frozenset()}
    )
    state = state_listing([server("a")])
    provider = listing(("server", "a", "id-a"))
    vault = listing(("repository", "a", "id-a"), types=("repository",))
    found = members(fleet, state, provider, vault)
    assert list(found) == ["repository/a", "server/a"]
    assert failed(found) == set()
    results = evaluate(list(found.values()), load_profiles(), rules=RULES)
    assert State.UNKNOWN not in {result.state for result in results}
    assert found["server/a"].witness == "fleet and state and provider"
    assert found["server/a"].urn == "member:acme-demo/server/a"


def test_each_difference_is_a_finding_of_its_own() -> None:
    fleet = Listing(
        frozenset({"server", "repository"}),
        {
            ("server", "asked"): frozenset(),
            ("repository", "asked"): frozenset(),
            ("server", "b"): frozenset(),
        },
    )
    state = state_listing([server("forgotten"), server("b")])
    provider = listing(("server", "orphan", "x"), ("server", "b", "id-b"), ("server", "b", "twin"))
    vault = listing(("repository", "gone", "y"), types=("repository",))
    assert failed(members(fleet, state, provider, vault)) == {
        ("population.fleet-is-made", "server/asked"),
        ("population.plan-has-repository", "repository/asked"),
        ("population.state-is-declared", "server/forgotten"),
        ("population.state-exists", "server/forgotten"),
        ("population.nothing-is-orphaned", "server/orphan"),
        ("population.identity-agrees", "server/b"),
        ("population.repository-has-plan", "repository/gone"),
    }


def test_a_source_that_nobody_looked_at_is_unknown_and_one_that_lists_no_such_thing_is_none() -> None:
    found = members(None, state_listing([server("a")]), None, None)["server/a"]
    with pytest.raises(UnknownFactError, match="the provider was not looked at"):
        found.facts.flag("seenByProvider")
    assert found.facts.get("seenByVault") is None
    assert found.facts.flag("seenByState")
    assert failed({"a": found}) == set()


def test_a_repository_is_of_the_server_that_the_state_knows() -> None:
    state = state_listing([server("a")])
    for identity, rules in (
        ("id-a", set[tuple[str, str]]()),
        ("other", {("population.identity-agrees", "repository/a")}),
    ):
        vault = listing(("repository", "a", identity), types=("repository",))
        found = members(None, state, None, vault)
        assert failed({"r": found["repository/a"]}) == rules


def test_an_identity_that_is_not_made_yet_is_none() -> None:
    found = state_listing([server("a", UNKNOWN)])
    assert found.members == {("server", "a"): frozenset({""})}


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({"schema": "x"}, "schema: expected steward.listing/1"),
        ({"schema": SCHEMA, "entries": []}, "expected looked_at true"),
        ({"schema": SCHEMA, "entries": [], "looked_at": 1, "types": []}, "expected looked_at true"),
        ({"schema": SCHEMA, "entries": [], "looked_at": True, "types": [7]}, "types as a list of texts"),
        (
            {
                "schema": SCHEMA,
                "looked_at": True,
                "types": ["server"],
                "entries": [{"type": "volume", "name": "a"}],
            },
            r"entries\[0\]: expected a type among types",
        ),
    ],
)
def test_a_listing_of_another_shape_is_refused_by_its_place(document: Any, told: str) -> None:
    with pytest.raises(DocumentError, match=told):
        read_listing(document)


def test_a_listing_may_say_that_nobody_looked() -> None:
    assert read_listing({"schema": SCHEMA, "looked_at": False, "types": [], "entries": []}) is None
