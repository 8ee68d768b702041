"""A rule says in its catalog entry which steps it judges; it is asked about no other, and no step is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from policies.assessment import LETTERS, Assessment
from policies.evaluate import assess, evaluate
from policies.facts import UNKNOWN, Facts
from policies.model import Finding, Kind, Outcome, PackError, Rule, State, Steps, Subject, SubjectCheck
from policies.pack import all_rules, load_pack, rule_by_id
from policies.profiles import load_profiles
from policies.reach import steps_words
from policies.reference import load_reference
from policies.subjects.types import OPERATIONS
from policies.weakening import weakenings
from tests.policies.test_own import CATALOG, write

PLANS = Steps(("backup_plan",), ("delete", "replace"))
STEP_RULE = CATALOG.replace("kind: resource", "kind: step").replace(
    "subjects: [server]", "subjects: [step]\n  steps: {types: [server], operations: [delete]}"
)
ALL_FOUND = """\
from policies.model import Finding


def server_says_its_client(subject, params):
    yield Finding("op", "was asked", subject.facts.text("op"), "nothing")
"""


def step(op: object = "delete", type_: object = "backup_plan", **facts: object) -> Subject:
    name = f"{op}-{type_}"
    tags = {"client": "acme", "environment": "demo", "profile": "demo"}
    body = {"op": op, "type": type_, "name": name, "tags": tags, **facts}
    return Subject(Kind.STEP, "step", name, f"step:acme-demo/{name}", "acme-demo", Facts(body))


def seen(_subject: Subject, _params: Facts) -> Iterator[Outcome]:
    yield Finding("op", "was asked", "", "nothing")


def rule(steps: Steps, check: SubjectCheck = seen) -> Rule:
    return replace(rule_by_id("change.data-not-deleted"), steps=steps, check=check)


def asked(steps: Steps, *subjects: Subject) -> Assessment:
    return assess(subjects, load_profiles(), rules=[rule(steps)])


def test_a_step_that_is_not_the_rules_own_is_counted_and_the_rule_is_not_asked() -> None:
    found = asked(PLANS, step(), step("create"), step("replace", "server"), step("replace"))
    assert found.matrix == {"change.data-not-deleted": "fnnf"}
    assert [each.subject.name for each in found.results] == ["delete-backup_plan", "replace-backup_plan"]
    assert found.counts()[State.NOT_APPLICABLE] == 2


@pytest.mark.parametrize(
    ("steps", "letters"),
    [
        (Steps(), "ffff"),
        (Steps(types=("server",)), "nnff"),
        (Steps(operations=("create",)), "nfnf"),
        (Steps(("server",), ("create",)), "nnnf"),
        (Steps(sides=("old",)), "fnfn"),
        (Steps(("server",), sides=("old", "new")), "nnnn"),
    ],
)
def test_what_the_entry_leaves_out_stands_for_all(steps: Steps, letters: str) -> None:
    sides = {"delete": {"old": {}, "new": None}, "create": {"old": None, "new": UNKNOWN}}
    found = asked(steps, *(step(op, of, **sides[op]) for of, op in product(("key", "server"), sides)))
    assert "".join(found.matrix.values()) == letters


@pytest.mark.parametrize(
    ("subject", "state", "says"),
    [
        (step(UNKNOWN), State.UNKNOWN, "op: not known"),
        (step("delete", UNKNOWN), State.UNKNOWN, "type: not known"),
        (step("create", UNKNOWN), State.UNKNOWN, "type: not known"),
        (step(None), State.ERROR, "op: expected a text, got nothing"),
        (step("delete", 5), State.ERROR, "type: expected a text, got 5"),
        (replace(step(), facts=Facts(UNKNOWN)), State.UNKNOWN, "all properties: not known"),
    ],
)
def test_a_step_that_does_not_say_whether_it_is_one_is_never_left_out(
    subject: Subject, state: State, says: str
) -> None:
    (result,) = evaluate([subject], load_profiles(), rules=[rule(PLANS)])
    assert (result.state, result.blocks) == (state, True)
    assert says in result.message
    assert asked(PLANS, subject).matrix == {"change.data-not-deleted": LETTERS[state]}


def test_a_step_of_which_nothing_is_known_is_not_left_out_for_its_sides() -> None:
    found = asked(
        Steps(sides=("old",)), replace(step(), facts=Facts(UNKNOWN)), step(UNKNOWN, UNKNOWN, old={})
    )
    assert "".join(found.matrix.values()) == "uf"


def test_what_does_not_decide_it_may_be_unknown() -> None:
    found = asked(Steps(types=("server",)), step(UNKNOWN, "server"), step(UNKNOWN, "key"))
    assert "".join(found.matrix.values()) == "fn"


@pytest.mark.parametrize(
    ("steps", "subject", "says"),
    [
        (PLANS, step("create", "server"),
         "judges what deletes or replaces a backup plan; this creates a server"),
        (Steps(types=("key", "identity", "vault")), step("same", "server"),
         "judges what happens to a key, an identity or a vault; this leaves a server"),
        (Steps(operations=("delete",)), step("read", "identity"),
         "judges what deletes a resource; this reads an identity"),
        (Steps(types=("bucket", "key"), sides=("old", "new")), step("create", "bucket"),
         "judges what happens to a bucket or a key that is there before and after; this creates a bucket"),
        (Steps(sides=("old",)), step("create", "bucket"),
         "judges what happens to a resource that is there before; this creates a bucket"),
        (Steps(types=("key",)), step(UNKNOWN, "server"),
         "judges what happens to a key; this changes a server"),
    ],
)  # fmt: skip
def test_it_is_said_why_a_step_is_not_judged(steps: Steps, subject: Subject, says: str) -> None:
    (result,) = evaluate([subject], load_profiles(), rules=[rule(steps)])
    assert (result.state, result.message) == (State.NOT_APPLICABLE, says)


def test_a_rule_that_reads_its_stack_reads_all_of_its_steps() -> None:
    read: list[str] = []

    def stack_check(stack: Sequence[Subject]) -> SubjectCheck:
        read.extend(each.name for each in stack)
        return seen

    counting = replace(rule(PLANS), check=None, stack_check=stack_check)
    found = assess([step(), step("create", "server")], load_profiles(), rules=[counting])
    assert read == ["delete-backup_plan", "create-server"]
    assert "".join(found.matrix.values()) == "fn"


def test_rules_of_ours_break_on_none_of_their_steps_and_read_no_other() -> None:
    ours = [each for each in all_rules() if each.steps != Steps()]
    types = sorted({name for each in ours for name in each.steps.types} | {"fleet"})
    side = {"cidr": "10.41.0.0/24", "sizeGib": 1, "rpoSeconds": 1, "keep": {}, "covers": []}
    more = {"old": side, "new": side, "servers": [], "bearsData": False, "protectBefore": False}
    pairs = list(product(OPERATIONS, types))
    found = assess([step(op, of, **more) for op, of in pairs], load_profiles(), rules=ours)
    for each in ours:
        own = [
            of in (each.steps.types or types) and op in (each.steps.operations or OPERATIONS)
            for op, of in pairs
        ]
        letters = zip(found.matrix[each.id], own, strict=True)
        assert all(letter == "n" for letter, is_own in letters if not is_own), each.id
    assert not found.counts()[State.ERROR]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("kind: step\n  scope: subject\n  subjects: [step]",
         "kind: resource\n  scope: subject\n  subjects: [server]",
         r"naming.yaml\[0\].steps: is of rules about steps; this one judges resource"),
        ("types: [server]", "types: [servr]", r"steps.types: expected some of identity, network"),
        ("types: [server]", "types: []", r"naming.yaml\[0\].steps.types: expected some of"),
        ("operations: [delete]", "operations: [import]",
         r"steps.operations: expected some of same, create, update, delete, replace, read; got"),
        ("operations: [delete]", "operations: delete", r"steps.operations: expected some of"),
        ("operations: [delete]", "sides: [before]", r"steps.sides: expected some of old, new"),
        ("operations: [delete]", "ops: [delete]", r"naming.yaml\[0\].steps: not understood: 'ops'"),
        ("{types: [server], operations: [delete]}", "{}", r"steps: expected some of types, operations"),
        ("{types: [server], operations: [delete]}", "[delete]", r"steps: expected a mapping"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_entry_is_refused_by_name(old: str, new: str, told: str, tmp_path: Path) -> None:
    assert old in STEP_RULE
    write(tmp_path, STEP_RULE.replace(old, new), ALL_FOUND)
    with pytest.raises(PackError, match=told):
        load_pack(tmp_path)


def test_an_own_rule_is_asked_about_its_steps_alone(tmp_path: Path) -> None:
    write(tmp_path, STEP_RULE, ALL_FOUND)
    pack = load_pack(tmp_path)
    own = [each for each in pack.rules if each.id in pack.own]
    subjects = [step("delete", "server"), step("create", "server"), step(UNKNOWN, "server"), step()]
    found = assess(subjects, pack.profiles, rules=own)
    assert found.matrix == {"naming.server-says-its-client": "fnun"}


@pytest.mark.parametrize(
    ("steps", "was", "now"),
    [
        (Steps(("server",), ("delete",)), "", ""),
        (Steps(("server", "key")), "", ""),
        (Steps(), "", ""),
        (Steps(("server",), ("delete",), ("old",)),
         "what deletes a server", "what deletes a server that is there before"),
        (Steps(("key",), ("delete",)), "what deletes a server", "what deletes a key"),
        (Steps(("server",), ("replace",)), "what deletes a server", "what replaces a server"),
    ],
)  # fmt: skip
def test_fewer_steps_are_a_weakening_and_more_are_not(steps: Steps, was: str, now: str) -> None:
    reference = load_reference(None)

    def judging(what: Steps) -> Callable[[Rule], Rule]:
        return lambda each: replace(each, steps=what) if each.id == "change.key-stays" else each

    old, new = (
        replace(
            reference, pack=replace(reference.pack, rules=tuple(map(judging(each), reference.pack.rules)))
        )
        for each in (Steps(("server",), ("delete",)), steps)
    )
    found = [(each.place, each.was, each.now) for each in weakenings(old, new)]
    assert found == ([("change.key-stays.steps", was, now)] if was else [])


def test_all_steps_have_words() -> None:
    assert steps_words(Steps()) == "what happens to a resource"
