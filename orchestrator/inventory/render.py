"""Inventory to Ansible's YAML. Every mapping of values is `!unsafe`: Ansible shows them and never runs them.

The tag stands at the mapping and not at each string, because Ansible reads a tagged string anew: "no" would
become false, "0177" a number and "" nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from orchestrator.inventory.model import Inventory, InventoryHost


class _Unsafe(dict[str, Any]):
    """Variables with texts in them that came from a fleet, an output or a host."""


class _Text(str):
    """A value, as opposed to a key: keys are names we chose."""

    __slots__ = ()


class _Dumper(yaml.CSafeDumper):
    """Writes values in quotes, so that each stays the text that it is."""


def _represent_unsafe(dumper: _Dumper, value: _Unsafe) -> yaml.MappingNode:
    return dumper.represent_mapping("!unsafe", value)


def _represent_text(dumper: _Dumper, value: _Text) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", str(value), style='"')


_Dumper.add_representer(_Unsafe, _represent_unsafe)
_Dumper.add_representer(_Text, _represent_text)
_Dumper.ignore_aliases = lambda *_: True  # type: ignore[method-assign]  # repeated values stay written out


def render_hosts(inventory: Inventory) -> str:
    """The inventory without secrets: all hosts, their groups and variables."""
    groups: dict[str, Any] = {}
    for host in inventory.hosts:
        for group in host.groups:
            groups.setdefault(group, {"hosts": {}})["hosts"][host.name] = {}
    document = {
        "all": {
            "vars": unsafe(inventory.shared),
            "hosts": {host.name: unsafe(host.variables) for host in inventory.hosts},
            "children": groups,
        }
    }
    return _text(document)


def render_secrets(inventory: Inventory) -> str:
    """The secret variables of each host, for a file that lives as long as the play."""
    return _text({"all": {"hosts": {host.name: unsafe(host.secrets) for host in _secretive(inventory)}}})


def _secretive(inventory: Inventory) -> list[InventoryHost]:
    return [host for host in inventory.hosts if host.secrets]


def unsafe(variables: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same variables, as the writer marks them."""
    return _Unsafe({name: _quoted(value) for name, value in variables.items()})


def _quoted(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _quoted(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_quoted(item) for item in value]
    return _Text(value) if isinstance(value, str) else value


def _text(document: Mapping[str, Any]) -> str:
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=False, width=1_000)
