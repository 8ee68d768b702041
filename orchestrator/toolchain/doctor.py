"""What is there, in which version, what is wrong with it, and the command that mends it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from orchestrator.errors import StewardError
from orchestrator.settings import Settings
from orchestrator.toolchain import doctor_machine as machine
from orchestrator.toolchain import gobuild, pulumi_cli, recipe, store
from orchestrator.toolchain.environment import Toolchain, load_toolchain, toolchain_root
from orchestrator.toolchain.part import SET_UP, Part, absent, good, wrong
from orchestrator.toolchain.versions import Version, program_version, show


class DoctorReport(BaseModel):
    """The document of `steward doctor --json`."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    schema_name: str = Field(default="steward.doctor/1", alias="schema")
    ok: bool
    parts: tuple[Part, ...]


def examine(settings: Settings) -> DoctorReport:
    """Look at every part; changes nothing and needs no network."""
    parts = tuple(_parts(settings))
    return DoctorReport(ok=all(not part.problem for part in parts), parts=parts)


@dataclass(frozen=True)
class _Found:
    """What set-up left, hashed once for all checks."""

    root: Path
    toolchain: Toolchain | None
    changed: frozenset[str]
    """Files that are not as set-up left them, relative to the root."""


def _parts(settings: Settings) -> Iterator[Part]:
    found = _found(settings)
    yield machine.python()
    yield machine.dependencies(settings.code)
    yield _go(settings, found)
    yield _program(found, "pulumi", recipe.PULUMI_LOWEST, "version")
    yield _language_host(found)
    yield _program(found, "restic", recipe.RESTIC_LOWEST, "version")
    yield _program(found, "rest-server", recipe.REST_SERVER_LOWEST, "--version")
    yield _collections(found)
    yield machine.packages()
    yield machine.podman()
    yield machine.runtime(found.toolchain.runtime if found.toolchain else "")
    yield machine.image()
    yield machine.inotify()
    yield machine.ssh()
    yield machine.state_folder(settings.home)
    yield machine.disk(settings.cache)


def _found(settings: Settings) -> _Found:
    root = toolchain_root(settings.cache)
    try:
        toolchain = load_toolchain(settings)
    except StewardError:
        toolchain = None
    return _Found(root, toolchain, frozenset(store.tampered(root, content=True)))


def _go(settings: Settings, found: _Found) -> Part:
    """Go builds the toolchain and is not needed any more once that is there."""
    go = gobuild.find_go(settings.cache)
    if go is None:
        note = "not needed: the toolchain is built" if found.toolchain else "set-up fetches it when it builds"
        return Part(name="go", found=False, where=note)
    return good("go", show(program_version(go)), go)


def _program(found: _Found, name: str, lowest: Version, *arguments: str) -> Part:
    path = found.root / "bin" / name
    if not path.is_file():
        return absent(name, "is not installed", SET_UP, where=str(path))
    if f"bin/{name}" in found.changed:
        # It is not run: nobody knows what it is.
        return wrong(name, path, "differs from what set-up installed", SET_UP)
    version = program_version(path, *arguments)
    if version is None or version < lowest:
        says = show(version) or "nothing"
        return wrong(name, path, f"says version {says}, needed is {show(lowest)} or newer", SET_UP)
    return good(name, show(version), path)


def _language_host(found: _Found) -> Part:
    name = pulumi_cli.HOST
    path = found.root / "bin" / name
    if not path.is_file():
        return absent(name, "is not installed", SET_UP, where=str(path))
    if f"bin/{name}" in found.changed:
        return wrong(name, path, "differs from what set-up installed", SET_UP)
    if not os.access(path, os.X_OK):
        return wrong(name, path, "is not executable", SET_UP)
    return good(name, "", path)


def _collections(found: _Found) -> Part:
    folder = found.root / "collections"
    if not folder.is_dir():
        return absent("collections", "are not installed", SET_UP, where=str(folder))
    changed = [name for name in found.changed if name.startswith("collections/")]
    if changed:
        return wrong("collections", folder, f"{len(changed)} files differ from what set-up installed", SET_UP)
    return good("collections", recipe.COLLECTIONS_VERSION, folder)
