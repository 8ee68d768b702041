"""Set-up of the toolchain, in order and resumable: each part is kept under its own digest, the toolchain
folder is put together last.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from orchestrator.errors import StewardError
from orchestrator.file_lock import HeldError, file_lock
from orchestrator.settings import Settings, ToolchainSource
from orchestrator.toolchain import (
    base_image,
    container_runtime,
    control_machine,
    gobuild,
    pulumi_cli,
    recipe,
    store,
    wheels,
)
from orchestrator.toolchain.environment import IMAGES, Toolchain, load_toolchain, toolchain_root
from orchestrator.toolchain.progress import Progress
from orchestrator.toolchain.versions import on_path

_LOCK_SECONDS = 7200.0
_SOURCES: dict[ToolchainSource, str] = {
    "path": pulumi_cli.FROM_PATH,
    "official": pulumi_cli.FROM_RELEASE,
    "modules": gobuild.FROM_MODULES,
}
"""How a manifest's source begins for each choice."""


@dataclass(frozen=True)
class Installed:
    """The toolchain, and whether anything had to be done for it."""

    toolchain: Toolchain
    changed: bool
    duration_seconds: float


def install(settings: Settings, progress: Progress) -> Installed:
    """Bring this machine to the toolchain that this version wants; a second call is quick and changes
    nothing.
    """
    began = time.monotonic()
    found = _complete(settings)
    if found is not None:
        return Installed(found, changed=False, duration_seconds=time.monotonic() - began)
    settings.cache.mkdir(parents=True, exist_ok=True)
    control_machine.provide_packages(progress)
    control_machine.raise_inotify(progress)
    with _alone(settings.cache, progress):
        for parent in (settings.cache / "parts", settings.cache / "toolchain"):
            store.remove_leftovers(parent)
        _install_parts(settings, progress)
    return Installed(load_toolchain(settings), changed=True, duration_seconds=time.monotonic() - began)


@contextmanager
def _alone(cache: Path, progress: Progress) -> Iterator[None]:
    """Hold the machine's set-up lock; the kernel drops it when its holder is killed."""
    with ExitStack() as until_the_end:
        try:
            until_the_end.enter_context(file_lock(cache / "setup.lock", wait_seconds=0))
        except HeldError:
            progress.step("waiting for another set-up on this machine")
            until_the_end.enter_context(file_lock(cache / "setup.lock", _LOCK_SECONDS))
        yield


def _complete(settings: Settings) -> Toolchain | None:
    """The toolchain if there is nothing left to do: the quick way out of every `make` target."""
    if control_machine.missing_packages(control_machine.wanted_packages()):
        return None
    limit = control_machine.inotify_limit()
    if limit is not None and limit < control_machine.INOTIFY_WANTED and control_machine.may_raise_inotify():
        return None
    try:
        toolchain = load_toolchain(settings)
    except StewardError:
        return None
    if store.touched(toolchain.root) and store.tampered(toolchain.root, content=True):
        return None
    if not _fits(settings.toolchain, toolchain.root) or not base_image.exists():
        return None
    return toolchain


def _fits(wanted: ToolchainSource, folder: Path) -> bool:
    """Whether the folder came from the source that was asked for."""
    manifest = store.read_manifest(folder)
    return manifest is not None and (wanted == "auto" or manifest.source.startswith(_SOURCES[wanted]))


def _install_parts(settings: Settings, progress: Progress) -> None:
    cache = settings.cache
    pulumi = _part(
        cache,
        "pulumi",
        recipe.build_digest(recipe.PULUMI_BUILD),
        lambda folder: pulumi_cli.provide(folder, cache, settings.toolchain, progress),
        fits=lambda folder: _fits(settings.toolchain, folder),
    )
    backup = _part(
        cache,
        "backup",
        recipe.build_digest(recipe.BACKUP_BUILD),
        lambda folder: _backup_programs(folder, settings, progress),
        fits=lambda folder: settings.toolchain != "path" or _fits("path", folder),
    )
    collections = _part(
        cache, "collections", recipe.collections_digest(), lambda folder: _collections(folder, progress)
    )
    tag = base_image.provide(cache, progress)
    root = toolchain_root(cache)
    if not store.tampered(root, content=True) and _fits(settings.toolchain, root):
        return
    progress.step("booting a server once to see which container runtime works")
    runtime = container_runtime.probe(tag)

    def assemble(folder: Path) -> str:
        for part in (pulumi, backup):
            store.link_tree(part / "bin", folder / "bin")
        store.link_tree(collections, folder / "collections")
        for wrapper in sorted((recipe.HERE / "wrappers").iterdir()):
            program = folder / "bin" / wrapper.name
            if not program.exists():  # Pulumi's own release brings a language host
                shutil.copyfile(wrapper, program)
                program.chmod(0o755)
        (folder / IMAGES).write_text(json.dumps({"runtime": runtime, recipe.IMAGE_NAME: tag}) + "\n")
        return _source(pulumi)

    store.publish(root, name="toolchain", digest=recipe.toolchain_digest(), fill=assemble)


def _source(folder: Path) -> str:
    manifest = store.read_manifest(folder)
    return manifest.source if manifest is not None else ""


def _part(
    cache: Path,
    name: str,
    digest: str,
    fill: Callable[[Path], str],
    *,
    fits: Callable[[Path], bool] = lambda _folder: True,
) -> Path:
    """Folder of a whole part; builds it where it is missing, was changed, or came from another source."""
    folder = cache / "parts" / f"{name}-{digest[:16]}"
    if store.tampered(folder, content=True) or not fits(folder):
        store.publish(folder, name=name, digest=digest, fill=fill)
    return folder


def _backup_programs(folder: Path, settings: Settings, progress: Progress) -> str:
    """restic and rest-server: from PATH only when that was asked for, because servers run copies of these
    very files.
    """
    if settings.toolchain == "path":
        restic = on_path("restic", recipe.RESTIC_LOWEST, "version", outside=settings.cache)
        server = on_path("rest-server", recipe.REST_SERVER_LOWEST, "--version", outside=settings.cache)
        if restic is not None and server is not None:
            (folder / "bin").mkdir()
            shutil.copy2(restic, folder / "bin" / "restic")
            shutil.copy2(server, folder / "bin" / "rest-server")
            return f"{pulumi_cli.FROM_PATH} ({restic}, {server})"
    progress.step(
        f"restic {recipe.RESTIC_VERSION}, rest-server {recipe.REST_SERVER_VERSION}: building from Go modules"
    )
    go = gobuild.provide_go(settings.cache, progress)
    return gobuild.build(recipe.BACKUP_BUILD, go, folder, settings.cache, progress)


def _collections(folder: Path, progress: Progress) -> str:
    progress.step("Ansible collections: " + ", ".join(recipe.COLLECTIONS))
    return wheels.unpack_collections(folder, progress)
