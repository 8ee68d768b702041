"""Answers of probes to verdicts: reality against what the fleet allows. Pure; a guess is never a verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from orchestrator.reporting.model import Check, Verdict
from orchestrator.verification.flows import Flow, SourceKind

OPEN, REFUSED, SILENT, UNREACHABLE, UNTRIED = "open", "refused", "silent", "unreachable", "untried"


class Standing(StrEnum):
    """How one flow stands against the fleet file."""

    OPEN = "open as allowed"
    SHUT = "shut as it must be"
    IDLE = "let through, but nothing listens"
    LEAK = "open, but not allowed"
    BLOCKED = "allowed, but shut by a firewall"
    UNKNOWN = "could not be told"


VERDICTS: Mapping[Standing, Verdict] = {
    Standing.OPEN: Verdict.PASS,
    Standing.SHUT: Verdict.PASS,
    Standing.IDLE: Verdict.NOT_APPLICABLE,
    Standing.LEAK: Verdict.FAIL,
    Standing.BLOCKED: Verdict.FAIL,
    Standing.UNKNOWN: Verdict.UNKNOWN,
}
_WORST_FIRST = (
    Standing.LEAK,
    Standing.BLOCKED,
    Standing.UNKNOWN,
    Standing.IDLE,
    Standing.OPEN,
    Standing.SHUT,
)
_NAMED = 6


@dataclass(frozen=True)
class Tried:
    """A flow and what came of it; `let_in` is the target's word on a silent datagram, None if not asked."""

    flow: Flow
    answer: str
    let_in: bool | None = None

    @property
    def standing(self) -> Standing:
        """The flow against the fleet file."""
        came_through = self._came_through()
        if came_through is None:
            return Standing.UNKNOWN
        if not self.flow.allowed:
            return Standing.LEAK if came_through else Standing.SHUT
        if not came_through:
            return Standing.BLOCKED
        return Standing.IDLE if self.answer == REFUSED else Standing.OPEN

    def _came_through(self) -> bool | None:
        """A refusal came from the target's kernel, past every firewall; None when nothing can be said."""
        if self.answer in (OPEN, REFUSED):
            return True
        if self.answer.startswith(UNREACHABLE):
            return False
        if self.answer != SILENT:
            return None
        if self.flow.protocol == "tcp" or not self.flow.listens:
            return False  # a kernel without a listener would have refused the datagram
        return self.let_in


def checks(tried: Sequence[Tried]) -> list[Check]:
    """One check a target and port, over all places it was tried from, which are its witnesses."""
    groups: dict[tuple[str, int, str, bool], list[Tried]] = {}
    for each in tried:
        flow = each.flow
        groups.setdefault((flow.target, flow.port, flow.protocol, flow.is_v6), []).append(each)
    return [_check(*key, group) for key, group in sorted(groups.items())]


def _check(target: str, port: int, protocol: str, is_v6: bool, group: Sequence[Tried]) -> Check:
    family = "6" if is_v6 else ""
    worst = min((each.standing for each in group), key=_WORST_FIRST.index)
    bad = [each for each in group if VERDICTS[each.standing] in (Verdict.FAIL, Verdict.UNKNOWN)]
    allowed = [each.flow.source.name for each in group if each.flow.allowed]
    return Check(
        server=target,
        check=f"network.{protocol}{family}.{port}",
        title=f"{port}/{protocol}{' over IPv6' if is_v6 else ''} answers those who may ask, and nobody else",
        verdict=VERDICTS[worst],
        observed=_observed(bad or group, worst),
        expected=f"open to {named(allowed)}" if allowed else "open to nobody",
        witness=named([each.flow.source.name for each in bad or group]),
    )


def _observed(group: Sequence[Tried], worst: Standing) -> str:
    if VERDICTS[worst] is Verdict.PASS:
        opened = [each.flow.source.name for each in group if each.standing is Standing.OPEN]
        return f"open to {named(opened)}" if opened else f"silent to {named(_names(group))}"
    parts = []
    for standing in _WORST_FIRST[:4]:
        names = [each.flow.source.name for each in group if each.standing is standing]
        parts += [f"from {named(names)}: {standing}"] if names else []
    return "; ".join(parts)


def _names(group: Sequence[Tried]) -> list[str]:
    return [each.flow.source.name for each in group]


def named(names: Sequence[str]) -> str:
    """Names once each, the first few and how many more."""
    once = list(dict.fromkeys(names))
    more = len(once) - _NAMED
    return ", ".join(once[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def table(tried: Sequence[Tried]) -> list[tuple[str, str, str, str]]:
    """For people: (target, port, who gets in, what differs), one row a target and port that anybody uses."""
    rows: dict[tuple[str, int, str], list[Tried]] = {}
    for each in tried:
        rows.setdefault((each.flow.target, each.flow.port, each.flow.protocol), []).append(each)
    shown = []
    for (target, port, protocol), group in sorted(rows.items()):
        through = [each for each in group if each.standing in (Standing.OPEN, Standing.IDLE)]
        bad = [each for each in group if VERDICTS[each.standing] in (Verdict.FAIL, Verdict.UNKNOWN)]
        if through or bad or any(each.flow.listens for each in group):
            worst = min((each.standing for each in bad), key=_WORST_FIRST.index) if bad else None
            differs = _observed(bad, worst) if worst else ""
            shown.append((target, f"{port}/{protocol}", _who(through, group), differs))
    return shown


def _who(through: Sequence[Tried], group: Sequence[Tried]) -> str:
    places = {each.flow.source.name for each in group}
    allowed = {each.flow.source.name for each in through}
    if places == allowed:
        return f"all {len(places)} places"
    text = named(sorted(allowed)) or "nobody"
    return text + (
        " (nothing listens)" if through and all(t.standing is Standing.IDLE for t in through) else ""
    )


def counted(tried: Sequence[Tried]) -> str:
    """`75 flows from 5 places: 75 as the fleet says`"""
    differ = [each for each in tried if VERDICTS[each.standing] is Verdict.FAIL]
    untold = [each for each in tried if VERDICTS[each.standing] is Verdict.UNKNOWN]
    places = {each.flow.source for each in tried}
    foreign = {each.name for each in places if each.kind is SourceKind.FOREIGN}
    same = len(tried) - len(differ) - len(untold)
    text = f"{len(tried)} flows from {len(places)} places: {same} as the fleet says"
    text += f", {len(differ)} differ" if differ else ""
    text += f", {len(untold)} could not be told" if untold else ""
    return text if foreign else text + "; no other fleet to look from"
