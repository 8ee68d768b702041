"""Inventory to Ansible's YAML. Every mapping of values is `!unsafe`: Ansible shows them and never runs them.

The tag stands at the mapping and not at each string, because Ansible reads a tagged string anew: "no" would
become false, "0177" a number and "" nothing. Written here and not by a library: in a fleet of a thousand
servers that took nine of ten seconds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from orchestrator.inventory.model import Inventory, InventoryHost

_SHORTEST_REPEATED = 4
"""A shorter list reads better where it stands."""
_ESCAPED = re.compile(r'[^\x20-\x7e]|["\\]')

_Seen = dict[tuple[str, ...], str]
"""Lists of texts that were written before, by the anchor that they have: mostly addresses of a group."""


def render_hosts(inventory: Inventory) -> str:
    """The inventory without secrets: all hosts, their groups and variables."""
    seen: _Seen = {}
    groups: dict[str, list[str]] = {}
    for host in inventory.hosts:
        for group in host.groups:
            groups.setdefault(group, []).append(host.name)
    lines = ["all:", f"  vars: {_unsafe(inventory.shared, seen, '    ')}", "  hosts:"]
    lines += [
        f"    {_text(host.name)}: {_unsafe(host.variables, seen, '      ')}" for host in inventory.hosts
    ]
    lines += ["  children:"] if groups else []
    for group, names in groups.items():
        lines += [f"    {_text(group)}:", "      hosts:", *(f"        {_text(name)}: {{}}" for name in names)]
    return "\n".join(lines) + "\n"


def render_secrets(inventory: Inventory) -> str:
    """The secret variables of each host, for a file that lives as long as the play."""
    seen: _Seen = {}
    hosts = [
        f"    {_text(host.name)}: {_unsafe(host.secrets, seen, '      ')}" for host in _secretive(inventory)
    ]
    return "\n".join(["all:", "  hosts:" if hosts else "  hosts: {}", *hosts]) + "\n"


def _secretive(inventory: Inventory) -> list[InventoryHost]:
    return [host for host in inventory.hosts if host.secrets]


def _unsafe(variables: Mapping[str, Any], seen: _Seen, indent: str) -> str:
    """Variables, one a line, under the tag that keeps them from being run."""
    if not variables:
        return "!unsafe {}"
    lines = (f"{indent}{_text(str(name))}: {_flow(value, seen)}" for name, value in variables.items())
    return "\n".join(["!unsafe", *lines])


def _flow(value: Any, seen: _Seen) -> str:
    """A value on one line; texts in quotes, so that each stays the text that it is."""
    match value:
        case str():
            return _text(value)
        case None | bool():
            return {None: "null", True: "true", False: "false"}[value]
        case int():
            return str(int(value))
        case float():
            return _float(value)
        case Mapping():
            pairs = (f"{_text(str(key))}: {_flow(item, seen)}" for key, item in value.items())
            return "{" + ", ".join(pairs) + "}"
        case list() | tuple():
            return _list(value, seen)
        case _:
            raise TypeError(f"{type(value).__name__} is no value of an inventory")


def _list(value: list[Any] | tuple[Any, ...], seen: _Seen) -> str:
    if len(value) < _SHORTEST_REPEATED or not all(type(item) is str for item in value):
        return "[" + ", ".join(_flow(item, seen) for item in value) + "]"
    texts = tuple(value)
    if texts in seen:
        return f"*{seen[texts]}"
    seen[texts] = f"l{len(seen)}"
    return f"&{seen[texts]} [" + ", ".join(map(_text, texts)) + "]"


def _text(value: str) -> str:
    """A text in double quotes, in ASCII."""
    return f'"{_ESCAPED.sub(_escape, value)}"' if _ESCAPED.search(value) else f'"{value}"'


def _escape(match: re.Match[str]) -> str:
    char = match[0]
    if char in '"\\':
        return f"\\{char}"
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _float(value: float) -> str:
    """Readers of YAML 1.1 want the point, also before an exponent."""
    text = repr(float(value))
    mantissa, exponent, power = text.partition("e")
    return {"inf": ".inf", "-inf": "-.inf", "nan": ".nan"}.get(text) or (
        f"{mantissa}{'' if '.' in mantissa else '.0'}{exponent}{power}"
    )
