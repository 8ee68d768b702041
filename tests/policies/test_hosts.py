"""Collected documents become subjects: what is missing is unknown, ages are counted, keys have holders."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from policies.cases import STACK, TAGS
from policies.evaluate import evaluate
from policies.facts import MalformedFactError, UnknownFactError
from policies.model import Kind, State, Subject
from policies.pack import all_rules
from policies.profiles import load_profiles
from policies.subjects.document import DocumentError
from policies.subjects.host_access import fingerprint
from policies.subjects.hosts import SCHEMA, SECTIONS, host_subjects, hosts_of

AT = "2026-11-29T20:00:00+00:00"
EPOCH = 1795982400.0
DAY = 86_400.0
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFOz2mJf0vOh8mCyP7LQqCNVjNVqM1m5Y3tS0N0n6oWv ana@laptop"


def document(at: str = AT, host: str = "web-1", **sections: Any) -> dict[str, Any]:
    return {"schema": SCHEMA, "host": host, "collected_at": at, **sections}


def subject(*documents: dict[str, Any], **more: Any) -> Subject:
    expected = more.pop("expected", {})
    (found,) = host_subjects(documents, stack=STACK, tags=TAGS, expected={"web-1": expected}, **more)
    return found


def package(name: str = "libssl3", version: str = "3.0.11-1", **more: Any) -> dict[str, Any]:
    row = {"name": name, "version": version, "arch": "amd64", "source": "openssl", "source_version": version}
    return row | {"held": False, "state": "installed"} | more


def offers(*rows: tuple[str, bool], fetched: float = EPOCH) -> dict[str, Any]:
    found = [{"package": "libssl3", "arch": "amd64", "version": v, "security": s} for v, s in rows]
    return {
        "fetched_at": fetched,
        "offers": found,
        "lists": [{"file": "x", "security": True, "valid_until": None}],
    }


def test_a_subject_is_named_by_host_and_stack() -> None:
    found = subject(document())
    assert (found.kind, found.type, found.name) == (Kind.HOST_FACTS, "host", "web-1")
    assert (found.urn, found.witness) == (f"host_facts:{STACK}/web-1", "host")
    assert load_profiles().choose(found).name == "demo"
    assert hosts_of([found]) == {"web-1"}


def test_every_section_that_is_missing_is_unknown_and_no_rule_passes_on_nothing() -> None:
    found = subject(document())
    for name in SECTIONS:
        if name not in {"clock", "reboot", "authorized_keys"}:
            with pytest.raises(UnknownFactError, match=f"the collected facts have no {name}"):
                found.facts.get(name)
    rules = [rule for rule in all_rules() if rule.kind is Kind.HOST_FACTS]
    results = evaluate([found], load_profiles(), rules=rules)
    assert len(rules) >= 50
    assert {result.state for result in results} == {State.UNKNOWN}


def test_what_the_host_could_not_read_keeps_its_reason_at_any_depth() -> None:
    found = subject(document(sshd={"unknown": "no keys"}, sysctl={"a": {"value": {"unknown": "why"}}}))
    with pytest.raises(UnknownFactError, match="no keys"):
        found.facts.table("sshd").text("port")
    with pytest.raises(UnknownFactError, match=r"sysctl\.a\.value .* why"):
        found.facts.table("sysctl").table("a").text("value")


@pytest.mark.parametrize(
    "value", [[1] * 20_001, {str(n): n for n in range(2_001)}, "x" * 4_097, json.loads("[" * 12 + "]" * 12)]
)
def test_what_is_more_than_anybody_reads_is_unknown(value: object) -> None:
    found = subject(document(release={"id": value}))
    with pytest.raises((UnknownFactError, MalformedFactError)):
        found.facts.table("release").text("id")


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"schema": "steward.host-facts/9"}, "with schema steward.host-facts/1"),
        ({"host": ""}, "host: expected a name"),
        ({"host": 7}, "host: expected a name"),
        ({"collected_at": "yesterday"}, "collected_at: expected a UTC date"),
        ({"collected_at": "2026-11-29T20:00:00"}, "collected_at: expected a UTC date"),
    ],
)
def test_a_document_that_is_none_is_refused_by_place(changed: dict[str, Any], told: str) -> None:
    with pytest.raises(DocumentError, match=r"^document 0") as error:
        subject(document() | changed)
    assert told in str(error.value)


def test_keys_have_their_holders_and_the_days_past_their_end() -> None:
    rows = [
        {"account": "ana", "fingerprint": "SHA256:x"},
        {"account": "ana", "file": "f", "unknown": "no key"},
    ]
    people = [{"name": "bo", "keys": [KEY], "ends_on": "2026-11-27"}, {"name": "ana", "keys": ["SHA256:x"]}]
    first, second = subject(document(authorized_keys=rows), expected={"administrators": people}).facts.rows(
        "authorized_keys"
    )
    assert (first.text("holder"), first.get("days_past_end")) == ("ana", None)
    with pytest.raises(UnknownFactError, match="no key"):
        second.text("holder")


@pytest.mark.parametrize(
    ("ends_on", "past"),
    [("2026-11-28", 20 / 24), ("2026-11-29", None), ("2026-12-24", None), (None, None)],
)
def test_the_last_day_counts_whole(ends_on: str | None, past: float | None) -> None:
    people = [{"name": "ana", "keys": ["SHA256:x"], "ends_on": ends_on}]
    rows = [{"account": "ana", "fingerprint": "SHA256:x"}]
    (row,) = subject(document(authorized_keys=rows), expected={"administrators": people}).facts.rows(
        "authorized_keys"
    )
    assert row.get("days_past_end") == (pytest.approx(past, abs=1e-3) if past else None)


def test_an_end_that_is_no_date_is_unknown() -> None:
    people = [{"name": "ana", "keys": ["SHA256:x"], "ends_on": "soon"}]
    rows = [{"account": "ana", "fingerprint": "SHA256:x"}]
    (row,) = subject(document(authorized_keys=rows), expected={"administrators": people}).facts.rows(
        "authorized_keys"
    )
    with pytest.raises(UnknownFactError, match="end date of ana is no date"):
        row.get("days_past_end")


def test_a_fingerprint_is_that_of_ssh_keygen(tmp_path: Any) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "k")], check=True)
    said = subprocess.run(
        ["ssh-keygen", "-lf", str(tmp_path / "k.pub")], capture_output=True, text=True, check=True
    )
    assert fingerprint((tmp_path / "k.pub").read_text()) == said.stdout.split()[1]
    assert fingerprint(said.stdout.split()[1]) == said.stdout.split()[1]
    assert fingerprint("not a key") is None
    assert fingerprint("") is None


def test_an_upgrade_is_pending_since_the_first_of_the_unbroken_looks() -> None:
    old = document("2026-11-20T20:00:00+00:00", packages=[package()], upgrades=offers(("3.0.13-1", True)))
    gap = document("2026-11-10T20:00:00+00:00", packages=[package()], upgrades=offers())
    now = document(packages=[package()], upgrades=offers(("3.0.17-1", True), ("3.0.9-1", False)))
    (row,) = subject(now, gap, old).facts.rows("pending")
    assert (row.text("candidate"), row.number("age_days")) == ("3.0.17-1", 9.0)
    (row,) = subject(now).facts.rows("pending")
    with pytest.raises(UnknownFactError, match="first seen in this document"):
        row.number("age_days")


def test_a_fix_for_security_is_pending_beside_a_later_version() -> None:
    now = document(packages=[package()], upgrades=offers(("3.0.17-1", True), ("3.1.0-1", False)))
    (row,) = subject(now).facts.rows("pending")
    assert (row.text("candidate"), row.flag("security")) == ("3.0.17-1", True)


def test_a_feed_is_held_against_the_source_version() -> None:
    entries = [
        {"id": "CVE-1", "severity": "HIGH", "fixed_version": "3.0.12-1"},
        {"id": "CVE-2", "severity": "", "fixed_version": "3.0.11-1"},
        {"id": "CVE-3", "fixed_version": None},
        {"id": "CVE-4", "severity": "low", "fixed_version": "0"},
    ]
    feed = {"as_of": "2026-11-27T20:00:00Z", "packages": {"openssl": entries, "vim": entries}}
    table = subject(document(packages=[package(), package("openssl")]), feed=feed).facts.table("vulnerable")
    found = [(row.text("id"), row.text("severity"), row.text("fixed_version")) for row in table.rows("found")]
    assert found == [("CVE-1", "high", "3.0.12-1"), ("CVE-3", "unrated", "")]
    assert table.number("age_days") == 2.0
    assert table.rows("found")[0].texts("packages") == ("libssl3", "openssl")


@pytest.mark.parametrize(
    ("feed", "why"),
    [
        (None, "there is no vulnerability feed"),
        ({"packages": {"openssl": []}}, "does not say as of when"),
        ({"as_of": "2026-11-27", "packages": {"openssl": []}}, "does not say as of when"),
        ({"as_of": AT, "packages": {}}, "knows no packages"),
    ],
)
def test_a_feed_that_cannot_be_used_makes_everything_unknown(feed: Any, why: str) -> None:
    with pytest.raises(UnknownFactError, match=why):
        subject(document(packages=[package()]), feed=feed).facts.table("vulnerable").rows("found")


@pytest.mark.parametrize(("there", "skew"), [(EPOCH + 1, 0.0), (EPOCH - 10, 10.0), (EPOCH + 32, 30.0)])
def test_the_skew_is_what_the_way_of_the_question_cannot_explain(there: float, skew: float) -> None:
    control = {"asked_at": EPOCH, "answered_at": EPOCH + 2}
    found = subject(document(clock={"epoch": there, "last_synchronised": EPOCH - DAY}, control=control))
    assert found.facts.table("clock").number("skew_seconds") == skew
    assert found.facts.table("clock").number("days_since_synchronised") == 1.0


def test_a_host_that_the_fleet_does_not_know_is_unknown_where_the_fleet_decides() -> None:
    (found,) = host_subjects([document(listening=[])], stack=STACK, tags=TAGS, expected={})
    with pytest.raises(UnknownFactError, match="says nothing of this host"):
        found.facts.table("expected").rows("ports")


def test_the_same_documents_give_the_same_subjects() -> None:
    now = document(packages=[package()], upgrades=offers(("3.0.17-1", True)), reboot={"since": EPOCH - DAY})
    again = json.loads(json.dumps(now))
    rules = [rule for rule in all_rules() if rule.kind is Kind.HOST_FACTS]
    rows = [
        [r.as_row() for r in evaluate([subject(each)], load_profiles(), rules=rules)] for each in (now, again)
    ]
    assert rows[0] == rows[1]


@pytest.mark.parametrize(
    "junk", [7, "text", [], [7], [None], {"offers": 3}, {"lists": [3]}, {"found": {}}, None]
)
def test_sections_of_any_shape_end_in_no_traceback(junk: object) -> None:
    sections = dict.fromkeys((*SECTIONS, "control"), junk)
    found = subject(document(**sections), expected={"administrators": junk, "ports": junk})
    rules = [rule for rule in all_rules() if rule.kind is Kind.HOST_FACTS]
    states = {result.rule: result.state for result in evaluate([found], load_profiles(), rules=rules)}
    assert State.PASS not in {state for rule, state in states.items() if junk not in ([], {})}
