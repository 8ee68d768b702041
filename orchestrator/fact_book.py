"""Facts of hosts in the folders of the runs that collected them; implements `ports.facts.FactBook`.

Of earlier documents only the lists of upgrades are read, one a day: they tell since when each was pending.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from orchestrator.ports.hosts import HostFacts
from orchestrator.ports.run import Clock
from orchestrator.private_file import write_private
from orchestrator.settings import Settings
from stacks.outputs import ServerOutput

FOLDER: Final = "facts"
"""In a run's folder."""
EXPECTED: Final = "host-facts-expected.json"
"""Beside it: what fleet, roles and other servers say of the hosts."""
_LONGEST: Final = timedelta(days=30)
_LARGEST: Final = 16 << 20
_READ: Final = ("schema", "host", "collected_at", "upgrades")


@dataclass(frozen=True)
class RunFacts:
    """The facts of one stack's hosts; `runs` gives the ids of its runs, newest first."""

    settings: Settings
    run: str
    runs: Callable[[], Sequence[str]]
    clock: Clock

    def keep(self, facts: Sequence[HostFacts]) -> None:
        """Write them down with this run, one file a host."""
        folder = self.settings.run_folder(self.run) / FOLDER
        for each in facts:
            write_private(folder / f"{each.host}.json", json.dumps(each.document, sort_keys=True) + "\n")

    def keep_expected(self, expected: Mapping[str, Mapping[str, object]]) -> None:
        """Write down what was set beside them, as `steward policy check --expected` reads it."""
        path = self.settings.run_folder(self.run) / EXPECTED
        write_private(path, json.dumps(expected, sort_keys=True) + "\n")

    def earlier(self, servers: Sequence[ServerOutput]) -> Sequence[Mapping[str, Any]]:
        """The last document of each of the last 30 days of each server; one that cannot be read is none."""
        return [document for server in servers for document in self._of(server)]

    def _of(self, server: ServerOutput) -> Iterator[Mapping[str, Any]]:
        oldest, days = self.clock.now() - _LONGEST, set[str]()
        for run in self.runs():
            path = self.settings.run_folder(run) / FOLDER / f"{server.name}.json"
            if run == self.run or not path.exists():
                continue
            found = _read(path, server)
            at = _moment(found)
            if at is None:
                continue
            if at < oldest:
                return
            if (day := at.date().isoformat()) not in days:
                days.add(day)
                yield {key: found[key] for key in _READ if key in found}


def _read(path: Path, server: ServerOutput) -> Mapping[str, Any]:
    """The document, nothing where it is another server's of this name or no document."""
    try:
        if path.stat().st_size > _LARGEST:
            return {}
        found = json.loads(path.read_text())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) and found.get("incarnation") == server.incarnation else {}


def _moment(found: Mapping[str, Any]) -> datetime | None:
    try:
        at = datetime.fromisoformat(str(found.get("collected_at")))
    except ValueError:
        return None
    return at if at.tzinfo else None
