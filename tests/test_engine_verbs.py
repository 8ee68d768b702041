"""Every verb that can drive the engine is one whose changes the history rule knows, read from the code.

A verb is followed from its command through all that it imports from `pipelines` and `phases`, down to the
provisioner's calls that write Pulumi's history.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

from policies.subjects import history

ROOT = Path(__file__).parents[1] / "orchestrator"
ROOMS = ("cli", "pipelines", "phases")
WRITES = {"up": "update", "destroy": "destroy"}
"""Calls of the provisioner that leave an entry in the engine's history, and of which kind."""

Place = tuple[str, str]
"""Module and function."""


@cache
def functions() -> Mapping[Place, ast.FunctionDef]:
    """Every function of the rooms."""
    return {
        (module, node.name): node
        for module, tree in trees().items()
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
    }


@cache
def trees() -> Mapping[str, ast.Module]:
    return {
        f"orchestrator.{room}.{path.stem}": ast.parse(path.read_text())
        for room in ROOMS
        for path in sorted((ROOT / room).glob("*.py"))
    }


def imported(tree: ast.AST) -> dict[str, tuple[str, str]]:
    """What each name stands for: (module, name in it)."""
    return {
        alias.asname or alias.name: (node.module or "", alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def mentioned(place: Place) -> Iterator[Place]:
    """The functions that one names, called or handed on."""
    module, node = place[0], functions()[place]
    known = imported(trees()[module])
    for each in ast.walk(node):
        if isinstance(each, ast.Name):
            yield known.get(each.id, (module, each.id))
        elif isinstance(each, ast.Attribute) and isinstance(each.value, ast.Name) and each.value.id in known:
            yield ".".join(known[each.value.id]), each.attr


def written(place: Place) -> set[str]:
    """The kinds of history entries that a function and all that it leads to can make."""
    found, seen, todo = set[str](), set[Place](), [place]
    while todo:
        here = todo.pop()
        if here in seen or here not in functions():
            continue
        seen.add(here)
        todo += mentioned(here)
        for each in ast.walk(functions()[here]):
            if isinstance(each, ast.Attribute) and each.attr in WRITES:
                owner = each.value
                name = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
                found |= {WRITES[each.attr]} if name == "provisioner" else set()
    return found


def verbs() -> dict[str, Place]:
    """The verb of every run, by the command that begins it: a constant that it hands to `begin_run`."""
    found: dict[str, Place] = {}
    for place, node in functions().items():
        if not place[0].startswith("orchestrator.cli."):
            continue
        for call in (each for each in ast.walk(node) if isinstance(each, ast.Call)):
            name = getattr(call.func, "id", "")
            words = [each.value for each in call.args if isinstance(each, ast.Constant)]
            if name in begins() and words:
                found[str(words[0])] = place
    return found


@cache
def begins() -> set[str]:
    """`begin_run`, and what hands its own argument on to it."""
    handing = {
        place[1]
        for place, node in functions().items()
        for call in ast.walk(node)
        if isinstance(call, ast.Call)
        and getattr(call.func, "id", "") == "begin_run"
        and not any(isinstance(each, ast.Constant) for each in call.args)
    }
    return {"begin_run", *handing}


def test_the_verbs_are_found() -> None:
    """Else the next test would be about nothing."""
    assert {"up", "destroy", "rotate ssh", "rotate repository", "patch", "repin", "backup restore"} <= set(
        verbs()
    )
    assert written(verbs()["up"]) == {"update"}
    assert written(verbs()["destroy"]) == {"destroy"}
    assert written(verbs()["backup status"]) == set()


@pytest.mark.parametrize("verb", sorted(verbs()))
def test_a_verb_that_drives_the_engine_is_a_run_of_its_changes(verb: str) -> None:
    for kind in written(verbs()[verb]):
        assert verb in history.VERBS[kind], (
            f"add {verb!r} to the verbs of {kind!r} in policies/subjects/history.py"
        )


@pytest.mark.parametrize("kind", sorted(set(WRITES.values())))
def test_no_verb_is_excused_that_drives_no_engine(kind: str) -> None:
    makes = {verb for verb, place in verbs().items() if kind in written(place)}
    assert set(history.VERBS[kind]) == makes
