"""The lines of a live view, from what is known: pure text that fits the window."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from orchestrator.progress import HostProgress
from orchestrator.reporting.columns import columns, shorten

_BAR = 12
_NARROW = 60
"""Columns below which a line shows names and counts alone."""
_ORDER = {"failed": 0, "working": 1, "done": 2}
_SIGNS = {"failed": "✗", "working": "·", "done": "✓"}


def step_line(name: str, elapsed: float, left: float | None, told: str, width: int) -> str:
    """The step at work: its name, how long it runs, how long the run still takes, what it says."""
    line = f"{name:<10} {clock(elapsed):>8}"
    if left is not None:
        line += f"  {remaining(left)}"
    room = width - columns(line) - 2
    return shorten(f"{line}  {shorten(told, room)}" if told and room >= 8 else line, width)


def host_lines(
    hosts: Mapping[str, HostProgress], expected: Callable[[str], int | None], width: int, height: int
) -> list[tuple[str, str]]:
    """(state, line) of each host, failed ones first; what does not fit `height` is counted in the last."""
    ranked = sorted(hosts.values(), key=lambda host: (_ORDER[host.state], host.tasks, host.name))
    shown = ranked if len(ranked) <= height else ranked[: max(1, height - 1)]
    widest = max((len(host.name) for host in shown), default=0)
    lines: list[tuple[str, str]] = [
        (host.state, _host(host, expected(host.name), widest, width)) for host in shown
    ]
    if rest := ranked[len(shown) :]:
        counts = [f"{sum(h.state == state for h in rest)} {state}" for state in _ORDER]
        counts = [count for count in counts if not count.startswith("0 ")]
        lines.append(("rest", shorten(f"  … {len(rest)} more: {', '.join(counts)}", width)))
    return lines


def remaining(seconds: float) -> str:
    """Time left as an honest guess: `about 40 s left`, `about 3 min left`."""
    if seconds < 5:
        return "a few seconds left"
    if seconds < 90:
        return f"about {5 * round(seconds / 5)} s left"
    return f"about {round(seconds / 60)} min left"


def clock(seconds: float) -> str:
    """`9.4 s` below a minute, then `2m 05s`."""
    whole = int(seconds)
    return f"{seconds:.1f} s" if seconds < 60 else f"{whole // 60}m {whole % 60:02d}s"


def _host(host: HostProgress, expected: int | None, widest: int, width: int) -> str:
    head = f"  {_SIGNS[host.state]} {host.name:<{widest}}"
    count, bar = _measure(host, expected)
    if width < _NARROW:
        return shorten(f"{head}  {count}", width)
    tail = host.task if host.state != "done" else f"{host.changed} changed"
    line = f"{head}  {bar}  {count:>9}"
    return shorten(f"{line}  {tail}", width)


def _measure(host: HostProgress, expected: int | None) -> tuple[str, str]:
    """Tasks as text and as a bar; without an earlier converge, or past its count, nobody knows the whole."""
    if host.state == "done":
        return f"{host.tasks} tasks", "━" * _BAR
    if expected is None or host.tasks > expected:
        return f"{host.tasks} tasks", "╌" * _BAR
    full = _BAR * host.tasks // expected if expected else 0
    return f"{host.tasks}/{expected}", "━" * full + "─" * (_BAR - full)
