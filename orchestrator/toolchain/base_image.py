"""The base image of local servers: Debian as it is before Ansible, bootstrapped from the control machine's
own mirror.
"""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from orchestrator.process import run
from orchestrator.toolchain import recipe, store
from orchestrator.toolchain.progress import Progress

_BOOTSTRAP_SECONDS: Final = 1800.0
_IMPORT_SECONDS: Final = 600.0
_SUITES: Final = (recipe.IMAGE_SUITE, f"{recipe.IMAGE_SUITE}-updates", f"{recipe.IMAGE_SUITE}-security")


def archive(cache: Path) -> Path:
    """The image as a file, from which it can be imported again without a network."""
    return cache / "images" / f"{recipe.IMAGE_NAME}-{recipe.image_digest()[:12]}.tar"


def exists() -> bool:
    """Whether Podman's storage has the image."""
    return run(["podman", "image", "exists", recipe.image_tag()], timeout=60, check=False).returncode == 0


def provide(cache: Path, progress: Progress) -> str:
    """Bootstrap and import whatever is missing; returns the image's tag."""
    tar = archive(cache)
    if exists():
        return recipe.image_tag()
    if not _whole(tar):
        progress.step(
            f"base image {recipe.IMAGE_NAME}: installing Debian into a folder (about half a minute)"
        )
        _bootstrap(tar, progress)
    progress.step(f"base image {recipe.IMAGE_NAME}: importing it into Podman")
    run(["podman", "import", "--quiet", str(tar), recipe.image_tag()], timeout=_IMPORT_SECONDS)
    return recipe.image_tag()


def _bootstrap(tar: Path, progress: Progress) -> None:
    tar.parent.mkdir(parents=True, exist_ok=True)
    unfinished = tar.with_suffix(".unfinished.tar")
    unfinished.unlink(missing_ok=True)
    sources = apt_sources(_apt_targets())
    # "-" reads the sources from standard input; without any, mmdebstrap takes Debian's own mirrors.
    run(
        bootstrap_argv(unfinished, mirrors="-" if sources else None),
        stdin="".join(f"{line}\n" for line in sources) if sources else None,
        timeout=_BOOTSTRAP_SECONDS,
        on_line=progress.tick,
    )
    _checksum(tar).write_text(f"{store.hash_file(unfinished)}\n")
    unfinished.rename(tar)


def _checksum(tar: Path) -> Path:
    return tar.with_suffix(".tar.sha256")


def _whole(tar: Path) -> bool:
    """Whether the archive is there and as it was made."""
    if not (tar.is_file() and _checksum(tar).is_file()):
        return False
    return store.hash_file(tar) == _checksum(tar).read_text().strip()


def bootstrap_argv(target: Path, *, mirrors: str | None) -> list[str]:
    """Command line of mmdebstrap."""
    return [
        "mmdebstrap",
        "--variant=minbase",
        f"--include={','.join(recipe.IMAGE_PACKAGES)}",
        # Through sh, because an installed package may have lost its execute bits.
        f'--customize-hook=sh {shlex.quote(str(recipe.HERE / "image" / "customize.sh"))} "$1"',
        recipe.IMAGE_SUITE,
        str(target),
        *([mirrors] if mirrors else []),
    ]


def apt_sources(targets: Iterable[str]) -> list[str]:
    """Source lines of the image, one a suite, from `URI|release|component` lines of the control machine's
    apt.

    Nothing when a suite is missing. Mirrors that a server could not use (local files, other transports) or
    must not see
    (with a password in the URI) do not count.
    """
    found: dict[str, str] = {}
    for target in targets:
        uri, _, rest = target.strip().partition("|")
        release, _, component = rest.partition("|")
        parts = urlsplit(uri)
        usable = parts.scheme in {"http", "https"} and "@" not in parts.netloc
        if usable and component == "main" and release in _SUITES:
            found.setdefault(release, f"deb {uri.rstrip('/')} {release} main")
    return [found[suite] for suite in _SUITES] if len(found) == len(_SUITES) else []


def _apt_targets() -> Sequence[str]:
    if shutil.which("apt-get") is None:
        return ()
    form = "$(REPO_URI)|$(RELEASE)|$(COMPONENT)"
    argv = ["apt-get", "indextargets", "--format", form, "Created-By: Packages"]
    return run(argv, timeout=60, check=False).stdout.splitlines()
