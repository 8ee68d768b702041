"""The outer firewall of a server: table `inet steward_edge`, written as one nft transaction."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from ipaddress import IPv4Network
from typing import Any

PATH = "/etc/steward/edge.nft"
TABLE = "inet steward_edge"
_LONGEST = 600
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}")

# Made, deleted and made again in one file: nft applies a file as one transaction, so there is no moment
# without rules, and the tables of others (steward_host, Docker, a person's own) are never touched.
_TEMPLATE = """\
table inet steward_edge {{}}
delete table inet steward_edge
table inet steward_edge {{
  chain input {{
    type filter hook input priority filter - 10; policy drop;
    iif "lo" accept
    ct state established,related accept
    ct state invalid drop
    meta l4proto {{ 1, 58 }} accept comment "icmp and its IPv6 sibling: a minimal host has no protocol names"
    ip saddr {gateway} tcp dport 22 accept comment "ssh from the control machine"
{rules}  }}
  chain forward {{
    type filter hook forward priority filter - 10; policy drop;
  }}
}}
"""


def render(gateway: str, rules: Iterable[Mapping[str, Any]] = ()) -> str:
    """The nft file for these rules; the same rules in another order give the same text."""
    lines = sorted(f"    {_line(rule)}\n" for rule in rules)
    return _TEMPLATE.format(gateway=gateway, rules="".join(lines))


def digest(text: str) -> str:
    """SHA-256 of the rendered file, in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def difference(before: str, after: str) -> str:
    """What is missing from a listed table and what was added to it, in nft's words; '' when nothing is."""
    old, new = (dict.fromkeys(line.strip() for line in text.splitlines()) for text in (before, after))
    if before == after:
        return ""
    if TABLE not in after:
        return f"table {TABLE} is gone"
    missing = [f"without `{line}`" for line in old if line not in new]
    added = [f"with `{line}`" for line in new if line not in old]
    return ", ".join([*missing, *added])[:_LONGEST] or "in another order"


def rule_problems(rule: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What is wrong with one rule, as (property, sentence): nothing unchecked may reach the nft file."""
    found = []
    if not _NAME.fullmatch(str(rule.get("name", ""))):
        found.append(("name", f"must be letters, digits, ' ._-', at most 64, got {rule.get('name')!r}."))
    if rule.get("protocol") not in ("tcp", "udp"):
        found.append(("protocol", f"must be tcp or udp, got {rule.get('protocol')!r}."))
    port = rule.get("port")
    if not isinstance(port, int) or not 1 <= port <= 65535:
        found.append(("port", f"must be from 1 to 65535, got {port!r}."))
    if not rule.get("addresses"):
        found.append(("addresses", "must name at least one network; 0.0.0.0/0 stands for anywhere."))
    for address in rule.get("addresses") or []:
        try:
            IPv4Network(address)
        except ValueError as error:
            found.append(("addresses", f"holds no IPv4 network: {error}."))
    return found


def _line(rule: Mapping[str, Any]) -> str:
    networks = sorted({IPv4Network(address) for address in rule["addresses"]})
    source = "meta nfproto ipv4 "  # anywhere is 0.0.0.0/0: no fleet speaks IPv6, so nothing is open to it
    if not any(network.prefixlen == 0 for network in networks):
        source = f"ip saddr {{ {', '.join(str(network) for network in _merged(networks))} }} "
    return f'{source}{rule["protocol"]} dport {rule["port"]} accept comment "{rule["name"]}"'


def _merged(networks: list[IPv4Network]) -> list[IPv4Network]:
    """Without networks that lie inside another one: nft refuses overlapping intervals."""
    return [one for one in networks if not any(one != other and one.subnet_of(other) for other in networks)]
