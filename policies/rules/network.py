"""Who may reach what: firewall sources and ports, network ranges, ways out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from policies.facts import Facts, MalformedFactError, UnknownFactError, shown
from policies.model import Finding, Gap, NotApplicable, Outcome, Subject, SubjectCheck, each
from policies.rules._exposure import (
    ANYWHERE,
    Range,
    has_ports,
    inside,
    is_private,
    listed,
    opened,
    parsed,
    public_sources,
    span,
    wide_sources,
    widest,
)

_MOST_NEIGHBOURS: Final = 3
"""That are named of a network: a thousand equal ranges make no million findings."""
_PRIVATE_ONLY: Final = "a server group or a private range"


def ssh_not_public(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """SSH accepts no source wider than the profile's."""
    ports = _ports(params, "ssh_ports")

    def judge(rule: Facts) -> Iterator[Outcome]:
        for port in opened(rule, ports, "tcp"):
            yield from wide_sources(rule, params, f"SSH ({port}/tcp)")

    yield from each(subject.facts.rows("rules"), judge)


def sources_not_too_wide(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """No port but the public ones accepts a source wider than the profile's; SSH has its own rule."""
    exempt = _ports(params, "public_ports") | _ports(params, "ports_with_own_rule")

    def judge(rule: Facts) -> Iterator[Outcome]:
        if not has_ports(rule):
            return
        ports, protocol = span(rule), rule.text("protocol")
        # The exemptions are for TCP: 443/udp or 22/udp open to the world is a decision somebody has to make.
        if protocol == "tcp" and len(ports) <= len(exempt) and exempt.issuperset(ports):
            return
        named = f"port {ports[0]}" if len(ports) == 1 else f"ports {ports[0]} to {ports[-1]}"
        yield from wide_sources(rule, params, f"{named}/{shown(protocol)}")

    yield from each(subject.facts.rows("rules"), judge)


def private_range(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """A network lies in a private range and is no wider than the profile allows."""
    place, text = subject.facts.where("cidr"), subject.facts.text("cidr")
    block = parsed(text, place)
    shortest = widest(block, params)
    if not is_private(block):
        yield Finding(
            place, f"{shown(text)} is not a private range", text, "10/8, 172.16/12, 192.168/16 or fc00::/7"
        )
    if block.prefixlen < shortest:
        yield Finding(place, f"{shown(text)} is too wide", text, f"/{shortest} or narrower")


def databases_not_public(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """No public address reaches a port that databases listen on, however narrow its range is."""
    yield from _closed_to_public(subject, _ports(params, "database_ports"), "tcp", "the database port")


def admin_ports_not_public(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """No public address reaches remote desktops and the consoles of machines, containers and clusters."""
    yield from _closed_to_public(subject, _ports(params, "admin_ports"), "tcp", "the admin port")


def udp_amplifiers_not_public(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """No public address reaches a UDP service that answers more than it is asked."""
    yield from _closed_to_public(subject, _ports(params, "amplifier_ports"), "udp", "the amplifying port")


def clear_text_ports_closed(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """Nobody is let in to a protocol that sends passwords in clear."""
    ports = _ports(params, "clear_text_ports")

    def judge(rule: Facts) -> Iterator[Outcome]:
        for port in opened(rule, ports, "tcp"):
            yield Finding(
                rule.where("port"),
                f"port {port}/tcp speaks in clear text",
                f"open to {shown(rule.text('source'))}",
                "a protocol that encrypts",
            )

    yield from each(subject.facts.rows("rules"), judge)


def port_ranges_narrow(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """A rule opens no more neighbouring ports than the profile allows."""
    most = params.whole("max_ports")

    def judge(rule: Facts) -> Iterator[Outcome]:
        if not has_ports(rule):
            return
        ports = span(rule)
        if len(ports) > most:
            seen = f"{ports[0]} to {ports[-1]}"
            yield Finding(rule.where("toPort"), f"opens {len(ports)} ports at once", seen, f"at most {most}")

    yield from each(subject.facts.rows("rules"), judge)


def protocol_is_named(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """A rule is for one protocol that the profile knows, never for all of them."""
    known = params.texts("protocols")

    def judge(rule: Facts) -> Iterator[Outcome]:
        protocol = rule.text("protocol")
        if protocol not in known:
            expected = " or ".join(known)
            yield Finding(rule.where("protocol"), f"lets in {shown(protocol)}", shown(protocol), expected)

    yield from each(subject.facts.rows("rules"), judge)


def families_alike(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """IPv6 opens nothing to anywhere that IPv4 does not."""
    open_to: dict[int, set[tuple[int, int, str]]] = defaultdict(set)
    wide: list[tuple[str, str, tuple[int, int, str]]] = []

    def judge(rule: Facts) -> Iterator[Outcome]:
        known, gaps = rule.known_texts("addresses")
        if not has_ports(rule):
            return
        ports = span(rule)
        what = (ports[0], ports[-1], rule.text("protocol"))
        for place, text in known:
            block = parsed(text, place)
            if block.prefixlen == 0:
                open_to[block.version].add(what)
                if block.version == 6:
                    wide.append((place, text, what))
        yield from (Gap(place, settled_at_up=True) for place in gaps)

    yield from each(subject.facts.rows("rules"), judge)
    for place, text, (first, last, protocol) in wide:
        if (first, last, protocol) not in open_to[4]:
            named = f"port {first}" if first == last else f"ports {first} to {last}"
            yield Finding(
                place, f"{named}/{protocol} is open to all of IPv6 alone", text, "the same sources as IPv4"
            )


def egress_is_named(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """Servers may call anywhere on the ports that the profile names, and on no others."""
    if not subject.facts.has("egress"):
        yield NotApplicable("the provider registers no outgoing rules")
        return
    allowed = _ports(params, "ports_to_anywhere")

    def judge(rule: Facts) -> Iterator[Outcome]:
        if rule.text("target") != ANYWHERE or not has_ports(rule):
            return
        ports = span(rule)
        if rule.text("protocol") == "all" or len(ports) > len(allowed) or not allowed.issuperset(ports):
            seen = f"{ports[0]} to {ports[-1]}/{shown(rule.text('protocol'))}"
            expected = f"named targets, or only the ports {listed(sorted(allowed))}"
            yield Finding(rule.where("target"), f"may call anywhere on {seen}", seen, expected)

    yield from each(subject.facts.rows("egress"), judge)


def published_ports_are_public(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """A server publishes outside of its network only what the profile lets be public."""
    if not subject.facts.has("publish"):
        yield NotApplicable("the provider publishes no ports; firewalls decide")
        return
    public = _ports(params, "public_ports")

    def judge(row: Facts) -> Iterator[Outcome]:
        port = row.whole("port")
        if port not in public:
            yield Finding(
                row.where("port"), f"publishes port {port}", str(port), f"one of {listed(sorted(public))}"
            )

    yield from each(subject.facts.rows("publish"), judge)


def balancer_encrypts(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """A load balancer speaks HTTP only to send callers to HTTPS."""

    def judge(row: Facts) -> Iterator[Outcome]:
        if row.text("protocol") == "http" and row.text_or_none("redirectsTo") != "https":
            seen = f"http on port {row.whole('port')}"
            yield Finding(row.where("protocol"), "answers in clear text", seen, "https, or a redirect to it")

    yield from each(subject.facts.rows("listeners"), judge)


def ranges_do_not_overlap(stack: Sequence[Subject]) -> SubjectCheck:
    """No two networks of a stack share an address."""
    shared, gaps = _overlaps([item for item in stack if item.type == "network"])

    def check(subject: Subject, _params: Facts) -> Iterator[Outcome]:
        own = parsed(subject.facts.text("cidr"), "cidr")
        for other, block in shared[subject.urn]:
            seen = f"{own} and {block} of {shown(other.name)}"
            yield Finding("cidr", f"shares addresses with {shown(other.name)}", seen, "ranges that are apart")
        yield from (gap for urn, gap in gaps if urn != subject.urn)

    return check


def _overlaps(
    networks: Sequence[Subject],
) -> tuple[Mapping[str, list[tuple[Subject, Range]]], Sequence[tuple[str, Gap]]]:
    """Who meets whom, in one pass: ranges are nested or apart, so those still open hold the next one."""
    blocks: list[tuple[Subject, Range]] = []
    gaps: list[tuple[str, Gap]] = []
    for subject in networks:
        try:
            blocks.append((subject, parsed(subject.facts.text("cidr"), "cidr")))
        except UnknownFactError as gap:
            place = f"{shown(subject.name)}: {gap.path}"
            gaps.append((subject.urn, Gap(place, gap.settled_at_up, gap.reason)))
        except MalformedFactError:
            continue  # an error of its own, where it is the one that is judged
    shared: dict[str, list[tuple[Subject, Range]]] = defaultdict(list)
    still_open: list[tuple[Subject, Range]] = []
    for item in sorted(blocks, key=lambda it: (it[1].version, int(it[1].network_address), it[1].prefixlen)):
        while still_open and not inside(item[1], still_open[-1][1]):
            still_open.pop()
        for outer in still_open[-_MOST_NEIGHBOURS:]:
            for one, other in ((item, outer), (outer, item)):
                if len(shared[one[0].urn]) < _MOST_NEIGHBOURS:
                    shared[one[0].urn].append(other)
        still_open.append(item)
    return shared, gaps


def server_has_firewall(stack: Sequence[Subject]) -> SubjectCheck:
    """Each server stands behind a firewall of its stack."""
    walls = [subject for subject in stack if subject.type == "firewall"]
    guarded = {urn for wall in walls for urn in wall.depends_on.get("server", ())}
    astray = [wall for wall in walls if not wall.depends_on.get("server")]

    def check(subject: Subject, _params: Facts) -> Iterator[Outcome]:
        if subject.urn in guarded:
            return
        if astray:
            reason = "nothing tells which server it stands before"
            yield Gap(f"{shown(astray[0].name)}: server", reason=reason)
            return
        yield Finding("name", "stands behind no firewall", "no firewall", "a firewall of this stack")

    return check


def _closed_to_public(subject: Subject, ports: frozenset[int], protocol: str, what: str) -> Iterator[Outcome]:
    def judge(rule: Facts) -> Iterator[Outcome]:
        found = opened(rule, ports, protocol)
        if found:
            yield from public_sources(rule, f"{what} {listed(found)}/{protocol}", _PRIVATE_ONLY)

    yield from each(subject.facts.rows("rules"), judge)


def _ports(params: Facts, key: str) -> frozenset[int]:
    return frozenset(params.wholes(key))
