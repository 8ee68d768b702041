"""A judgement's report says where each subject comes from, and why those that told nothing have no state."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from orchestrator.judging.check import judged, reported
from orchestrator.judging.sources import Source, Whose, heard
from orchestrator.judging.together import silent_host
from orchestrator.policy_reference import Policy
from orchestrator.reporting.policy.lookup import Lookup, holes
from orchestrator.reporting.policy.model import PolicyReport
from policies.governed import Seen
from policies.model import Phase
from policies.reference import load_reference
from tests.policies.references import network
from tests.unit.reporting.policy.sample import context

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
WHOSE = Whose("acme-demo", {"client": "acme", "environment": "demo"}, NOW)


def report_of(*sources: Source, left_out: dict[str, str] | None = None) -> PolicyReport:
    policy = Policy(load_reference(None), Seen(NOW))
    asked = heard(sources) - set(left_out or {})
    found = judged(sources, policy, Phase.OFFLINE, asked)
    return reported(found, sources, policy, context().about, context().ended_at, left_out=left_out)


def source(name: str, *names: str) -> Source:
    return Source(name, "state", tuple(network(each) for each in names), name * 3)


def test_the_sources_add_up_with_what_several_tell_of_and_what_none_does() -> None:
    population = report_of(source("a", "x", "y"), source("b", "y", "z"), source("c", "y")).population
    assert [each.subjects for each in population.sources] == [2, 2, 1]
    assert (population.overlaps, population.unsourced, population.subjects) == (2, 2, 5)


def test_a_subject_that_told_nothing_is_told_with_its_own_reason() -> None:
    host = silent_host("web-1", "it did not answer within 10 s", WHOSE)
    silent = Source("silent", "host facts", (host,), "", silent=True)
    report = report_of(source("a", "x"), silent, left_out={network("x").urn: "unchanged since main"})
    assert report.counts["not_run"] > 0
    whys = {hole.why for hole in holes(Lookup(report)) if hole.state == "not_run"}
    assert whys == {"it did not answer within 10 s", "unchanged since main"}


def test_one_without_any_reason_is_still_no_pass() -> None:
    host = silent_host("web-1", "", replace(WHOSE, tags={}))
    report = report_of(source("a", "x"), Source("silent", "host facts", (host,), "", silent=True))
    whys = {hole.why for hole in holes(Lookup(report)) if hole.state == "not_run"}
    assert whys == {"the rule was not asked about this subject"}
