"""Whether somebody answers for a thing, and whether the rules could judge it at all."""

from __future__ import annotations

import ipaddress
import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from typing import Final

from policies.facts import Facts, MalformedFactError, Unknown, UnknownFactError, shown
from policies.model import Finding, Gap, NotApplicable, Outcome, Subject, each
from policies.rules._schedules import firings, openings
from policies.rules._spans import HOUR, hours

_ALWAYS: Final = 100
"""Percent of the time."""
_ADDRESS: Final = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63}){1,8}")


def tags_complete(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """Each required tag is set, and client and environment are those of the stack."""
    facts = subject.facts
    tags = facts.table("tags") if facts.has("tags") else Facts({}, facts.where("tags"))
    required = list(params.texts("required"))
    # Identities are themselves resources: they cannot carry what they are about to make.
    if subject.type != "identity":
        required += params.texts("required_identities")
    values = tags.raw()
    if not isinstance(values, Unknown) and all(_is_said(values.get(key)) for key in required):
        required = []  # as nearly all have them
    for key in required:
        try:
            value = tags.text_or_none(key)
        except UnknownFactError as gap:
            yield Gap(gap.path, settled_at_up=True)
            continue
        if not (value or "").strip():
            yield Finding(tags.where(key), "the tag is missing", "nothing", "a value")
    yield from _named_for_stack(subject, tags)


def _is_said(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _named_for_stack(subject: Subject, tags: Facts) -> Iterator[Outcome]:
    client, environment = tags.text_or_none("client"), tags.text_or_none("environment")
    if client and environment and subject.stack and f"{client}-{environment}" != subject.stack:
        yield Finding(
            tags.path,
            f"tagged {shown(client)}-{shown(environment)} in the stack {shown(subject.stack)}",
            f"{client}-{environment}",
            subject.stack,
        )


def service_has_owner(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """Each service has somebody to call and a level it promises."""
    services, least = subject.facts.rows("services"), params.whole("min_services")
    target = params.number("min_availability_percent")
    if len(services) < least:
        place = subject.facts.where("services")
        yield Finding(place, "the fleet names no service", str(len(services)), f"at least {least}")
    elif not services:
        yield NotApplicable("the fleet names no service, and this profile asks for none")

    def judge(service: Facts) -> Iterator[Outcome]:
        name = shown(service.text("name"))
        if not (service.text_or_none("owner") or "").strip():
            yield Finding(
                service.where("owner"), f"service {name} has no owner", "nothing", "a person or team"
            )
        promised, place = service.get("availabilityTargetPercent"), service.where("availabilityTargetPercent")
        if promised is None:
            yield Finding(
                place, f"service {name} promises no availability", "nothing", f"at least {target:g} %"
            )
        elif not target <= service.number("availabilityTargetPercent") <= _ALWAYS:
            seen = f"{shown(promised)} %"
            yield Finding(place, f"service {name} promises {seen}", seen, f"{target:g} to 100 %")

    yield from each(services, judge)


def type_is_known(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """A resource is of a type that the rules can read; else all of them would be silent about it."""
    if subject.type == "unrecognised":
        kind = shown(subject.source_type)
        yield Finding(
            "type", f"no rule can judge resources of type {kind}", kind, "a type with a subject mapping"
        )


def facts_are_fresh(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """What is judged of a host was seen not long ago: a good look can be shown again for ever."""
    age, most = subject.facts.number("collected_age_seconds"), params.number("max_age_hours") * HOUR
    if age > most:
        place, seen = subject.facts.where("collected_at"), f"{hours(age)} old"
        problem = "these facts say nothing of the host as it is now"
        yield Finding(place, problem, seen, f"facts of the last {hours(most)}")


def service_says_purpose(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """The purpose tells a stranger what would be missing: some words, and no placeholder."""
    purpose = (subject.facts.text_or_none("purpose") or "").strip()
    least = params.whole("min_characters")
    words = set(purpose.lower().split())
    if refused := sorted(words.intersection(params.texts("refused_words"))):
        yield Finding("purpose", f"says {refused[0]}, which is no purpose", shown(purpose), "what it is for")
    elif len(purpose) < least:
        expected = f"at least {least} characters"
        yield Finding("purpose", "does not say what it is for", shown(purpose) or "nothing", expected)


def service_is_measured(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """A promised level is measured by a probe; without one nobody can say whether it was kept."""
    if not subject.facts.has("availabilityTargetPercent"):
        yield NotApplicable("promises no availability, which quality.service-has-owner judges")
    elif _only_vaults(subject.facts):
        yield NotApplicable("runs on vaults alone: every backup that arrives, or does not, measures it")
    elif not subject.facts.has("probe"):
        target = shown(subject.facts.get("availabilityTargetPercent"))
        yield Finding("probe", f"{target} % are promised and nothing measures it", "no probe", "a probe")
    else:
        subject.facts.get("probe")


def _only_vaults(service: Facts) -> bool:
    groups = service.rows("groups") if service.has("groups") else ()
    return bool(groups) and all("backup_vault" in group.texts("roles") for group in groups)


def service_has_window(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """Its owner says when it may be interrupted, with the zone of that time."""
    if not subject.facts.has("maintenance"):
        yield Finding("maintenance", "nobody said when it may be interrupted", "no window", "a window")
        return
    window = subject.facts.table("maintenance")
    window.text("window")
    window.text("timezone")


def owner_is_reachable(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """The owner is an address that mail from outside can reach."""
    owner = (subject.facts.text_or_none("owner") or "").strip()
    domain = owner.rpartition("@")[2].lower()
    expected = "an address such as team@client.example"
    if not _ADDRESS.fullmatch(owner):
        yield Finding("owner", "the owner is no address", shown(owner) or "nothing", expected)
    elif any(domain == ending or domain.endswith(f".{ending}") for ending in params.texts("refused_domains")):
        yield Finding("owner", "no mail reaches the owner's domain", shown(owner), expected)


def service_has_second_contact(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """Beside its owner somebody else can be called: the owner of the fleet is another address."""
    least = params.whole("min_contacts")
    owners = (subject.facts.text_or_none(key) for key in ("owner", "fleetOwner"))
    contacts = {owner.strip().lower() for owner in owners if owner and owner.strip()}
    if len(contacts) < least:
        seen = ", ".join(map(shown, sorted(contacts))) or "nobody"
        yield Finding("owner", "nobody else can be called", seen, f"{least} different addresses")


def no_single_server(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """Each group that a service runs on has a server more than it needs."""
    least = params.whole("min_servers")

    def judge(group: Facts) -> Iterator[Outcome]:
        if (count := group.whole("count")) < least:
            problem = f"{shown(group.text('name'))} is a single point of failure"
            yield Finding(group.where("count"), problem, f"{count} server", f"at least {least}")

    yield from each(subject.facts.rows("groups"), judge)


def region_is_allowed(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """The fleet is where its client agreed that data may lie."""
    region, allowed = subject.facts.text("region"), params.texts("allowed_prefixes")
    if not region.startswith(allowed):
        expected = "a region that begins with " + " or ".join(allowed)
        yield Finding("region", "nobody agreed to this region", shown(region), expected)


def name_says_what(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """The name says what it is for, and not that somebody was in a hurry."""
    words = subject.facts.text("name").lower().replace("_", "-").split("-")
    if refused := sorted(set(words).intersection(params.texts("refused_words"))):
        problem = f"is named {refused[0]}, which says nothing"
        yield Finding("name", problem, shown(subject.name), "a name of its purpose")


def group_serves_somebody(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """A server group is part of a service, so that it has an owner, a level and a window."""
    if not subject.facts.texts("services"):
        yield Finding("services", "no service runs on it", "no service", "a service that names it")


def network_has_room(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """The network has addresses left for more servers; widening it later means making it anew."""
    cidr, most = subject.facts.text("networkCidr"), params.number("max_used_percent")
    try:
        # Network, gateway and broadcast address are nobody's.
        addresses = ipaddress.ip_network(cidr).num_addresses - 3
    except ValueError:
        raise MalformedFactError("networkCidr", "a network as CIDR", cidr) from None
    servers = subject.facts.whole("networkServers")
    if servers * 100 > addresses * most:
        name = shown(subject.facts.text("network"))
        seen, expected = f"{servers} of {max(addresses, 0)} addresses used", f"at most {most:g} %"
        yield Finding("networkServers", f"the network {name} is nearly full", seen, expected)


def backup_outside_window(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """No plan runs only while the server may be restarted: that day would have no backup at all."""
    windows = [span for row in subject.facts.rows("windows") for span in openings(row)]
    if not windows:
        yield NotApplicable("no service on it has a maintenance window")
        return

    def judge(plan: Facts) -> Iterator[Outcome]:
        by_day: dict[date, list[bool]] = defaultdict(list)
        for moment in firings(plan):
            by_day[moment.date()].append(any(begin <= moment < end for begin, end in windows))
        if lost := sorted(day for day, inside in by_day.items() if all(inside)):
            problem = f"plan {shown(plan.text('name'))} runs on {lost[0]:%A}s in the maintenance window only"
            place, seen = plan.where("schedule"), shown(plan.text("schedule"))
            yield Finding(place, problem, seen, "a time outside of the window")

    yield from each(subject.facts.rows("plans"), judge)
