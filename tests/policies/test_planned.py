"""Saved previews and state exports become the same subjects as the engine's own, whoever the vendor is."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from policies.evaluate import evaluate
from policies.facts import Unknown
from policies.model import CheckResult, Enforcement, Kind, PackError, State, Subject
from policies.profiles import load_profiles
from policies.subjects.plan import PlannedStep, preview_subjects, state_subjects, step_subjects
from policies.subjects.steps import resources_after

PREVIEWS = Path(__file__).parent / "previews"
JUDGED: Mapping[str, tuple[str, ...]] = {
    "network": ("name", "cidr"),
    "firewall": ("name", "rules"),
    "server": ("name", "group", "roles", "cpus", "memoryGib", "authorizedKeys", "volumes"),
    "volume": ("name", "sizeGib", "dataBearing"),
    "bucket": ("name", "versioning", "dataBearing"),
    "backup_plan": ("name", "rpoSeconds", "longestGapSeconds", "covers"),
    "fleet": ("services", "tags"),
}
"""The facts that both vendors have."""
DIFFERENT: Mapping[str, str] = {
    "backups.vault-is-elsewhere": "the vault of the one is a stack, of the other a name in the account",
}
Row = tuple[str, str, str, str, str, str, str]


def document(name: str) -> Any:
    return json.loads((PREVIEWS / f"{name}.json").read_text(encoding="utf-8"))


def subjects(name: str) -> tuple[Subject, ...]:
    return preview_subjects(document(name), name=f"{name}.json")


def facts(found: tuple[Subject, ...], kind: Kind) -> dict[tuple[str, str], Mapping[str, Any]]:
    views = {}
    for subject in found:
        raw = subject.facts.raw()
        assert not isinstance(raw, Unknown)
        if subject.kind is kind and subject.type != "part":
            views[(str(raw.get("type", subject.type)), subject.name)] = raw
    return views


def without_ids(value: Any) -> Any:
    """The vendor's own ids are the vendor's own."""
    if isinstance(value, list):
        return [without_ids(each) for each in value]
    return (
        {key: each for key, each in value.items() if key != "volumeId"} if isinstance(value, dict) else value
    )


def rows(results: list[CheckResult]) -> set[Row]:
    return {
        (
            result.rule,
            result.subject.name,
            result.state.value,
            result.enforcement.value,
            result.path,
            result.observed,
            result.message,
        )
        for result in results
        if result.state not in (State.NOT_APPLICABLE, State.PASS)
    }


def test_both_vendors_give_the_same_facts() -> None:
    local, amazon = facts(subjects("local"), Kind.RESOURCE), facts(subjects("aws"), Kind.RESOURCE)

    assert {key for key in local if key[0] in JUDGED} == {key for key in amazon if key[0] in JUDGED}
    for (kind, name), view in local.items():
        for key in JUDGED.get(kind, ()):
            assert without_ids(amazon[kind, name][key]) == without_ids(view[key]), (kind, name, key)


def test_both_vendors_give_the_same_findings() -> None:
    found = {}
    for name in ("local", "aws"):
        judged = evaluate([each for each in subjects(name) if each.type != "part"], load_profiles())
        found[name] = rows([result for result in judged if result.rule not in DIFFERENT])

    assert found["local"] == found["aws"]
    said = {row[0] for row in found["local"]}
    assert "network.ssh-not-public" in said


def test_steps_of_both_vendors_say_the_same() -> None:
    local, amazon = facts(subjects("local"), Kind.STEP), facts(subjects("aws"), Kind.STEP)

    for key in (key for key in local if key[0] in JUDGED):
        for fact in ("op", "bearsData", "protectBefore", "protectAfter", "servers"):
            assert amazon[key][fact] == local[key][fact], (key, fact)
    assert local["server", "db-1"]["op"] == "replace"
    assert local["server", "db-1"]["changed"] == amazon["server", "db-1"]["changed"] == ["image"]
    assert (local["server", "db-1"]["replaceReasons"], local["firewall", "db-1"]["servers"]) == (
        ["image"],
        ["db-1"],
    )
    gone = amazon["volume", "db-1-old"]
    assert (gone["op"], gone["bearsData"], gone["new"], gone["tags"]["client"]) == (
        "delete",
        True,
        None,
        "acme",
    )
    assert local["backup_plan", "databases"]["old"]["keep"]["daily"] == 35


def test_parts_are_listed_and_say_it_to_their_owners() -> None:
    found = subjects("aws")
    parts = [each for each in found if each.type == "part" and each.kind is Kind.RESOURCE]
    (bucket,) = (each for each in found if each.type == "bucket")
    (server,) = (each for each in found if each.type == "server")

    assert len(parts) == 7
    assert bucket.facts.flag("publicAccessBlocked") is True
    assert bucket.facts.text("encryptedBy") == "aws:kms"
    assert (server.facts.get("publicAddress"), server.facts.text("metadataTokens")) == (False, "required")


def test_no_secret_becomes_a_fact() -> None:
    body = document("local")
    servers = [step for step in body["steps"] if step["op"] in ("create-replacement", "replace")]
    signature = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}
    for secret in (
        "[secret]",
        {**signature, "plaintext": '"hunter2"'},
        {**signature, "ciphertext": "v1:hunter2"},
    ):
        for server in servers:
            server["newState"]["inputs"]["group"] = secret
        found = preview_subjects(body, name="p")
        (subject,) = (each for each in found if each.type == "server")
        raw = subject.facts.raw()
        assert not isinstance(raw, Unknown)
        assert raw["group"] == Unknown("a secret, which no rule is shown")
        assert "hunter2" not in repr([each.facts.raw() for each in found])
    assert "Zm9yYmlkZGVu" not in repr([each.facts.raw() for each in subjects("aws")])


def test_an_export_gives_the_resources_that_are_there() -> None:
    states = [step["newState"] for step in document("local")["steps"] if step["op"] == "same"]
    leftover = {**states[-1], "delete": True}
    foreign = {**states[-1], "urn": f"{states[-1]['urn']}-of-another", "external": True}
    export = {"version": 3, "deployment": {"manifest": {}, "resources": [*states, leftover, foreign]}}

    found = state_subjects(export, name="state.json")

    assert [(each.type, each.name) for each in found] == [
        ("grouping", "steward-acme-demo"),
        ("fleet", "acme-demo"),
        ("network", "app"),
        ("volume", "db-1-data"),
    ]
    assert {each.witness for each in found} == {"state"}
    assert found[-1].protect


def test_live_events_give_the_same_steps_as_the_saved_preview() -> None:
    saved = [each for each in subjects("local") if each.kind is Kind.STEP]
    live = step_subjects(
        PlannedStep(
            op=step["op"],
            urn=step["urn"],
            type=(step.get("newState") or step["oldState"])["type"],
            old=step["oldState"].get("inputs", {}) if "oldState" in step else None,
            new=step["newState"].get("inputs", {}) if "newState" in step else None,
            protected_before=step.get("oldState", {}).get("protect", False),
            protected_after=step.get("newState", {}).get("protect", False),
            is_component="provider" not in (step.get("newState") or step["oldState"]),
            replace_reasons=tuple(step.get("replaceReasons", ())),
            new_edges=step.get("newState", {}).get("propertyDependencies", {}),
            old_edges=step.get("oldState", {}).get("propertyDependencies", {}),
        )
        for step in document("local")["steps"]
    )

    assert [(each.urn, each.facts.raw()) for each in live] == [(each.urn, each.facts.raw()) for each in saved]
    assert len({each.urn for each in live}) == len(live)


DB = "urn:pulumi:acme-demo::steward::local:index:Server::db-1"


def step(op: str, old: str = "", new: str = "") -> PlannedStep:
    """A step about one server; a side is there where an image is given."""
    sides = ({"name": "db-1", "image": image} if image else None for image in (old, new))
    return PlannedStep(op, DB, "local:index:Server", *sides)


REPLACED = (
    step("create-replacement", "debian-12", "debian-13"),
    step("replace", "debian-12", "debian-13"),
    step("delete-replaced", "debian-12"),
)
"""As the engine tells one replacement; it may also delete first."""


@pytest.mark.parametrize("told", [REPLACED, REPLACED[::-1]])
def test_what_is_replaced_will_still_be_there(told: tuple[PlannedStep, ...]) -> None:
    (resource,) = resources_after(told)
    assert (resource.urn, resource.facts.text("image")) == (DB, "debian-13")


def test_what_goes_is_not_there_after_and_no_strange_step_is_passed_over() -> None:
    assert resources_after([step("delete", "debian-12"), step("read", "debian-12", "debian-12")]) == ()
    with pytest.raises(PackError, match="no operation 'explode'"):
        resources_after([step("explode", new="debian-13")])


def drop_a_step(body: Any) -> None:
    body["steps"].pop()
    body["steps"].pop()


def nest(body: Any) -> None:
    deep: Any = "x"
    for _ in range(60):
        deep = [deep]
    body["steps"][2]["newState"]["inputs"]["cidr"] = deep


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (drop_a_step, "p.json: changeSummary.delete: counts 1, the file has 0 such steps"),
        (nest, "properties are nested more than 40 deep"),
        (
            lambda body: body.update(diagnostics=[{"severity": "error", "message": "error: no image\n"}]),
            "p.json: the preview ended before it had seen everything: error: no image",
        ),
        (lambda body: body.pop("steps"), "p.json: steps: expected a list, got 'nothing'"),
        (lambda body: body.pop("changeSummary"), "p.json: changeSummary: expected a mapping"),
        (lambda body: body.update(steps=[]), "the file has 0 such steps"),
        (lambda body: body["steps"][1].update(op="explode"), "p.json: steps[1].op: no operation 'explode'"),
        (lambda body: body["steps"][1].pop("urn"), "p.json: steps[1].urn: expected a text"),
        (lambda body: body["steps"][1].update(urn="web"), "expected urn:pulumi:STACK::PROJECT::TYPE::NAME"),
        (lambda body: body["steps"][2].pop("newState"), "p.json: steps[2].newState: a step 'same' has one"),
        (lambda body: body["steps"].append(7), "expected a mapping, got '7'"),
        (
            lambda body: body["steps"][2]["newState"].update(inputs=[1]),
            "expected a mapping of properties, got list",
        ),
        (
            lambda body: body["steps"][2]["newState"].update(propertyDependencies={"cidr": [1]}),
            "propertyDependencies.cidr: expected a list of texts",
        ),
    ],
)
def test_a_strange_preview_is_refused_by_place(spoil: Callable[[Any], object], told: str) -> None:
    body = copy.deepcopy(document("local"))
    spoil(body)
    with pytest.raises(PackError) as error:
        preview_subjects(body, name="p.json")
    assert told in str(error.value)


@pytest.mark.parametrize(
    "body", [None, [], {}, {"deployment": {}}, {"deployment": {"resources": [{"urn": 1}]}}]
)
def test_a_strange_export_is_refused(body: object) -> None:
    with pytest.raises(PackError, match=r"^s\.json"):
        state_subjects(body, name="s.json")


@pytest.mark.parametrize(("fleet", "deferred"), [("demo", {"db-1"}), ("vault", set())])
def test_the_example_fleets_have_no_finding(fleet: str, deferred: set[str]) -> None:
    """Their previews are the engine's own, without the traces that it adds."""
    judged = evaluate(subjects(fleet), load_profiles())

    said = [result for result in judged if result.state not in (State.PASS, State.NOT_APPLICABLE)]
    assert {result.state for result in said} <= {State.UNKNOWN}
    assert {result.enforcement for result in said} <= {Enforcement.DEFERRED}
    assert {result.subject.name for result in said} == deferred
