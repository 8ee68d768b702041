"""configure: let the playbooks converge the servers that are ready."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from orchestrator.inventory.model import Inventory
from orchestrator.ports import PlaybookRunner, PlayRequest, PlayResult, Say


class ConfigureRequest(BaseModel):
    """What to converge and how to reach it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    inventory: Inventory
    hosts: Sequence[str]
    run: str
    private_key: Path
    known_hosts: Path
    playbook: str = "site.yml"


def configure(request: ConfigureRequest, runner: PlaybookRunner, say: Say) -> PlayResult:
    """Run the playbook on these hosts; a failed host is a result, not an error."""
    play = PlayRequest(
        playbook=request.playbook,
        inventory=request.inventory,
        hosts=request.hosts,
        run=request.run,
        private_key=request.private_key,
        known_hosts=request.known_hosts,
    )
    return runner.run(play, say)
