"""The Pulumi CLI, from the first source that has it: PATH, Pulumi's own release, or Go modules."""

from __future__ import annotations

import shutil
import socket
import sys
from pathlib import Path
from typing import Final

from orchestrator.errors import InputError, ToolError
from orchestrator.process import run
from orchestrator.settings import ToolchainSource
from orchestrator.toolchain import gobuild, recipe
from orchestrator.toolchain.progress import Progress
from orchestrator.toolchain.versions import on_path

FROM_PATH: Final = "PATH"
FROM_RELEASE: Final = "official release"
HOST: Final = "pulumi-language-python"
_RELEASE_HOST: Final = ("get.pulumi.com", 443)
_REACH_SECONDS: Final = 3.0
_INSTALL_SECONDS: Final = 1200.0
_INSTALL: Final = (
    "import sys, semver; from pulumi.automation import PulumiCommand;"
    "PulumiCommand.install(root=sys.argv[1], version=semver.VersionInfo.parse(sys.argv[2]))"
)


def provide(folder: Path, cache: Path, wanted: ToolchainSource, progress: Progress) -> str:
    """Put `bin/pulumi` into `folder` and say where it came from."""
    if wanted in {"auto", "path"}:
        found = on_path("pulumi", recipe.PULUMI_LOWEST, "version", outside=cache)
        if found is not None:
            return _copy(found, folder)
        if wanted == "path":
            lowest = ".".join(map(str, recipe.PULUMI_LOWEST))
            raise InputError(
                "pulumi",
                f"is not on PATH in version {lowest} or newer",
                rule="STEWARD_TOOLCHAIN=path",
                next_step="Install it, or set STEWARD_TOOLCHAIN=modules.",
            )
    if wanted == "official":
        return _official(folder, progress)
    if wanted == "auto" and _reachable():
        try:
            return _official(folder, progress)
        except ToolError as error:
            progress.step(f"pulumi: no official release here ({error.message})")
            shutil.rmtree(folder / "bin", ignore_errors=True)
    progress.step(f"pulumi {recipe.PULUMI_VERSION}: building from Go modules (minutes the first time)")
    return gobuild.build(recipe.PULUMI_BUILD, gobuild.provide_go(cache, progress), folder, cache, progress)


def _copy(found: Path, folder: Path) -> str:
    """Take the CLI with the programs that its release put next to it, language hosts among them."""
    target = folder / "bin"
    target.mkdir()
    for path in sorted(found.parent.glob("pulumi*")):
        if path.is_file():
            shutil.copy2(path, target / path.name)
    return f"{FROM_PATH} ({found})"


def _official(folder: Path, progress: Progress) -> str:
    """Let the SDK fetch the release, in a process of its own: it has no time limit and brings many kinds of
    errors.
    """
    progress.step(f"pulumi {recipe.PULUMI_VERSION}: fetching Pulumi's release")
    run([sys.executable, "-P", "-c", _INSTALL, str(folder), recipe.PULUMI_VERSION], timeout=_INSTALL_SECONDS)
    if not (folder / "bin" / "pulumi").is_file():
        raise ToolError("pulumi", "its installer left no bin/pulumi", place=str(folder))
    return FROM_RELEASE


def _reachable() -> bool:
    """Whether the host of Pulumi's releases answers at all; behind a package proxy it does not."""
    try:
        with socket.create_connection(_RELEASE_HOST, timeout=_REACH_SECONDS):
            return True
    except OSError:
        return False
