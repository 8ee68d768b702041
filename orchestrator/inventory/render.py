"""Inventory to Ansible's YAML. Every string is tagged `!unsafe`: Ansible shows it, and never runs it as a template."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from orchestrator.inventory.model import Inventory, InventoryHost


class _Unsafe(str):
    """Text that came from a fleet, an output or a host."""

    __slots__ = ()


class _Dumper(yaml.CSafeDumper):
    """Writes our own text as `!unsafe`; keys are names we chose and stay plain."""


def _represent(dumper: _Dumper, value: _Unsafe) -> yaml.ScalarNode:
    return dumper.represent_scalar("!unsafe", str(value), style='"')


_Dumper.add_representer(_Unsafe, _represent)
_Dumper.ignore_aliases = lambda *_: True  # type: ignore[method-assign]  # repeated values stay written out


def render_hosts(inventory: Inventory) -> str:
    """The inventory without secrets: all hosts, their groups and variables."""
    groups: dict[str, Any] = {}
    for host in inventory.hosts:
        for group in host.groups:
            groups.setdefault(group, {"hosts": {}})["hosts"][host.name] = {}
    document = {
        "all": {
            "vars": marked(inventory.shared),
            "hosts": {host.name: marked(host.variables) for host in inventory.hosts},
            "children": groups,
        }
    }
    return _text(document)


def render_secrets(inventory: Inventory) -> str:
    """The secret variables of each host, for a file that lives as long as the play."""
    return _text({"all": {"hosts": {host.name: marked(host.secrets) for host in _secretive(inventory)}}})


def _secretive(inventory: Inventory) -> list[InventoryHost]:
    return [host for host in inventory.hosts if host.secrets]


def marked(value: Any) -> Any:
    """The same value with every string in it marked as unsafe."""
    if isinstance(value, Mapping):
        return {str(key): marked(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [marked(item) for item in value]
    return _Unsafe(value) if isinstance(value, str) else value


def _text(document: Mapping[str, Any]) -> str:
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=False, width=1_000)
