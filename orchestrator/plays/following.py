"""Following each host through a play, task by task, for whoever watches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from orchestrator.progress import HostProgress, Watch


class HostFollower:
    """Turns the records of tasks into how far each host is; hosts that nobody asked for are left out."""

    def __init__(self, hosts: Sequence[str], watch: Watch) -> None:
        self._watch = watch
        self._reached = {name: HostProgress(name, "working", 0, 0) for name in hosts}

    def begun(self, record: Mapping[str, Any]) -> None:
        """A task begins on a host."""
        host = str(record["host"])
        before = self._reached.get(host)
        if before is not None and before.state == "working":
            self._tell(replace(before, task=str(record["task"])))

    def ended(self, record: Mapping[str, Any], *, failed: bool) -> None:
        """A task is over on a host; a skipped one is none of those that the host's result counts."""
        before = self._reached.get(str(record["host"]))
        if before is None or record["kind"] == "runner_on_skipped":
            return
        self._tell(
            HostProgress(
                name=before.name,
                state="failed" if failed else before.state,
                tasks=before.tasks + 1,
                changed=before.changed + bool(record.get("changed")),
                task=str(record["task"]),
            )
        )

    def all_over(self) -> None:
        """The play came to its end: whoever did not fail is done."""
        for reached in [each for each in self._reached.values() if each.state == "working"]:
            self._tell(replace(reached, state="done", task=""))

    def _tell(self, reached: HostProgress) -> None:
        self._reached[reached.name] = reached
        self._watch(reached)
