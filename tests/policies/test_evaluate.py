"""The population is complete, one broken rule loses nothing, and what is not a pass never counts as one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product

import pytest

from policies.evaluate import evaluate
from policies.facts import UNKNOWN, Facts
from policies.model import (
    Enforcement,
    Gap,
    Kind,
    OnUnknown,
    Outcome,
    Phase,
    Rule,
    State,
    Subject,
    SubjectCheck,
)
from policies.pack import all_rules, rule_by_id
from policies.profiles import load_profiles
from policies.subjects.resources import resource_subject

TAGS = {"client": "acme", "environment": "demo", "owner": "o", "profile": "demo", "stackId": "s"}


def network(name: str = "app", **properties: object) -> Subject:
    urn = f"urn:pulumi:acme-demo::steward::local:index:Network::{name}"
    body = {"name": name, "cidr": "10.41.0.0/24", "tags": TAGS, **properties}
    return resource_subject("local:index:Network", urn, name, body, is_component=False)


def broken(subject: Subject, params: Facts) -> Iterator[Outcome]:
    raise ZeroDivisionError("\x1b[31mrule is wrong")


def waiting(subject: Subject, params: Facts) -> Iterator[Outcome]:
    yield Gap("cidr", settled_at_up=False)


def test_every_pair_has_a_result() -> None:
    thing = resource_subject(
        "acme:index:Thing", "urn:pulumi:a-b::p::acme:index:Thing::t", "t", {}, is_component=False
    )
    group = resource_subject(
        "steward:index:Server", "urn:pulumi:a-b::p::steward:index:Server::g", "g", {}, is_component=True
    )
    subjects = [network(), thing, group]

    results = evaluate(subjects, load_profiles())

    pairs = {(result.rule, result.subject.urn) for result in results}
    of_resources = [rule for rule in all_rules() if rule.kind is Kind.RESOURCE]
    assert pairs == {(rule.id, item.urn) for rule, item in product(of_resources, subjects)}
    assert {result.state for result in results if result.subject is group} == {State.NOT_APPLICABLE}
    # What cannot be read is not run by any rule but the one that says so.
    states = {result.rule: result.state for result in results if result.subject is thing}
    assert states.pop("quality.type-is-known") is State.FAIL
    assert set(states.values()) == {State.NOT_RUN}
    assert all(result.message for result in results if result.state is not State.PASS)


def test_a_broken_rule_blocks_under_its_name_and_the_others_still_speak() -> None:
    rules = [
        replace(rule, check=broken) if rule.id == "quality.tags-complete" else rule for rule in all_rules()
    ]

    results = {
        result.rule: result for result in evaluate([network(cidr="8.8.8.0/24")], load_profiles(), rules=rules)
    }

    error = results["quality.tags-complete"]
    assert (error.state, error.enforcement, error.blocks) == (State.ERROR, Enforcement.MANDATORY, True)
    assert (
        "rule quality.tags-complete could not judge: ZeroDivisionError: \ufffd[31mrule is wrong"
        in error.message
    )
    assert results["network.private-range"].state is State.FAIL


@pytest.mark.parametrize(
    ("on_unknown", "settled", "enforcement"),
    [
        (OnUnknown.BLOCK, False, Enforcement.MANDATORY),
        (OnUnknown.DEFER, False, Enforcement.DEFERRED),
        (OnUnknown.DEFER, True, Enforcement.MANDATORY),
        (OnUnknown.WARN, True, Enforcement.ADVISORY),
    ],
)
def test_each_rule_says_what_an_unknown_value_does(
    on_unknown: OnUnknown, settled: bool, enforcement: Enforcement
) -> None:
    rule = replace(rule_by_id("network.private-range"), check=waiting, on_unknown=on_unknown)

    (result,) = evaluate([network()], load_profiles(), rules=[rule], settled=settled)

    assert (result.state, result.enforcement) == (State.UNKNOWN, enforcement)
    assert result.blocks is (enforcement is Enforcement.MANDATORY)


def test_a_judgement_of_files_promises_no_preview_and_no_up() -> None:
    """Of a fleet file there is neither."""
    for on_unknown in (OnUnknown.DEFER, OnUnknown.BLOCK):
        rule = replace(rule_by_id("network.private-range"), check=waiting, on_unknown=on_unknown)
        (offline,) = evaluate([network()], load_profiles(), rules=[rule], phase=Phase.OFFLINE)
        (online,) = evaluate([network()], load_profiles(), rules=[rule], phase=Phase.PREVIEW)
        assert "not known from the files" in offline.message
        assert not re.search(r"\bat up\b|preview", offline.message)
        assert "not known at preview" in online.message
        assert (offline.state, offline.enforcement) == (online.state, online.enforcement)


def test_unknown_properties_as_a_whole_are_judged_by_the_strictest_profile() -> None:
    urn = "urn:pulumi:acme-demo::steward::local:index:Network::app"
    subject = resource_subject("local:index:Network", urn, "app", UNKNOWN, is_component=False)

    results = evaluate([subject], load_profiles())

    assert {result.profile for result in results} == {"strict"}
    states = {result.rule: result.state for result in results}
    assert states["network.private-range"] is State.UNKNOWN
    assert states["quality.tags-complete"] is State.UNKNOWN


def test_a_hostile_name_cannot_repaint_the_report() -> None:
    result = next(
        result
        for result in evaluate(
            [network(name="a\u202egro\nx" + "y" * 500, cidr="8.8.8.0/24")], load_profiles()
        )
        if result.rule == "network.private-range"
    )
    assert not set(result.message) & {"\n", "\u202e"}
    assert len(result.message) < 400


def test_rules_read_no_vendor_name() -> None:
    """A rule sees neutral types only: the same facts under another vendor's token are judged alike."""
    rule: Rule = rule_by_id("network.private-range")
    plain, other = (
        network(cidr="8.8.8.0/24"),
        replace(network(cidr="8.8.8.0/24"), source_type="cloud:net:Vpc"),
    )
    first, second = (evaluate([item], load_profiles(), rules=[rule])[0] for item in (plain, other))
    assert first.message == second.message


def test_a_rule_that_reads_all_reads_its_own_kind_and_stack() -> None:
    """Two fleets that are judged at once share no network, and a resource is no step that deletes."""
    own, same = network("app"), network("spare")
    other = replace(own, urn=own.urn.replace("acme-demo", "acme-vault"), stack="acme-vault")
    overlap = rule_by_id("network.ranges-do-not-overlap")

    def states(*subjects: Subject) -> list[State]:
        return [result.state for result in evaluate(subjects, load_profiles(), rules=[overlap])]

    assert states(own, other) == [State.PASS, State.PASS]
    assert states(own, same, other) == [State.FAIL, State.FAIL, State.PASS]

    seen: list[list[Subject]] = []

    def read(stack: Sequence[Subject]) -> SubjectCheck:
        seen.append(list(stack))
        return waiting

    step = replace(own, kind=Kind.STEP, type="step", urn="step:acme-demo/app")
    evaluate([own, step, other], load_profiles(), rules=[replace(overlap, stack_check=read)])
    assert seen == [[own], [other]]
