"""Files out of wheels that are pinned by hash; pip fetches them, so every index and proxy setting of the
machine applies.
"""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path

from orchestrator.errors import ToolError
from orchestrator.process import run
from orchestrator.toolchain import recipe
from orchestrator.toolchain.progress import Progress

_DOWNLOAD_SECONDS = 1200.0


def download(pin: str, into: Path, progress: Progress) -> Path:
    """Fetch the wheel that `requirements/<pin>.txt` names, refuse any other content, and return its path."""
    into.mkdir(parents=True, exist_ok=True)
    requirements = recipe.HERE / "requirements" / f"{pin}.txt"
    options = ["--no-deps", "--require-hashes", "--only-binary=:all:", "--progress-bar=off"]
    run(
        [
            sys.executable,
            "-m",
            "pip",
            "download",
            *options,
            "--dest",
            str(into),
            "--requirement",
            str(requirements),
        ],
        timeout=_DOWNLOAD_SECONDS,
        on_line=progress.tick,
    )
    wheels = list(into.glob("*.whl"))
    if len(wheels) != 1:
        raise ToolError("pip", "did not leave exactly one wheel", place=str(into), got=str(len(wheels)))
    return wheels[0]


def unpack(wheel: Path, prefixes: Iterable[str], target: Path) -> None:
    """Extract the files under these prefixes; execute bits are kept, because Go's tools need them."""
    wanted = tuple(prefixes)
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.infolist():
            if not entry.is_dir() and entry.filename.startswith(wanted):
                path = Path(archive.extract(entry, target))
                if mode := entry.external_attr >> 16 & 0o777:
                    path.chmod(mode | 0o600)


def unpack_collections(folder: Path, progress: Progress) -> str:
    """Put the pinned Ansible collections into `folder` and say where they came from."""
    wheel = download("collections", folder / ".wheel", progress)
    prefixes = [f"ansible_collections/{name.replace('.', '/')}/" for name in recipe.COLLECTIONS]
    unpack(wheel, prefixes, folder)
    wheel.unlink()
    wheel.parent.rmdir()
    for name in recipe.COLLECTIONS:
        if not (folder / "ansible_collections" / name.replace(".", "/") / "MANIFEST.json").is_file():
            raise ToolError("collections", f"{name} is not in the wheel", place=wheel.name)
    return f"wheel ansible {recipe.COLLECTIONS_VERSION}"
