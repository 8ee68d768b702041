"""The view of a terminal: finished steps as lines that stay, below them the step at work and its hosts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import monotonic
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from orchestrator.cli.endings import ending, printable
from orchestrator.cli.screen import host_lines, step_line
from orchestrator.progress import EarlierRun, HostProgress, expected_tasks, seconds_left
from orchestrator.step_runner import Watcher

if TYPE_CHECKING:
    from orchestrator.pipelines.step import Step
    from orchestrator.reporting.model import Step as StepRecord

_PER_SECOND = 8
_LINES_KEPT_FREE = 4
_STYLES = {"failed": "bold red", "done": "green", "working": "", "rest": "dim"}


class LiveProgress(Watcher):
    """Redraws a few lines while a step works; what is over is printed once and scrolls away."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._spinner = Spinner("dots")
        self._live: Live | None = None
        self._earlier: Callable[[], Sequence[EarlierRun]] = tuple
        self._known: Sequence[EarlierRun] | None = None
        self._done: list[str] = []
        self._name = self._told = ""
        self._began = 0.0
        self._hosts: dict[str, HostProgress] = {}

    def begun(self, earlier: Callable[[], Sequence[EarlierRun]]) -> None:
        """Earlier runs are read when the first step draws, not before."""
        self._earlier = earlier

    def say(self, text: str) -> None:
        """What the step at work is doing just now; between steps, a line of its own."""
        self._told = printable(text)
        if self._live is None:
            self._console.print(f"  {self._told}", markup=False)

    def started(self, step: Step) -> None:
        """A step begins."""
        if self._known is None:
            self._known = self._earlier()
        self._name, self._told, self._began, self._hosts = step.name, "", monotonic(), {}
        self._live = Live(
            console=self._console, get_renderable=self._screen, refresh_per_second=_PER_SECOND, transient=True
        )
        self._live.start()

    def host(self, reached: HostProgress) -> None:
        """A host under the playbooks got a step further."""
        self._hosts = {**self._hosts, reached.name: reached}

    def ended(self, step: Step, record: StepRecord) -> None:
        """A step is over, well or not."""
        if self._live is not None:
            self._live.stop()
            self._live = None
        self._done.append(step.name)
        style = "" if record.state == "done" else "bold red"
        self._console.print(ending(step, record), style=style, markup=False)

    def _screen(self) -> Group:
        """What is drawn anew several times a second, from another thread: reads each attribute once."""
        known, hosts, width = self._known or (), self._hosts, self._console.width
        elapsed = monotonic() - self._began
        left = seconds_left(known, self._done, self._name, elapsed)
        head = Table.grid(padding=(0, 1))
        head.add_row(self._spinner, Text(step_line(self._name, elapsed, left, self._told, width - 3)))
        room = max(3, self._console.height - _LINES_KEPT_FREE)
        rows = host_lines(hosts, lambda name: expected_tasks(known, name), width - 1, room)
        return Group(head, *(Text(line, style=_STYLES[state], no_wrap=True) for state, line in rows))
