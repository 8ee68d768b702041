"""Hosts are told by all their documents, and the population by all lists that were given."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from orchestrator.errors import InputError
from orchestrator.judging.sources import Source, Whose, read_source
from orchestrator.judging.together import SILENT, UNRECORDED, together
from policies.facts import UnknownFactError
from policies.subjects.population import Listing

WHOSE = Whose("acme-demo", {"client": "acme"}, datetime(2026, 11, 29, tzinfo=UTC))


def facts(host: str, day: int, **more: Any) -> dict[str, Any]:
    at = f"2026-11-{day}T20:00:00+00:00"
    return {"schema": "steward.host-facts/1", "host": host, "collected_at": at, **more}


def read(folder: Path, name: str, document: object) -> Source:
    path = folder / name
    path.write_text(json.dumps(document), encoding="utf-8")
    return read_source(path, WHOSE)


def listing(folder: Path, source: str, *names: str, looked_at: bool = True) -> Source:
    rows = [{"type": "server", "name": name, "identity": ""} for name in names]
    body = {"schema": "steward.listing/1", "source": source, "looked_at": looked_at, "entries": rows}
    return read(folder, f"{source}.json", body | {"types": ["server"]})


def test_the_newest_document_of_all_files_tells_of_a_host(tmp_path: Path) -> None:
    older = read(tmp_path, "older.json", [facts("web-1", 20), facts("web-2", 20)])
    newer = read(tmp_path, "newer.json", facts("web-1", 28))

    found = together([older, newer], WHOSE)

    (first, second), (same,) = found[0].subjects, found[1].subjects
    assert (first.name, second.name) == ("web-1", "web-2")
    assert first is same
    assert first.facts.text("collected_at").startswith("2026-11-28")


def test_a_folder_of_facts_is_one_source(tmp_path: Path) -> None:
    for name in ("web-1", "web-2"):
        (tmp_path / f"{name}.json").write_text(json.dumps(facts(name, 20)), encoding="utf-8")

    (found,) = together([read_source(tmp_path, WHOSE)], WHOSE)

    assert (found.kind, [each.name for each in found.subjects]) == ("host facts", ["web-1", "web-2"])


def test_a_host_of_the_fleet_without_facts_is_told(tmp_path: Path) -> None:
    given = read(tmp_path, "web-1.json", facts("web-1", 20))

    _, silent = together([given], replace(WHOSE, servers=("web-1", "db-1")))

    assert (silent.name, [each.urn for each in silent.subjects]) == (SILENT, ["host_facts:acme-demo/db-1"])
    assert together([], replace(WHOSE, servers=("db-1",))) == []


@pytest.mark.parametrize("other", ["site.yml", "other.json"])
def test_a_folder_with_more_than_facts_is_refused(other: str, tmp_path: Path) -> None:
    (tmp_path / "web-1.json").write_text(json.dumps(facts("web-1", 20)), encoding="utf-8")
    text = json.dumps({"schema": "steward.backup-records/1", "records": []})
    (tmp_path / other).write_text("- hosts: all\n" if other.endswith("yml") else text, encoding="utf-8")

    with pytest.raises(InputError, match="facts of hosts"):
        read_source(tmp_path, WHOSE)


def test_an_empty_folder_is_nothing_to_judge(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a folder with no such files"):
        read_source(tmp_path, WHOSE)


def test_a_document_that_is_half_of_one_is_refused_with_its_file(tmp_path: Path) -> None:
    given = read(tmp_path, "web-1.json", facts("web-1", 20) | {"collected_at": "once"})

    with pytest.raises(InputError, match=r"web-1\.json[\s\S]*collected_at|collected_at[\s\S]*web-1\.json"):
        together([given], WHOSE)


def test_two_lists_make_the_population_and_one_makes_none(tmp_path: Path) -> None:
    provider, vault = listing(tmp_path, "provider", "web-1"), listing(tmp_path, "vault", "web-2")

    assert together([provider], WHOSE) == [provider]
    assert together([provider, listing(tmp_path, "vault", looked_at=False)], WHOSE)[2:] == []
    *_, members = together([provider, vault], WHOSE)
    assert [member.urn for member in members.subjects] == [
        "member:acme-demo/server/web-1",
        "member:acme-demo/server/web-2",
    ]


def test_lists_of_several_stacks_are_kept_apart() -> None:
    empty = Listing(frozenset(), {})
    one, other = (
        Source(f"{stack}.json", "state", (), "", listed={"state": empty}) for stack in ("a-x", "b-x")
    )

    with pytest.raises(InputError, match="two files say what the state of acme-demo lists"):
        together([one, other], WHOSE)


def test_a_listing_that_does_not_say_who_lists_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not say who lists"):
        listing(tmp_path, "rumour", "web-1")


def test_a_backup_of_the_fleet_without_a_record_is_told(tmp_path: Path) -> None:
    body = {"schema": "steward.backup-records/1", "records": [{"plan": "site", "server": "web-1"}]}
    given = read(tmp_path, "backups.json", body)
    fleet = replace(WHOSE, records=("site/web-1", "site/web-2", "-/cache-1"))

    _, silent = together([given], fleet)

    assert (silent.name, silent.silent) == (UNRECORDED, True)
    assert [each.urn for each in silent.subjects] == [
        "backup_record:acme-demo/site/web-2",
        "backup_record:acme-demo/-/cache-1",
    ]
    with pytest.raises(UnknownFactError, match="no record of this plan and server was given"):
        silent.subjects[0].facts.get("plan")
    assert together([read(tmp_path, "web-1.json", facts("web-1", 20))], fleet)[1:] == []
