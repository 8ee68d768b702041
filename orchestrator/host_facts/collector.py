"""Collects the facts of hosts over the shared SSH connections, and reads them as a stranger's letter."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Event
from typing import Any, Final

from orchestrator.errors import StewardError, ToolError
from orchestrator.host_answer import answer
from orchestrator.host_facts.parts.document import SCHEMA, VERSION
from orchestrator.host_facts.program import digest, program
from orchestrator.parallel import for_each
from orchestrator.ports.hosts import PYTHON_AS_ROOT, HostFacts, HostShell, Unreached
from orchestrator.ports.run import Clock
from stacks.outputs import ServerOutput

_SECONDS: Final = 60.0
"""For a whole host, which takes two; the programs that it asks have 15 s each, some at once."""
_LONGEST: Final = 8 << 20
"""Characters: a host with 8,000 packages stays below 2 million."""
_AT_ONCE: Final = 8
"""A host answers in half a second; more at once only wait for each other where hosts share processors."""
_OURS: Final = ("host", "incarnation", "collected_at", "control")
"""Told by the control machine; a host that tells them itself is not believed."""


@dataclass(frozen=True)
class SshHostFacts:
    """Implements `ports.hosts.HostFactCollector`."""

    shell: HostShell
    clock: Clock

    def collect(self, servers: Sequence[ServerOutput]) -> Mapping[str, HostFacts | Unreached]:
        """By server name, every server once; a host that cannot be asked hides no other."""
        found = for_each(servers, self._one, at_once=_AT_ONCE)
        return {server.name: facts for server, facts in zip(servers, found, strict=True)}

    def _one(self, server: ServerOutput, stopping: Event) -> HostFacts | Unreached:
        if stopping.is_set():
            return Unreached(server.name, "the run was stopped before this host was asked")
        try:
            return HostFacts(server.name, self._document(server))
        except StewardError as problem:
            return Unreached(server.name, str(problem)[:600])

    def _document(self, server: ServerOutput) -> Mapping[str, object]:
        asked = self.clock.now()
        done = self.shell.run(server, [*PYTHON_AS_ROOT, "-"], timeout=_SECONDS, stdin=program())
        answered = self.clock.now()
        return {
            **read_facts(server.name, done.stdout),
            "host": server.name,
            "incarnation": server.incarnation,
            "collected_at": answered.isoformat(),
            "control": {"asked_at": asked.timestamp(), "answered_at": answered.timestamp()},
            "collector": {"version": VERSION, "sha256": digest()},
        }


def read_facts(host: str, text: str) -> Mapping[str, Any]:
    """The sections of a document that a host printed; raises ToolError for anything else."""
    if len(text) > _LONGEST:
        raise ToolError(host, f"gave facts of {len(text)} characters, more than {_LONGEST}")
    found = answer(host, text, dict)
    if found.get("schema") != SCHEMA:
        raise ToolError(
            host,
            "gave facts of another kind",
            rule=f"schema is {SCHEMA}",
            got=repr(found.get("schema"))[:100],
        )
    try:
        json.dumps(found, allow_nan=False)
    except (ValueError, RecursionError) as problem:
        raise ToolError(host, "gave facts with a number that is none") from problem
    return {key: value for key, value in found.items() if key not in _OURS}
