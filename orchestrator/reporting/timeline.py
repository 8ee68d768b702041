"""The run on a time axis: its steps, below each its hosts, under `configure` by role. Places are percent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from orchestrator.reporting.busy import BusyHost, busy_hosts
from orchestrator.reporting.humanise import duration, plural, utc
from orchestrator.reporting.model import Report, Step
from orchestrator.reporting.tone import Tone
from orchestrator.reporting.verdict import STATE_TONES

MOST_HOSTS = 24
"""Hosts that are drawn below `configure`: those that failed, then the slowest."""
MOST_LOOKS = 8
"""Hosts that are drawn below any other step."""
_TICKS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 86400)
_MOST_TICKS = 7
_NARROWEST = 0.5
_LETTER = 0.95
"""Width of a letter of a role's name in percent of the axis, on the narrowest screen that shows names."""


@dataclass(frozen=True)
class Tick:
    """A mark of the axis."""

    at: float
    label: str


@dataclass(frozen=True)
class Bar:
    """One stretch; `label` is only given where it fits inside."""

    left: float
    width: float
    tone: Tone
    label: str = ""
    title: str = ""


@dataclass(frozen=True)
class Row:
    """One line of the chart; `host` rows belong to the step above. Without bars, `name` is a sentence."""

    name: str
    bars: Sequence[Bar]
    took: str
    tone: Tone
    word: str
    note: str = ""
    host: bool = False


@dataclass(frozen=True)
class Timeline:
    ticks: Sequence[Tick]
    rows: Sequence[Row]


@dataclass(frozen=True)
class _Axis:
    start: datetime
    seconds: float

    def bar(self, at: datetime, seconds: float, tone: Tone, role: str | None = None, title: str = "") -> Bar:
        left = min(max((utc(at) - self.start).total_seconds() / self.seconds * 100, 0.0), 100 - _NARROWEST)
        width = min(max(seconds / self.seconds * 100, _NARROWEST), 100 - left)
        label = role if role and len(role) * _LETTER + 1 < width else ""
        return Bar(round(left, 2), round(width, 2), tone, label, title)


def timeline(report: Report) -> Timeline:
    """Everything the chart shows; equal reports give equal charts."""
    start = utc(report.started_at)
    whole = (utc(report.finished_at) - start).total_seconds()
    axis = _Axis(start, max(whole, sum(step.duration_seconds for step in report.steps), 0.001))
    rows: list[Row] = []
    for step, hosts in zip(report.steps, busy_hosts(report), strict=True):
        chosen = sorted(hosts, key=lambda host: (not host.bad, -host.seconds, host.name))
        names = {host.name for host in chosen[: MOST_HOSTS if step.phase == "configure" else MOST_LOOKS]}
        rows.append(_step_row(axis, step))
        rows += [_host_row(axis, host) for host in hosts if host.name in names]
        rows += _left_out([host for host in hosts if host.name not in names])
    return Timeline(_ticks(axis.seconds), rows)


def _step_row(axis: _Axis, step: Step) -> Row:
    tone = STATE_TONES[step.state.value]
    bar = axis.bar(step.started_at, step.duration_seconds, tone)
    return Row(step.name, [bar], duration(step.duration_seconds), tone, step.state.value, step.message)


def _host_row(axis: _Axis, host: BusyHost) -> Row:
    bars = [
        axis.bar(each.at, each.seconds, Tone.BAD if each.bad else Tone.GOOD, each.role, each.told)
        for each in host.stretches
    ]
    tone = Tone.BAD if host.bad else Tone.GOOD
    return Row(host.name, bars, duration(host.seconds), tone, host.word, host.note, host=True)


def _ticks(seconds: float) -> list[Tick]:
    step = next((each for each in _TICKS if seconds / each <= _MOST_TICKS), seconds / _MOST_TICKS)
    marks = [i * step for i in range(int(seconds / step) + 1)]
    return [Tick(round(mark / seconds * 100, 2), duration(mark) if mark else "0") for mark in marks]


def _left_out(rest: Sequence[BusyHost]) -> list[Row]:
    """What is not drawn, in a sentence; nothing where all is."""
    if not rest:
        return []
    seconds = [host.seconds for host in rest]
    failed = sum(host.bad for host in rest)
    told = f"{failed} of them failed" if failed else "none failed and none took longer than these"
    spread = f"{duration(min(seconds))} to {duration(max(seconds))}"
    text = f"{plural(len(rest), 'host')} more: {told}, {spread} each."
    return [Row(text, (), "", Tone.BAD if failed else Tone.GOOD, "", host=True)]
