"""Which converge left each host as it is: kept on the control machine, held against the host's own state."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from threading import Event
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from orchestrator.convergence.inputs import inputs_digest
from orchestrator.errors import StewardError, ToolError
from orchestrator.inventory.model import Inventory
from orchestrator.parallel import for_each
from orchestrator.ports import HostShell
from orchestrator.private_file import write_private
from stacks.outputs import ServerOutput

_LOOK_SECONDS = 60.0
_LONGEST_ANSWER = 20_000


class ConvergeRecord(BaseModel):
    """The last converge of one server incarnation that ended well, and the state it left."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    schema_: Literal["steward.converge/1"] = Field("steward.converge/1", alias="schema")
    run: str
    inputs: str
    state: Mapping[str, str]


class ConvergeBook:
    """Implements `ports.Convergence`: one file a server in `folder`; `tools`, `key` as in `inputs_digest`."""

    def __init__(
        self, folder: Path, shell: HostShell, tools: Callable[[], str], key: Callable[[], bytes]
    ) -> None:
        self._folder = folder
        self._shell = shell
        self._tools = tools
        self._key = key

    def settled(self, inventory: Inventory, servers: Sequence[ServerOutput]) -> Mapping[str, str]:
        """Servers on which nothing differs from what their last converge was given and left, with its run."""
        wanted = self._inputs(inventory)
        known = {server.name: self._load(server) for server in servers}
        asked = [s for s in servers if (r := known[s.name]) is not None and r.inputs == wanted.get(s.name)]
        states = for_each(asked, self._look)
        found = {}
        for server, state in zip(asked, states, strict=True):
            record = known[server.name]
            if record is not None and state == record.state:
                found[server.name] = record.run
        return found

    def record(self, inventory: Inventory, servers: Sequence[ServerOutput], run: str) -> None:
        """Keep what these servers are like after a converge that ended well; forget what cannot be seen."""
        inputs = self._inputs(inventory)
        for server, state in zip(servers, for_each(servers, self._look), strict=True):
            if state:
                made = ConvergeRecord(run=run, inputs=inputs[server.name], state=state)
                write_private(self._path(server), made.model_dump_json(by_alias=True) + "\n")

    def forget(self, servers: Sequence[ServerOutput]) -> None:
        """Before a converge begins: whatever happens to it, the old record no longer holds."""
        for server in servers:
            self._path(server).unlink(missing_ok=True)

    def _inputs(self, inventory: Inventory) -> dict[str, str]:
        tools, key = self._tools(), self._key()
        return {host.name: inputs_digest(host, inventory, tools, key) for host in inventory.hosts}

    def _look(self, server: ServerOutput, _stopping: Event) -> Mapping[str, str]:
        """The host's state by part; empty when it cannot be seen, which equals no record."""
        script = files("orchestrator.convergence").joinpath("look.py").read_text()
        try:
            done = self._shell.run(
                server, ["sudo", "-n", "python3", "-"], timeout=_LOOK_SECONDS, stdin=script
            )
            return _parts(server, done.stdout)
        except StewardError:
            return {}

    def _load(self, server: ServerOutput) -> ConvergeRecord | None:
        try:
            return ConvergeRecord.model_validate_json(self._path(server).read_text())
        except (OSError, ValidationError):
            return None  # no record, or one of another version: the playbooks will make a new one

    def _path(self, server: ServerOutput) -> Path:
        return self._folder / f"{server.incarnation}.json"


def _parts(server: ServerOutput, text: str) -> Mapping[str, str]:
    try:
        document = json.loads(text[:_LONGEST_ANSWER])
        return {str(name): str(digest) for name, digest in document["parts"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        raise ToolError(server.name, f"its state cannot be read: {problem}") from problem
