"""Reading a fleet with its roles judged: what every verb does first, without the weight of the adapters."""

from __future__ import annotations

from pathlib import Path

from orchestrator.inventory.roles import RoleCatalog
from orchestrator.settings import Settings
from stacks.fleet.loader import LoadedFleet, load


def role_catalog(settings: Settings) -> RoleCatalog:
    """The roles of the playbooks that come with this version."""
    return RoleCatalog(settings.project / "playbooks" / "roles")


def read_fleet(settings: Settings, path: Path) -> LoadedFleet:
    """Load a fleet with its roles judged too; raises FleetInvalid."""
    return load(path, role_catalog(settings).check)
