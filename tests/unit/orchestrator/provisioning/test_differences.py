"""Two versions of a resource as differences: by name and value, never a secret."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.provisioning.differences import NOT_YET_KNOWN, REDACTED, property_changes, value_text

RULE = {"name": "web", "port": 80, "protocol": "tcp", "source": "anywhere", "addresses": ["0.0.0.0/0"]}
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


def told(old: dict[str, Any], new: dict[str, Any], **more: Any) -> list[tuple[str, str, Any, Any]]:
    return [(each.path, each.how, each.old, each.new) for each in property_changes(old, new, **more)]


def test_values_are_compared_by_their_names_at_any_depth() -> None:
    old = {"memoryGib": 2.0, "tags": {"owner": "a", "x": "1"}, "keys": ["k1", "k2"], "same": 1}
    new = {"memoryGib": 4.0, "tags": {"owner": "b"}, "keys": ["k2", "k3"], "same": 1}
    assert told(old, new) == [
        ("keys", "remove", "k1", None),
        ("keys", "add", None, "k3"),
        ("memoryGib", "change", "2", "4"),
        ("tags.owner", "change", "a", "b"),
        ("tags.x", "remove", "1", None),
    ]


def test_records_are_compared_by_their_names_and_a_rule_is_a_sentence() -> None:
    db = {**RULE, "name": "db", "source": "web", "port": 5432, "addresses": ["10.0.0.1/32", "10.0.0.2/32"]}
    fewer = {**db, "addresses": ["10.0.0.1/32"]}
    assert told({"rules": [db]}, {"rules": [RULE, fewer]}) == [
        ("rules.db.addresses", "remove", "10.0.0.2/32", None),
        ("rules.web", "add", None, "allow anywhere → 80/tcp"),
    ]


def test_only_what_the_provider_names_and_what_replaces_is_marked() -> None:
    found = property_changes({"a": 1, "b": 1}, {"a": 2, "b": 2}, only=["b[0].x"], replacing=["b"])
    assert [(each.path, each.replaces) for each in found] == [("b", True)]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"password": "hunter2"}, {"password": "hunter3"}),
        ({"user": {"apiToken": "hunter2"}}, {"user": {"apiToken": "hunter3"}}),
        ({"plain": "[secret]"}, {"plain": "hunter3"}),
        ({"plain": {"4dabf18193072939515e22adb298388d": "1b47", "value": "hunter2"}}, {"plain": "hunter3"}),
        ({"list": []}, {"list": [{"name": "x", "private_key": "hunter2"}]}),
        ({}, {"record": {"secretThing": "hunter2", "plain": "[secret]"}}),
    ],
)
def test_a_secret_is_told_as_changed_and_never_shown(old: dict[str, Any], new: dict[str, Any]) -> None:
    found = property_changes(old, new)
    assert found
    assert "hunter" not in str(found)
    assert REDACTED in str(found)


def test_what_is_not_known_yet_says_so_and_nothing_equals_nothing() -> None:
    assert told({"id": "x"}, {"id": UNKNOWN}) == [("id", "change", "x", NOT_YET_KNOWN)]
    assert told({"a": [], "b": None, "c": ""}, {"a": None}) == []


def test_texts_and_lists_are_bounded() -> None:
    assert len(value_text("x" * 5_000)) == 300
    many = property_changes({}, {f"k{number:03}": number for number in range(250)})
    assert (len(many), many[-1].path) == (101, "and 150 more")
