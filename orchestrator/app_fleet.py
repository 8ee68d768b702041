"""Reading a fleet with its roles judged: what every verb does first, without the weight of the adapters."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.errors import InputError
from orchestrator.inventory.roles import RoleCatalog
from orchestrator.settings import PROJECT_FILE, Settings, is_project
from stacks.fleet.loader import LoadedFleet, load

if TYPE_CHECKING:
    from policies.pack import Pack


def role_catalog(settings: Settings) -> RoleCatalog:
    """The roles of the playbooks that come with this version."""
    return RoleCatalog(settings.playbooks / "roles")


def read_fleet(settings: Settings, path: Path) -> LoadedFleet:
    """Load a fleet with its roles judged too; raises FleetInvalid."""
    return load(path, role_catalog(settings).check)


def require_project(settings: Settings) -> None:
    """Refuse where no repository of fleets is, before anything is made; raises InputError."""
    if not is_project(settings.project):
        raise InputError(
            "project", f"no {PROJECT_FILE} of a Steward project here", place=str(settings.project),
            rule="stacks are kept in a repository of fleets",
            next_step="Go to your repository or set STEWARD_PROJECT to it; a new one: steward init DIR",
        )  # fmt: skip
    if settings.own_rules.is_dir():
        judge(settings)


def judge(settings: Settings) -> Pack:
    """The rules, ours and the project's own; raises InputError that names the file at fault."""
    from policies.model import PackError
    from policies.pack import load_pack

    try:
        return load_pack(settings.own_rules)
    except PackError as problem:
        raise InputError(
            "rules",
            str(problem),
            place=str(settings.own_rules),
            next_step="Mend it; then: steward policy test",
        ) from problem
