"""A saved preview or state that says less than the engine would, or two things of one resource, is refused.

`engine/` holds what Pulumi 3.259 wrote (without its traces): replacements in both orders, a look before the
plan (`--refresh`), a copy that waits for its delete, and a plan of one resource (`--target`).
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from policies.model import Kind, PackError, Subject
from policies.subjects.plan import preview_subjects, state_subjects

HERE = Path(__file__).parent
WRITTEN = sorted((HERE / "engine").glob("*.json"))
SAME = "urn:pulumi:acme-demo::steward::pulumi:pulumi:Stack::steward-acme-demo"


def document(path: str) -> Any:
    return json.loads((HERE / path).read_text("utf-8"))


def twice(body: Any, op: str, **changed: object) -> None:
    """The first step of this operation once more, with other inputs, and counted."""
    step = copy.deepcopy(next(each for each in body["steps"] if each["op"] == op))
    for side in {"oldState", "newState"} & set(step):
        step[side]["inputs"] = {**step[side].get("inputs", {}), **changed}
    body["steps"].append(step)
    body["changeSummary"][op] = body["changeSummary"].get(op, 0) + 1


def without(body: Any, *ops: str) -> None:
    body["steps"] = [step for step in body["steps"] if step["op"] not in ops]


def replace_differs(body: Any) -> None:
    step = next(each for each in body["steps"] if each["op"] == "replace")
    step["newState"]["inputs"]["r"] = "harmless"


def end_twice(body: Any) -> None:
    ended = next(each for each in body["steps"] if each["op"] == "delete-replaced")
    body["steps"].append(copy.deepcopy(ended) | {"oldState": {**ended["oldState"], "inputs": {}}})


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: path.stem)
def test_what_the_engine_writes_is_whole(path: Path) -> None:
    found = preview_subjects(document(f"engine/{path.name}"), name=path.name)
    assert len({each.urn for each in found}) == len(found)
    assert len(found) >= 19


@pytest.mark.parametrize(
    ("file", "spoil", "told"),
    [
        ("changed", lambda body: twice(body, "same"), "steps[11].urn: same, same of one resource"),
        ("changed", lambda body: twice(body, "update", u="1"), "would hide what the others say"),
        ("changed", lambda body: twice(body, "replace"), "replace, replace of one resource"),
        ("pending-delete", lambda body: body["steps"][-1]["oldState"].pop("delete"), "same, delete-replaced"),
        ("replacement-steps", replace_differs, "newState.inputs: differs from what the"),
        ("replacement-steps", end_twice, "delete-replaced of one resource"),
        ("refreshed", lambda body: twice(body, "create"), "create, create of one resource"),
    ],
)
def test_a_second_step_of_a_resource_hides_nothing(
    file: str, spoil: Callable[[Any], object], told: str
) -> None:
    body = document(f"engine/{file}.json")
    spoil(body)
    with pytest.raises(PackError, match=r"^p\.json: steps\[") as error:
        preview_subjects(body, name="p.json")
    assert told in str(error.value)


@pytest.mark.parametrize(
    "file", ["engine/replacement-steps.json", "seeded/bad/preview.json", "previews/aws.json"]
)
@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (
            lambda body: without(body, "replace", "create-replacement", "delete-replaced"),
            "the file has 0 such steps: it is cut off",
        ),
        (lambda body: body.update(changeSummary={}), "counts 0, the file has"),
        (
            lambda body: body.update(steps=body["steps"][:1], changeSummary={}),
            "changeSummary.same: counts 0, the file has 1 such steps: the engine never counts fewer",
        ),
        (lambda body: body["changeSummary"].update(delete=99), "changeSummary.delete: counts 99"),
        (lambda body: body["changeSummary"].update(same=True), "changeSummary.same: expected a count"),
        (lambda body: body["changeSummary"].update({"import": 1}), "changeSummary.import: counts 1"),
        (lambda body: body["changeSummary"].update({"create-replacement": 7}), "counts 7, the file has"),
        (lambda body: body["changeSummary"].update(explode=0), "changeSummary.explode: no such operation"),
    ],
)
def test_the_summary_counts_what_the_file_has_both_ways(
    file: str, spoil: Callable[[Any], object], told: str
) -> None:
    body = document(file)
    spoil(body)
    with pytest.raises(PackError) as error:
        preview_subjects(body, name="p.json")
    assert told in str(error.value)


def test_a_look_before_the_plan_does_not_tell_what_is_planned() -> None:
    found = preview_subjects(document("engine/refreshed.json"), name="p.json")
    (step,) = (each for each in found if each.kind is Kind.STEP and each.name == "upd")
    assert step.facts.text("op") == "update"
    assert step.facts.table("old").text("u") == "1"
    assert step.facts.table("new").text("u") == "2"


def test_a_state_has_each_resource_once_but_for_what_waits_for_its_delete() -> None:
    good, bad = (document(f"seeded/{name}/state.json")["deployment"]["resources"] for name in ("good", "bad"))
    with pytest.raises(PackError, match=r"s\.json: deployment\.resources\[22\]\.urn: .* is a second one of"):
        state_subjects({"deployment": {"resources": [*good, *bad]}}, name="s.json")

    going = [{**each, "delete": True} for each in bad]
    assert len(state_subjects({"deployment": {"resources": [*going, *good]}}, name="s.json")) == len(good)


def made(**state: object) -> Subject:
    """The resource of a preview that makes one thing of another's."""
    urn = "urn:pulumi:acme-demo::steward::evil:index:Backdoor::x"
    whole = {"urn": urn, "type": "evil:index:Backdoor", "custom": True, "inputs": {}, **state}
    step = {"op": "create", "urn": urn, "newState": whole}
    (resource, _) = preview_subjects({"steps": [step], "changeSummary": {"create": 1}}, name="p.json")
    return resource


def test_what_is_custom_is_judged_whether_or_not_it_names_a_provider() -> None:
    assert made().type == made(provider="urn:pulumi:p::id").type == "unrecognised"
    assert made(custom=False).type == "grouping"


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ({"custom": None}, "steps[0].newState.custom: expected true or false"),
        ({"type": "steward:index:Group"}, "steps[0].newState.type: expected evil:index:Backdoor"),
        ({"urn": f"{SAME}"}, "steps[0].newState.urn: expected urn:pulumi:acme-demo::steward::evil"),
    ],
)
def test_a_state_says_of_itself_what_its_step_says(state: dict[str, Any], told: str) -> None:
    if "urn" in state:
        state |= {"type": "pulumi:pulumi:Stack"}
    with pytest.raises(PackError) as error:
        made(**state)
    assert told in str(error.value)


def test_a_provider_is_a_subject() -> None:
    found = preview_subjects(document("engine/changed.json"), name="p.json")
    (provider,) = (each for each in found if each.type == "provider")
    assert (provider.name, provider.source_type) == ("mine", "pulumi:providers:lab")
