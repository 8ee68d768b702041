"""Networks, firewalls and load balancers of Amazon in neutral words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from policies.facts import UNKNOWN, Unknown
from policies.subjects.aws_words import ELSEWHERE, Inputs, or_else, records, when_known, within

_EVERYWHERE: Final = ("0.0.0.0/0", "::/0")
_ALL_PROTOCOLS: Final = ("-1", "all")
_NUMBERED: Final = {"6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6"}
_HIGHEST_PORT: Final = 65535


def network(inputs: Inputs) -> dict[str, object]:
    """A VPC is a private range, as a local network is."""
    return {"cidr": or_else(inputs.get("cidrBlock"), Unknown("an address pool chooses the range"))}


def subnet(inputs: Inputs) -> dict[str, object]:
    """A slice of a network, which decides whether its servers get public addresses."""
    return {
        "cidr": inputs.get("cidrBlock"),
        "publicAddress": or_else(inputs.get("mapPublicIpOnLaunch"), default=False),
    }


def firewall(inputs: Inputs) -> dict[str, object]:
    """A security group with the rules that stand in it."""
    return {
        "rules": _rows(inputs.get("ingress"), "source"),
        "egress": _rows(inputs.get("egress"), "target"),
    }


def one_rule(inputs: Inputs) -> dict[str, object]:
    """A rule beside its group, in or out by `type`."""
    way = inputs.get("type")
    if isinstance(way, Unknown):
        return {"rules": way, "egress": way}
    if way == "egress":
        return {"rules": [], "egress": list(_row(inputs, "target"))}
    return {"rules": list(_row(inputs, "source")), "egress": []}


def ingress_rule(inputs: Inputs) -> dict[str, object]:
    """A rule of the newer kind, inwards."""
    return {"rules": list(_row(_older(inputs), "source")), "egress": []}


def egress_rule(inputs: Inputs) -> dict[str, object]:
    """A rule of the newer kind, outwards."""
    return {"rules": [], "egress": list(_row(_older(inputs), "target"))}


def load_balancer(inputs: Inputs) -> dict[str, object]:
    """A load balancer; its listeners are resources of their own."""
    return {
        "publicAddress": when_known(inputs.get("internal"), lambda internal: not internal),
        "listeners": ELSEWHERE,
        "terminationProtection": or_else(inputs.get("enableDeletionProtection"), default=False),
    }


def listener(inputs: Inputs) -> dict[str, object]:
    """One port of a load balancer, and whether it only sends callers to an encrypted one."""
    protocol = within(inputs, "defaultActions", "redirect", "protocol")
    return {
        "port": inputs.get("port"),
        "protocol": when_known(inputs.get("protocol"), lambda told: str(told or "HTTP").lower()),
        "redirectsTo": when_known(protocol, lambda told: str(told or "").lower()),
    }


def _rows(found: Any, side: str) -> object:
    if isinstance(found, Unknown):
        return found
    every = found if isinstance(found, list) else [] if found is None else [found]
    return [row for rule in every for row in _row(rule, side)]


def _row(rule: Any, side: str) -> Iterator[object]:
    """One row a source, as the local firewall has them."""
    if not isinstance(rule, dict):
        yield rule if isinstance(rule, Unknown) else UNKNOWN
        return
    ports = _ports(rule)
    for source, addresses in _sources(rule):
        label = source if isinstance(source, str) else "unknown"
        shape = "-".join(str(ports[key]) for key in ("port", "protocol"))
        name = f"{label.replace('/', '_').replace('.', '_').replace(' ', '_')}-{shape}"
        yield {"name": name, **ports, side: source, "addresses": addresses}


def _sources(rule: Inputs) -> Iterator[tuple[object, object]]:
    for key in ("cidrBlocks", "ipv6CidrBlocks"):
        for block in records(rule, key):
            yield ("anywhere" if block in _EVERYWHERE else block), [block]
    groups = rule.get("securityGroups") or rule.get("sourceSecurityGroupId")
    if groups:
        yield "a security group", []
    if rule.get("self"):
        yield "itself", []
    for prefix_list in records(rule, "prefixListIds"):
        yield "a prefix list", [Unknown(f"prefix list {prefix_list} is kept outside of the stack")]


def _ports(rule: Inputs) -> dict[str, object]:
    protocol = when_known(rule.get("protocol"), lambda told: str(told or "").lower())
    if protocol in _ALL_PROTOCOLS:
        return {"port": 1, "toPort": _HIGHEST_PORT, "protocol": "all"}
    protocol = _NUMBERED.get(str(protocol), protocol)
    if str(protocol).startswith("icmp"):
        return {"port": 0, "protocol": protocol}  # the numbers are types of messages, not ports
    first, last = rule.get("fromPort"), rule.get("toPort")
    first = 1 if first == 0 and last not in (0, None) else first
    return {"port": first, "protocol": protocol} | ({"toPort": last} if last not in (None, first) else {})


def _older(inputs: Inputs) -> Inputs:
    """The newer rule in the words of the older one."""
    lists = {"cidrIpv4": "cidrBlocks", "cidrIpv6": "ipv6CidrBlocks", "prefixListId": "prefixListIds"}
    older: dict[str, Any] = {old: [inputs[new]] for new, old in lists.items() if inputs.get(new) is not None}
    return {
        **{key: inputs.get(key) for key in ("fromPort", "toPort")},
        "protocol": inputs.get("ipProtocol"),
        "sourceSecurityGroupId": inputs.get("referencedSecurityGroupId"),
        **older,
    }
