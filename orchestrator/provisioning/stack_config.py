"""A stack's configuration file, `stacks/config/Pulumi.STACK.yaml`: fleet, ids, admin key."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from orchestrator.errors import InputError
from orchestrator.ports.run import StackRecord

PROJECT = "steward"


@dataclass(frozen=True)
class StackConfig:
    """The values of one file, None where it does not say."""

    fleet: str | None = None
    client_id: str | None = None
    stack_id: str | None = None
    admin_key: str | None = None


def config_path(project: Path, stack: str) -> Path:
    """Where Pulumi keeps the stack's configuration (`stackConfigDir` in Pulumi.yaml)."""
    return project / "stacks" / "config" / f"Pulumi.{stack}.yaml"


def stacks_folder(home: Path) -> Path:
    """Where the file backend in STEWARD_HOME keeps the last state of each stack."""
    return home / "pulumi" / ".pulumi" / "stacks" / PROJECT


def read_config(path: Path) -> StackConfig:
    """Read the file; a missing one says nothing. Raises InputError when it is not YAML."""
    if not path.exists():
        return StackConfig()
    try:
        document = YAML(typ="safe", pure=True).load(path.read_text())
    except (YAMLError, UnicodeDecodeError) as problem:
        raise InputError(
            path.name,
            "the stack's configuration is not valid YAML",
            next_step="Restore it from version control.",
        ) from problem
    values = document.get("config") or {} if isinstance(document, dict) else document or {}
    if not isinstance(values, dict):
        raise InputError(
            path.name,
            "the stack's configuration is not a mapping",
            next_step="Restore it from version control.",
        )
    found = (values.get(f"{PROJECT}:{key}") for key in ("fleet", "clientId", "stackId", "adminKey"))
    return StackConfig(*(None if value is None else str(value) for value in found))


def fleet_reference(project: Path, fleet_file: Path) -> str:
    """The fleet file as the configuration names it: relative to the project when it lies inside."""
    try:
        return str(fleet_file.resolve().relative_to(project.resolve()))
    except ValueError:
        return str(fleet_file.resolve())


def check_agreement(
    stack: str, project: Path, config: StackConfig, record: StackRecord | None, fleet_file: Path
) -> None:
    """Refuse when configuration, ledger and fleet speak of different things; raises InputError."""
    place = f"stacks/config/Pulumi.{stack}.yaml"
    if config.stack_id is not None and (record is None or config.stack_id != record.id):
        known = (
            f"this installation knows {record.id}" if record else "this installation does not know that stack"
        )
        raise InputError(
            stack,
            f"the configuration belongs to another state of this stack ({known})",
            place=f"{place}: steward:stackId",
            got=config.stack_id,
            next_step="Point STEWARD_HOME to the state it was made with, or remove the file for a new stack.",
        )
    if config.fleet is None:
        return
    named = project / config.fleet
    if named.exists() and named.resolve() != fleet_file.resolve():
        raise InputError(
            stack,
            "stack and fleet disagree: the stack is described by another file",
            place=f"{place}: steward:fleet",
            got=f"{config.fleet}, not {fleet_reference(project, fleet_file)}",
            next_step=f"Use --fleet {config.fleet}, or move the fleet there.",
        )
