"""What a run looked at, and what it left out, as one population."""

from __future__ import annotations

from datetime import UTC, datetime

from orchestrator.judging.live import live_sources
from orchestrator.judging.sources import Source, Whose, heard
from orchestrator.ports.policies import Known
from policies.evaluate import assess
from policies.facts import Unknown
from policies.model import Kind, Phase, Subject
from policies.reference import load_reference
from tests.fake_facts import facts_of
from tests.unit.orchestrator.samples import FLEET, fleet

WHOSE = Whose("acme-demo", {}, datetime(2026, 11, 29, tzinfo=UTC))
CHOSEN = "left out by --host"
RECORDS = {
    "schema": "steward.backup-records/1",
    "records": [{"plan": "site", "server": "web-1"}],
}


def sources(known: Known) -> list[Source]:
    return list(live_sources(known, fleet(FLEET).model_dump(mode="json"), None, (), WHOSE))


def why_silent(subject: Subject) -> str:
    """The reason that the subject has in the place of what it would tell."""
    raw = subject.facts.raw()
    values = [] if isinstance(raw, Unknown) else [each for each in raw.values() if isinstance(each, Unknown)]
    return "" if subject.name in ("web-1", "site/web-1") else values[0].reason


def test_a_host_that_was_left_out_is_in_the_population_and_not_run() -> None:
    found = sources(Known(hosts=[facts_of("web-1")], left_out={"web-2": CHOSEN, "db-1": CHOSEN}))
    subjects = [subject for source in found for subject in source.subjects]
    assert [each.urn for each in subjects] == [
        "host_facts:acme-demo/web-1",
        "host_facts:acme-demo/web-2",
        "host_facts:acme-demo/db-1",
    ]

    pack = load_reference(None).pack
    judged = assess(subjects, pack.profiles, rules=pack.rules, phase=Phase.LIVE, only=heard(found))
    for rule in pack.rules:
        if rule.kind is Kind.HOST_FACTS:
            assert judged.matrix[rule.id][1:] == "xx", rule.id
            assert judged.matrix[rule.id][0] != "x", rule.id
    assert [why_silent(each) for each in subjects] == ["", CHOSEN, CHOSEN]


def test_the_backups_of_a_host_that_was_left_out_are_not_run_too() -> None:
    found = sources(Known(backups=RECORDS, left_out={"web-2": CHOSEN}, unreached={"db-1": "SSH failed"}))
    told = {subject.name: subject for source in found for subject in source.subjects if source.silent}
    assert [name for name, each in told.items() if each.kind is Kind.BACKUP_RECORD] == [
        "site/web-2",
        "databases/db-1",
    ]
    assert not {each.urn for each in told.values()} & heard(found)
    assert why_silent(told["databases/db-1"]) == "SSH failed"
    assert why_silent(told["site/web-2"]) == CHOSEN


def test_without_any_record_of_backups_there_is_none_to_miss() -> None:
    kinds = [each.kind for source in sources(Known(left_out={"web-2": CHOSEN})) for each in source.subjects]
    assert kinds == [Kind.HOST_FACTS]
