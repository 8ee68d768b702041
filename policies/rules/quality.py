"""Whether somebody answers for a thing, and whether the rules could judge it at all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from policies.facts import Facts, UnknownFactError, shown
from policies.model import Finding, Gap, NotApplicable, Outcome, Subject, each

_ALWAYS: Final = 100
"""Percent of the time."""


def tags_complete(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """Each required tag is set, and client and environment are those of the stack."""
    facts = subject.facts
    tags = facts.table("tags") if facts.has("tags") else Facts({}, facts.where("tags"))
    required = list(params.texts("required"))
    # Identities are themselves resources: they cannot carry what they are about to make.
    if subject.type != "identity":
        required += params.texts("required_identities")
    for key in required:
        try:
            value = tags.text_or_none(key)
        except UnknownFactError as gap:
            yield Gap(gap.path, settled_at_up=True)
            continue
        if not (value or "").strip():
            yield Finding(tags.where(key), "the tag is missing", "nothing", "a value")
    yield from _named_for_stack(subject, tags)


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
