"""What the phases ask of Ansible: converge hosts, and leave alone those on which nothing differs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from orchestrator.inventory.model import Inventory
from orchestrator.ports.run import Say
from orchestrator.reporting.model import Host
from orchestrator.reporting.planning import HostPlan
from stacks.outputs import ServerOutput


@dataclass(frozen=True)
class PlayRequest:
    """One run of a playbook; `check` only asks what would change; `control_path` as ssh's, '' for none."""

    playbook: str
    inventory: Inventory
    hosts: Sequence[str]
    run: str
    private_keys: Sequence[Path]
    known_hosts: Path
    control_path: str = ""
    check: bool = False


@dataclass(frozen=True)
class PlayResult:
    """Outcome and, of check mode, plan per host in the inventory's order; `problem` is beside the hosts."""

    hosts: Sequence[Host]
    problem: str = ""
    plans: Sequence[HostPlan] = ()


class PlaybookRunner(Protocol):
    """Ansible, driven for one inventory."""

    def run(self, request: PlayRequest, say: Say) -> PlayResult:
        """Converge; one failed host does not stop the others. No process is left behind when interrupted."""
        ...


class Convergence(Protocol):
    """What each converge left behind, so that a host on which nothing differs can be left alone."""

    def settled(self, inventory: Inventory, servers: Sequence[ServerOutput]) -> Mapping[str, str]:
        """Servers exactly as their last converge with these inputs left them, with that run's id."""
        ...

    def due(self, declared: Mapping[str, str], servers: Sequence[ServerOutput]) -> Sequence[str]:
        """Servers whose declaration, playbooks or tools are not those of their last converge; asks none."""
        ...

    def forget(self, servers: Sequence[ServerOutput]) -> None:
        """A converge begins on these servers: what was known of them no longer holds."""
        ...

    def record(self, inventory: Inventory, servers: Sequence[ServerOutput], run: str) -> None:
        """These servers were converged well in this run."""
        ...
