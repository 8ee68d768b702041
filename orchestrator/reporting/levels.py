"""What was promised of each service against what was seen of it; what nobody looked at is not known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.reporting.humanise import instant, number, plural
from orchestrator.reporting.model import Probe, Report, Service, Verdict
from orchestrator.reporting.tone import Tone


@dataclass(frozen=True)
class Level:
    """One service: how it stands now, in a word, and what that rests on."""

    service: Service
    probes: Sequence[Probe]
    tone: Tone
    word: str
    note: str


def levels(report: Report) -> list[Level]:
    """Every service of the report, in its order."""
    return [
        _level(service, [each for each in report.probes if each.service == service.name])
        for service in report.services
    ]


def _level(service: Service, probes: Sequence[Probe]) -> Level:
    verdicts = {each.verdict for each in probes}
    if Verdict.FAIL in verdicts:
        tone, word = Tone.BAD, "does not answer"
    elif verdicts == {Verdict.PASS}:
        tone, word = Tone.GOOD, "answers"
    else:
        tone, word = Tone.UNKNOWN, "not known"
    return Level(service, probes, tone, word, _note(service))


def _note(service: Service) -> str:
    if not service.probe:
        return "the fleet file does not say how to ask it"
    if not service.looks:
        return "nobody asked it yet"
    seen = f"{service.answered} of {plural(service.looks, 'look')} answered since {instant(service.since)}"
    return f"{seen}; {_against(service)}" if service.availability_percent is not None else seen


def _against(service: Service) -> str:
    """A promise is only held against as many looks as could show that it was just missed."""
    target = service.availability_percent or 0.0
    share = service.answered / service.looks * 100
    if share < target and service.looks - service.answered > 1:
        return f"{share:.1f} % of looks, below the promise"
    needed = round(100 / (100 - target)) if target < 100 else 1_000
    if service.looks < needed:
        return f"too few to hold against {number(target)} %, which takes {needed}"
    return f"{share:.2f} % of looks"
