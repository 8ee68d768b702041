"""Whether what is paid for is used, and what is used has room: size against use, by what was measured."""

from __future__ import annotations

from collections.abc import Iterator

from policies.facts import Facts, UnknownFactError, shown
from policies.model import Finding, NotApplicable, Outcome, Subject
from policies.rules._spans import DAY, days

_PEAKS = ("cpuPeakPercent", "memoryPeakPercent")
_NO_SERVER = "has no CPUs"


def not_oversized(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """Neither CPUs nor memory stand mostly unused at their busiest; the smallest size cannot be smaller."""
    size, smallest = _server(subject), params.number("smallest_cpus")
    if size is None or size.number("cpus") <= smallest:
        yield NotApplicable(_NO_SERVER if size is None else f"has at most {smallest:g} CPUs")
        return
    use, least = _measured(subject, params), params.number("min_peak_percent")
    highest = max(use.number(peak) for peak in _PEAKS)
    if highest < least:
        problem = f"at its busiest it used {highest:g} % of its size"
        yield Finding(use.where("cpuPeakPercent"), problem, f"{highest:g} %", f"at least {least:g} %")


def has_head_room(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """At their busiest CPUs and memory leave room for a bad day."""
    if _server(subject) is None:
        yield NotApplicable(_NO_SERVER)
        return
    use, most = _measured(subject, params), params.number("max_peak_percent")
    for peak in _PEAKS:
        if (used := use.number(peak)) > most:
            yield Finding(use.where(peak), f"{used:g} % was used", f"{used:g} %", f"at most {most:g} %")


def not_idle(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """Something happens on it: a server that nobody uses is paid for, patched and attacked all the same."""
    if _server(subject) is None:
        yield NotApplicable(_NO_SERVER)
        return
    use, least = _measured(subject, params), params.number("min_cpu_percent")
    if (used := use.number("cpuPeakPercent")) < least:
        problem = f"its CPUs were used by {used:g} % at most in {days(use.number('days') * DAY)}"
        yield Finding(use.where("cpuPeakPercent"), problem, f"{used:g} %", f"at least {least:g} %")


def disk_has_room(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """The disk is not nearly full: a full one stops databases and backups at once."""
    if not subject.facts.has("size") or not subject.facts.table("size").has("diskGib"):
        yield NotApplicable("has no disk of its own")
        return
    use, most = subject.facts.table("utilisation"), params.number("max_used_percent")
    if (used := use.number("diskUsedPercent")) > most:
        place = use.where("diskUsedPercent")
        yield Finding(place, f"{used:g} % of the disk is used", f"{used:g} %", f"at most {most:g} %")


def generation_is_current(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """The size is not of a generation that its vendor has replaced by a cheaper or faster one."""
    if not subject.facts.has("sku"):
        yield NotApplicable("its vendor has no sizes by name")
        return
    sku = subject.facts.text("sku")
    if any(sku.startswith(prefix) for prefix in params.texts("replaced_prefixes")):
        name = shown(sku)
        yield Finding("sku", f"{name} is of a replaced generation", name, "a size of a current generation")


def _server(subject: Subject) -> Facts | None:
    """The size of what has CPUs, None for what has none; raises UnknownFactError when nobody knows."""
    if not subject.facts.has("size"):
        return None
    size = subject.facts.table("size")
    return size if size.has("cpus") else None


def _measured(subject: Subject, params: Facts) -> Facts:
    """The utilisation, where it was measured for long enough to say anything."""
    if not subject.facts.has("utilisation"):
        raise UnknownFactError("utilisation", reason="nobody measured it")
    use, least = subject.facts.table("utilisation"), params.number("min_days")
    if (days := use.number("days")) < least:
        raise UnknownFactError(use.where("days"), reason=f"measured for {days:g} of {least:g} days")
    return use
