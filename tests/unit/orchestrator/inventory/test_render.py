"""Texts planted in an inventory come out of the real Ansible as the same texts, and nothing of them runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.inventory.build import Binaries, RepositoryAccess, build_inventory
from orchestrator.inventory.model import Inventory, InventoryHost
from orchestrator.inventory.render import render_hosts, render_secrets
from tests.unit.orchestrator.samples import fleet, outputs


def planted(value: Any, text: str) -> Any:
    """The same shape with the text in place of every string."""
    if isinstance(value, Mapping):
        return {key: planted(item, text) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [planted(item, text) for item in value]
    return text if isinstance(value, str) else value


def inventory_of(text: str, name: str) -> Inventory:
    """An inventory as the orchestrator builds it, with the text in every string leaf; one host is enough."""
    access = RepositoryAccess("u", "x", "PEM", "h", "p")
    made = build_inventory(
        fleet(), outputs(), "RUN", Binaries(Path("/r"), Path("/s")), dict.fromkeys(("web-1", "db-1"), access)
    )
    host = made.hosts[-1]
    variables = {**planted({**made.shared, **host.variables}, text), "nested": {"deep": [{"list": [text]}]}}
    renamed = host.model_copy(
        update={
            "name": name,
            "variables": {
                **variables,
                "planted_name": name,
                "names": [*variables, *host.secrets, "planted_name"],
            },
            "secrets": planted(host.secrets, text),
        }
    )
    return Inventory(hosts=[renamed], shared=planted(made.shared, text))


def test_variables_are_tagged_and_every_value_in_them_is_quoted() -> None:
    document = yaml.compose(render_hosts(inventory_of("no", "host-1")))
    assert document is not None
    (_, everything) = document.value[0]
    parts = {key.value: value for key, value in everything.value}
    (_, variables) = parts["hosts"].value[0]
    assert parts["vars"].tag == variables.tag == "!unsafe"

    def check(node: yaml.Node) -> int:
        if isinstance(node, yaml.MappingNode):
            return sum(check(value) for _, value in node.value)
        if isinstance(node, yaml.SequenceNode):
            return sum(check(item) for item in node.value)
        assert isinstance(node, yaml.ScalarNode)
        assert node.tag.rsplit(":", 1)[-1] in ("str", "int", "bool"), node
        assert node.tag.endswith(":str") == (node.style == '"'), node
        return 1

    assert check(parts["vars"]) == 5
    assert check(variables) > 20


def test_secrets_are_only_in_their_own_document() -> None:
    inventory = inventory_of("s3cret", "host-1")
    host = inventory.hosts[0].model_copy(update={"variables": {"open": "x"}})
    apart = Inventory(hosts=[host], shared={})
    assert "s3cret" not in render_hosts(apart)
    assert "s3cret" in render_secrets(apart)


def test_numbers_and_truth_stay_what_they_are() -> None:
    values = {"a": 1, "b": True, "c": None, "d": [0.5]}
    host = InventoryHost(name="h", groups=[], variables=values)
    text = render_hosts(Inventory(hosts=[host], shared={})).replace("!unsafe", "")
    assert yaml.safe_load(text)["all"]["hosts"]["h"] == values


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda below: st.lists(below, max_size=5) | st.dictionaries(TEXTS, below, max_size=3),
    max_leaves=8,
)


@settings(deadline=None)
@given(st.lists(st.dictionaries(TEXTS, VALUES, max_size=4), max_size=3))
def test_whatever_the_values_are_they_are_read_as_they_were(rows: list[dict[str, Any]]) -> None:
    hosts = [InventoryHost(name=f"h{n}", groups=[], variables=row) for n, row in enumerate(rows)]
    text = render_hosts(Inventory(hosts=hosts, shared={})).replace(": !unsafe", ":")
    assert text.isascii()
    read = yaml.load(text, Loader=yaml.CSafeLoader)["all"]["hosts"] or {}
    assert read == {host.name: host.variables for host in hosts}
