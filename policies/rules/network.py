"""Who may reach what: firewall sources and network ranges."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final

from policies.facts import Facts, MalformedFactError, shown
from policies.model import Finding, Gap, Outcome, Subject, each

Range = IPv4Network | IPv6Network
_ANYWHERE: Final = "anywhere"
_HIGHEST_PORT: Final = 65535
_EXPECTED_SOURCE: Final = "a server group or a range of /{v4} (IPv6 /{v6}) or narrower"
_PRIVATE: Final = tuple(
    ip_network(cidr) for cidr in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
)


def ssh_not_public(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """SSH accepts no source wider than the profile's."""
    ports = _ports(params, "ssh_ports")

    def judge(rule: Facts) -> Iterator[Outcome]:
        port = _port(rule)
        if port in ports and rule.text("protocol") == "tcp":
            yield from _wide_sources(rule, params, f"SSH ({port}/tcp)")

    yield from each(subject.facts.rows("rules"), judge)


def sources_not_too_wide(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """No port but the public ones accepts a source wider than the profile's; SSH has its own rule."""
    exempt = _ports(params, "public_ports") | _ports(params, "ports_with_own_rule")

    def judge(rule: Facts) -> Iterator[Outcome]:
        port, protocol = _port(rule), rule.text("protocol")
        # The exemptions are for TCP: 443/udp or 22/udp open to the world is a decision somebody has to make.
        if not (port in exempt and protocol == "tcp"):
            yield from _wide_sources(rule, params, f"port {port}/{shown(protocol)}")

    yield from each(subject.facts.rows("rules"), judge)


def private_range(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """A network lies in a private range and is no wider than the profile allows."""
    place, text = subject.facts.where("cidr"), subject.facts.text("cidr")
    block = _range(text, place)
    widest = _widest(block, params)
    if not any(_inside(block, private) for private in _PRIVATE):
        yield Finding(
            place, f"{shown(text)} is not a private range", text, "10/8, 172.16/12, 192.168/16 or fc00::/7"
        )
    if block.prefixlen < widest:
        yield Finding(place, f"{shown(text)} is too wide", text, f"/{widest} or narrower")


def _wide_sources(rule: Facts, params: Facts, what: str) -> Iterator[Outcome]:
    """Judge the source as written, then each address it stands for: the two may not match."""
    expected = _EXPECTED_SOURCE.format(
        v4=params.whole("widest_prefix_ipv4"), v6=params.whole("widest_prefix_ipv6")
    )
    source = rule.text("source")
    if source == _ANYWHERE:
        yield Finding(rule.where("source"), f"{what} is open to anywhere", source, expected)
        return
    written = [(rule.where("source"), source)] if "/" in source else []
    known, gaps = rule.known_texts("addresses")
    for place, text in written + known:
        block = _range(text, place)
        if block.prefixlen < _widest(block, params):
            yield Finding(place, f"{what} is open to {shown(text)}", text, expected)
            return
    if not written and not rule.has("addresses"):
        raise MalformedFactError(rule.where("addresses"), "the addresses of the group", None)
    # Addresses of a server group are assigned when its servers are made: no preview can know them.
    yield from (Gap(place, settled_at_up=True) for place in gaps)


def _port(rule: Facts) -> int:
    port = rule.whole("port")
    if not 1 <= port <= _HIGHEST_PORT:
        raise MalformedFactError(rule.where("port"), "a port from 1 to 65535", port)
    return port


def _ports(params: Facts, key: str) -> frozenset[int]:
    return frozenset(params.wholes(key))


def _range(text: str, place: str) -> Range:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        raise MalformedFactError(place, "an address range", text) from None


def _inside(block: Range, outer: Range) -> bool:
    if isinstance(block, IPv4Network):
        return isinstance(outer, IPv4Network) and block.subnet_of(outer)
    return isinstance(outer, IPv6Network) and block.subnet_of(outer)


def _widest(block: Range, params: Facts) -> int:
    """The shortest prefix allowed for the family."""
    return params.whole("widest_prefix_ipv4" if isinstance(block, IPv4Network) else "widest_prefix_ipv6")
