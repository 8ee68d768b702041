"""Rows of a run's report leave out what the pack has told, but never what turned into a failure since."""

from __future__ import annotations

from orchestrator.judging.rows import report_rows
from policies.assessment import Assessment
from policies.evaluate import assess
from policies.pack import rule_by_id
from policies.profiles import load_profiles
from policies.subjects.resources import resource_subject

TAGS = {"client": "acme", "environment": "demo", "owner": "o", "profile": "demo", "stackId": "s"}
RULE = "network.private-range"


def assessment() -> Assessment:
    subjects = [
        resource_subject(
            "local:index:Network", f"urn:pulumi:acme-demo::p::local:index:Network::{name}", name,
            {"cidr": cidr, "tags": TAGS}, is_component=False,
        )
        for name, cidr in (("good", "10.1.0.0/24"), ("bad", "8.8.8.0/24"), ("late", "9.9.9.0/24"))
    ]  # fmt: skip
    return assess(subjects, load_profiles(), rules=[rule_by_id(RULE)])


def test_every_pair_is_a_row_unless_its_subject_is_left_out() -> None:
    found = assessment()
    assert sorted((row.subject, row.state) for row in report_rows(found, ())) == [
        ("bad", "fail"),
        ("good", "pass"),
        ("late", "fail"),
    ]
    ids = {subject.urn for subject in found.subjects}
    assert report_rows(found, ids) == []
    late = next(urn for urn in ids if urn.endswith("late"))
    assert [row.subject for row in report_rows(found, ids, {(RULE, late)})] == ["late"]
