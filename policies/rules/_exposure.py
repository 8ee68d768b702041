"""Reading of firewall rows: which ports, and who from where, with half-known rows told apart."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final

from policies.facts import Facts, MalformedFactError, shown
from policies.model import Finding, Gap, Outcome

Range = IPv4Network | IPv6Network
ANYWHERE: Final = "anywhere"
PRIVATE: Final = tuple(
    ip_network(cidr) for cidr in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
)
_HIGHEST_PORT: Final = 65535
_EXPECTED_SOURCE: Final = "a server group or a range of /{v4} (IPv6 /{v6}) or narrower"


def has_ports(rule: Facts) -> bool:
    """Whether the row is about ports; messages of ICMP have none."""
    return not rule.text("protocol").startswith("icmp")


def span(rule: Facts) -> range:
    """The ports of a row: one, or those up to `toPort`; raises MalformedFactError at what is no port."""
    first = _port(rule, "port")
    last = _port(rule, "toPort") if rule.has("toPort") else first
    if last < first:
        raise MalformedFactError(rule.where("toPort"), f"a port from {first} on", last)
    return range(first, last + 1)


def opened(rule: Facts, ports: AbstractSet[int], protocol: str) -> list[int]:
    """Which of the ports the row opens over the protocol, or over all of them."""
    if not has_ports(rule) or rule.text("protocol") not in (protocol, "all"):
        return []
    among = span(rule)
    return sorted(port for port in ports if port in among)


def public_sources(rule: Facts, what: str, expected: str) -> Iterator[Outcome]:
    """A finding where the row lets in a public address, and a gap where an address is not known."""
    source = rule.text("source")
    if source == ANYWHERE:
        yield Finding(rule.where("source"), f"{what} is open to anywhere", source, expected)
        return
    written = [(rule.where("source"), source)] if "/" in source else []
    known, gaps = rule.known_texts("addresses")
    for place, text in written + known:
        if not is_private(parsed(text, place)):
            yield Finding(place, f"{what} is open to {shown(text)}", text, expected)
            return
    if not written and not rule.has("addresses"):
        raise MalformedFactError(rule.where("addresses"), "the addresses of the group", None)
    # Addresses of a server group are assigned when its servers are made: no preview can know them.
    yield from (Gap(place, settled_at_up=True) for place in gaps)


def wide_sources(rule: Facts, params: Facts, what: str) -> Iterator[Outcome]:
    """Judge the source as written, then each address it stands for: the two may not match."""
    expected = _EXPECTED_SOURCE.format(
        v4=params.whole("widest_prefix_ipv4"), v6=params.whole("widest_prefix_ipv6")
    )
    source = rule.text("source")
    if source == ANYWHERE:
        yield Finding(rule.where("source"), f"{what} is open to anywhere", source, expected)
        return
    written = [(rule.where("source"), source)] if "/" in source else []
    known, gaps = rule.known_texts("addresses")
    for place, text in written + known:
        block = parsed(text, place)
        if block.prefixlen < widest(block, params):
            yield Finding(place, f"{what} is open to {shown(text)}", text, expected)
            return
    if not written and not rule.has("addresses"):
        raise MalformedFactError(rule.where("addresses"), "the addresses of the group", None)
    # Addresses of a server group are assigned when its servers are made: no preview can know them.
    yield from (Gap(place, settled_at_up=True) for place in gaps)


def parsed(text: str, place: str) -> Range:
    """An address range; raises MalformedFactError."""
    try:
        return _network(text)
    except ValueError:
        raise MalformedFactError(place, "an address range", text) from None


@lru_cache(maxsize=4096)
def _network(text: str) -> Range:
    """A fleet writes few ranges, many times, and several rules read each; raises ValueError."""
    return ip_network(text, strict=False)


def inside(block: Range, outer: Range) -> bool:
    """Whether all of a range lies in another one of its family."""
    if isinstance(block, IPv4Network):
        return isinstance(outer, IPv4Network) and block.subnet_of(outer)
    return isinstance(outer, IPv6Network) and block.subnet_of(outer)


def is_private(block: Range) -> bool:
    """Whether all of a range is for private networks."""
    return any(inside(block, private) for private in PRIVATE)


def widest(block: Range, params: Facts) -> int:
    """The shortest prefix allowed for the family."""
    return params.whole("widest_prefix_ipv4" if isinstance(block, IPv4Network) else "widest_prefix_ipv6")


def listed(ports: list[int]) -> str:
    """`3306, 5432 and 4 more`."""
    most = 3
    text = ", ".join(str(port) for port in ports[:most])
    return f"{text} and {len(ports) - most} more" if len(ports) > most else text


def _port(rule: Facts, key: str) -> int:
    port = rule.whole(key)
    if not 1 <= port <= _HIGHEST_PORT:
        raise MalformedFactError(rule.where(key), "a port from 1 to 65535", port)
    return port
