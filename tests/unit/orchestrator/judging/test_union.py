"""Several files are one population: each subject is told once, and no file hides what another says."""

from __future__ import annotations

import pytest

from orchestrator.errors import InputError
from orchestrator.judging.check import unchanged, union
from orchestrator.judging.sources import Source
from policies.facts import Facts
from policies.model import Kind, Subject

URN = "urn:pulumi:acme-demo::steward::local:index:Network::app"


def source(name: str, kind: str = "preview", cidr: str = "10.0.0.0/24") -> Source:
    facts = Facts({"cidr": cidr})
    return Source(name, kind, (Subject(Kind.RESOURCE, "network", "app", URN, "acme-demo", facts),), "")


def test_two_files_that_differ_about_a_subject_are_refused_by_name() -> None:
    good, bad = source("good.json"), source("bad.json", cidr="8.8.8.0/24")
    for pair in ([good, bad], [bad, good]):
        with pytest.raises(InputError) as error:
            union(pair)
        for told in (URN, "good.json", "bad.json"):
            assert told in str(error.value)


def test_two_files_that_say_the_same_are_one_word() -> None:
    (found,) = union([source("a.json"), source("b.json")])
    assert found.urn == URN


def test_what_will_be_goes_before_what_is_and_what_the_file_says_in_any_order() -> None:
    kinds = [source("p", "preview", "1"), source("s", "state", "2"), source("f", "fleet file", "3")]
    for given in (kinds, kinds[::-1]):
        (found,) = union(given)
        assert found.facts.text("cidr") == "1"
    (found,) = union(kinds[:0:-1])
    assert found.facts.text("cidr") == "2"


def test_a_plan_that_changed_is_not_left_out_because_the_state_did_not() -> None:
    then = [source("p", "preview", "1"), source("s", "state", "2")]
    now = [source("p", "preview", "4"), source("s", "state", "2")]
    assert unchanged(then, then) == {URN}
    assert unchanged(now, then) == frozenset()
