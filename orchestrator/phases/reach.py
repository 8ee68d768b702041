"""reach: which servers a run works on, when fleet file, running stack and command line may disagree. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from orchestrator.errors import InputError
from stacks.fleet.mistakes import nearest
from stacks.fleet.model import Fleet
from stacks.outputs import FleetOutputs

BY_CHOICE: Final = "left out by --host"
"""Why a server was not asked that the command line did not name."""
_FAILED: Final = "its playbooks failed in this run, so nobody asked it"


def check_wanted(fleet: Fleet, wanted: Sequence[str]) -> None:
    """Refuse a server that the fleet does not have, for it would be a run that does nothing and ends well."""
    names = [name for _, name in fleet.server_names()]
    for name in wanted:
        if name in fleet.servers and name not in names:
            its = " ".join(f"--host {each}" for each in fleet.servers[name].names(name))
            raise InputError(fleet.stack, f"'{name}' is a group of servers, not one", next_step=f"Say: {its}")
        if name not in names:
            raise InputError(fleet.stack, f"no server named '{name}'; {nearest(name, names)}")


def left_out(fleet: Fleet, asked: Collection[str], wanted: Sequence[str] = ()) -> dict[str, str]:
    """The servers of the fleet that a run did not ask, each with why; `asked` gave an answer, or none."""
    return {
        name: BY_CHOICE if wanted and name not in wanted else _FAILED
        for _, name in fleet.server_names()
        if name not in asked
    }


def of_fleet(fleet: Fleet, outputs: FleetOutputs, wanted: Sequence[str] = ()) -> FleetOutputs:
    """The outputs without servers that the fleet no longer has; raises InputError for one it has not yet."""
    names = [name for _, name in fleet.server_names()]
    running = [server for server in outputs.servers if server.name in names]
    absent = set(wanted or names) - {server.name for server in running}
    if absent:
        raise InputError(
            outputs.stack, f"not running yet, though the fleet has them: {', '.join(sorted(absent))}",
            next_step="Run steward up for this fleet first.",
        )  # fmt: skip
    return outputs.model_copy(update={"servers": running})
