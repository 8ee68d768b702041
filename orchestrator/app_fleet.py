"""Reading a fleet with its roles judged: what every verb does first, without the weight of the adapters."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from orchestrator.errors import InputError
from orchestrator.inventory.roles import RoleCatalog
from orchestrator.settings import PROJECT_FILE, Settings, find_project, is_project
from stacks.fleet.include import Family, Unreadable, bytes_of
from stacks.fleet.loader import LoadedFleet, load
from stacks.fleet.mistakes import FleetInvalid, Mistake
from stacks.fleet.reader import NotYaml
from stacks.fleet.together import overlaps_between


def role_catalog(settings: Settings) -> RoleCatalog:
    """The roles of the playbooks that come with this version, and the project's own."""
    return RoleCatalog(settings.playbooks / "roles", settings.own_roles)


def read_fleet(settings: Settings, path: Path) -> LoadedFleet:
    """Load a fleet with its roles judged too; raises FleetInvalid."""
    return load(path, role_catalog(settings).check)


@dataclass(frozen=True)
class Validated:
    """What came of one fleet file: its stack and servers, or its mistakes."""

    path: Path
    stack: str = ""
    servers: tuple[str, ...] = ()
    included: tuple[Path, ...] = ()
    problem: FleetInvalid | None = None

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """None where the file is valid."""
        return self.problem.mistakes if self.problem else ()


def validate_files(settings: Settings, paths: Sequence[Path]) -> list[Validated]:
    """Each file by itself, then beside the others: no two for one stack, none in the way of another."""
    check = role_catalog(settings).check
    found: list[Validated] = []
    valid: dict[int, LoadedFleet] = {}
    by_stack: dict[str, Path] = {}
    for path in dict.fromkeys(paths):
        try:
            loaded = load(path, check)
        except FleetInvalid as problem:
            found.append(Validated(path, problem=problem))
            continue
        fleet = loaded.fleet
        names = tuple(name for _, name in fleet.server_names())
        row = Validated(path, fleet.stack, names, loaded.included)
        first = by_stack.setdefault(fleet.stack, path)
        if first is path:
            valid[len(found)] = loaded
        elif first.resolve() != path.resolve():
            twice = f"the stack {fleet.stack} is also described by {first}; keep one of them"
            row = replace(row, problem=FleetInvalid(path.name, [Mistake(("client",), twice)]))
        found.append(row)
    places = list(valid)
    for number, mistakes in overlaps_between(list(valid.values())).items():
        at = places[number]
        found[at] = replace(found[at], problem=FleetInvalid(found[at].path.name, mistakes))
    return found


def fleets_of(settings: Settings, here: Path) -> list[Path]:
    """Every fleet file of the project: all YAML below its fleets folders but what others include.

    Raises InputError where `here` is in no project, since nobody means the examples of another one by `all`.
    """
    if find_project(here) is None and not os.environ.get("STEWARD_PROJECT"):
        raise InputError(
            "fleets", "this folder is in no repository of fleets", place=str(here),
            next_step="Go to yours or set STEWARD_PROJECT to it; a new one: steward init DIR",
        )  # fmt: skip
    folders = [settings.project / "fleets", settings.project / "stacks" / "fleets"]
    paths = sorted(path for folder in folders for path in folder.rglob("*.y*ml") if path.is_file())
    if not paths:
        raise InputError(
            "fleets", "there is no fleet file here", place=str(folders[0]),
            next_step="Write one, or name files: steward validate FILE",
        )  # fmt: skip
    parts = {each for path in paths for each in included_by(path)}
    return [path for path in paths if path.resolve() not in parts]


def included_by(path: Path) -> Sequence[Path]:
    """The files that a fleet file or a part of one includes, valid or not."""
    try:
        raw = bytes_of(path)
        family = Family(path, raw)
        family.document(raw)
    except (Unreadable, NotYaml):
        return ()
    return family.files


def require_project(settings: Settings, fleet: Path | None = None) -> None:
    """Refuse where no repository of fleets is, before anything is made; raises InputError.

    Of a `fleet` file that is not there its reader has more to say.
    """
    if not is_project(settings.project) and (fleet is None or fleet.exists()):
        raise InputError(
            "project", f"no {PROJECT_FILE} of a Steward project here", place=str(settings.project),
            rule="stacks are kept in a repository of fleets",
            next_step="Go to your repository or set STEWARD_PROJECT to it; a new one: steward init DIR",
        )  # fmt: skip
    if settings.own_rules.is_dir():
        from orchestrator.policy_pack import open_pack  # few projects have rules of their own

        open_pack(settings)
