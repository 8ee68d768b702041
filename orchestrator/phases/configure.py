"""configure: let the playbooks converge servers that are ready; leave alone what is as it should be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from orchestrator.inventory.model import Inventory
from orchestrator.ports.plays import Convergence, PlaybookRunner, PlayRequest, PlayResult
from orchestrator.ports.run import Say
from orchestrator.reporting.model import Host
from stacks.outputs import ServerOutput


class ConfigureRequest(BaseModel):
    """What to converge and how to reach it; `always` runs the playbooks also where nothing differs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    inventory: Inventory
    servers: Sequence[ServerOutput]
    run: str
    private_keys: Sequence[Path]
    known_hosts: Path
    control_path: str = ""
    playbook: str = "site.yml"
    always: bool = True


def configure(
    request: ConfigureRequest, runner: PlaybookRunner, convergence: Convergence, say: Say
) -> PlayResult:
    """Run the playbook where something differs; a failed host is a result, not an error."""
    settled = {} if request.always else convergence.settled(request.inventory, request.servers)
    rest = [server for server in request.servers if server.name not in settled]
    play = PlayResult(())
    if rest:
        convergence.forget(rest)
        play = runner.run(_play(request, rest), say)
        well = {host.name for host in play.hosts if not (host.failed or host.unreachable)}
        convergence.record(request.inventory, [server for server in rest if server.name in well], request.run)
    return PlayResult(_in_order(request.servers, play, settled), play.problem)


def _play(request: ConfigureRequest, servers: Sequence[ServerOutput]) -> PlayRequest:
    return PlayRequest(
        playbook=request.playbook,
        inventory=request.inventory,
        hosts=[server.name for server in servers],
        run=request.run,
        private_keys=request.private_keys,
        known_hosts=request.known_hosts,
        control_path=request.control_path,
    )


def _in_order(servers: Sequence[ServerOutput], play: PlayResult, settled: Mapping[str, str]) -> list[Host]:
    done = {host.name: host for host in play.hosts}
    for name, run in settled.items():
        done[name] = Host(name=name, ok=0, changed=0, failed=0, unreachable=False, unchanged_since=run)
    return [done[server.name] for server in servers if server.name in done]
