"""Prepared images of local servers: the base image with the Debian packages that many servers install.

Made in a container of its own and named only when it is whole, so that one that was killed is never used.
The name says the base image, the contents and the day (UTC): tomorrow's servers get tomorrow's packages.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from orchestrator.errors import StewardError, StoppedError
from orchestrator.file_lock import HeldError, file_lock
from orchestrator.inventory.prepared import Contents
from orchestrator.parallel import for_each
from orchestrator.ports.images import PreparedImages
from orchestrator.ports.run import Clock
from orchestrator.private_file import write_private
from orchestrator.process import run
from orchestrator.toolchain import recipe

VARIABLE: Final = "STEWARD_PREPARED_IMAGES"
"""Names, for the local provider, the file that says which server is made from which image."""
NAME: Final = "localhost/steward/prepared"
_SCRIPT: Final = recipe.HERE / "prepared" / "install.sh"
_BUILD_SECONDS: Final = 600.0
_COMMIT_SECONDS: Final = 300.0
_PODMAN_SECONDS: Final = 60.0
_LOCK_SECONDS: Final = 900.0
_AT_ONCE: Final = 2
_STILL_WANTED_SECONDS: Final = 3600.0
"""How old an image of another day is before it goes: a run over midnight may be making servers of it."""
_TAG: Final = re.compile(r"[0-9a-f]{12}-[0-9a-f]{12}-\d{8}")


@dataclass(frozen=True)
class _Image:
    """One image that is wanted: its name, what it holds, and which it is made from."""

    tag: str
    contents: Contents
    parent: str


class PodmanImages:
    """Implements `ports.images.ServerImages` for servers in Podman; `table` is the file that names them."""

    def __init__(self, base: str, runtime: str, cache: Path, table: Path, clock: Clock) -> None:
        self._base = base
        self._runtime = runtime
        self._cache = cache
        self._table = table
        self._clock = clock
        self._owner = hashlib.sha256(str(cache).encode()).hexdigest()[:8]

    def prepare(self, wanted: Mapping[str, Contents]) -> PreparedImages:
        """Make what is missing, write down which server gets which, and remove images of other days."""
        now = self._clock.now()
        tags = {name: image_tag(self._base, contents, now) for name, contents in wanted.items()}
        problems: list[str] = []
        there, usable = set[str](), set[str]()
        try:
            there = usable = self._existing() & set(tags.values())
            if set(tags.values()) - there:
                self._cache.mkdir(parents=True, exist_ok=True)
                with file_lock(self._cache / "prepare.lock", _LOCK_SECONDS):
                    problems += self._make(wanted, now)
                usable = self._existing() & set(tags.values())
        except StoppedError:
            raise
        except HeldError:
            problems.append("another run has been making one for too long")
        except (StewardError, OSError, ValueError) as problem:
            problems.append(_told(problem))
        problems += self._write({name: tag for name, tag in tags.items() if tag in usable})
        return PreparedImages(len(there), len(usable - there), tuple(dict.fromkeys(problems)))

    def _write(self, images: Mapping[str, str]) -> list[str]:
        """The table for the provider; why it could not be written, if so."""
        try:
            write_private(self._table, json.dumps(images))
        except OSError as problem:
            return [_told(problem)]
        return []

    def _make(self, wanted: Mapping[str, Contents], now: datetime) -> list[str]:
        """Everything that is missing, what all have in common first; why some are not. Under the lock."""
        self._remove_unfinished()
        self._remove_old(now)
        kinds = list(dict.fromkeys(wanted.values()))
        common = Contents(
            frozenset.intersection(*(each.packages for each in kinds)),
            frozenset.intersection(*(each.boots for each in kinds)),
        )
        there = self._existing()
        parent = self._base
        if len(kinds) > 1 and common.packages:
            parent = image_tag(self._base, common, now)
            if parent not in there:
                self._build(_Image(parent, common, self._base))
        images = [_Image(image_tag(self._base, each, now), each, parent) for each in kinds]
        missing = [image for image in images if image.tag not in there and image.tag != parent]
        told = for_each(missing, lambda image, _: self._tried(image), at_once=_AT_ONCE)
        return [problem for problem in told if problem]

    def _tried(self, image: _Image) -> str:
        """Make one image; why it could not be made, or nothing."""
        try:
            self._build(image)
        except StoppedError:
            raise
        except (StewardError, OSError) as problem:
            return _told(problem)
        return ""

    def _build(self, image: _Image) -> None:
        name = f"steward-prepare-{self._owner}-{secrets.token_hex(4)}"
        try:
            argv = build_argv(self._runtime, name, image.parent, image.contents)
            run(argv, timeout=_BUILD_SECONDS, stdin=_SCRIPT.read_bytes())
            run(commit_argv(name, image.tag, self._base), timeout=_COMMIT_SECONDS)
        finally:
            run(["podman", "rm", "--force", "--time", "0", name], timeout=_PODMAN_SECONDS, check=False)

    def _remove_unfinished(self) -> None:
        """Containers of builds that were killed: whoever holds the lock knows that none of them goes on."""
        prefix = f"steward-prepare-{self._owner}-"
        asked = ["podman", "ps", "--all", "--filter", f"name=^{prefix}", "--format", "{{.Names}}"]
        for name in run(asked, timeout=_PODMAN_SECONDS).stdout.split():
            if name.startswith(prefix):
                run(["podman", "rm", "--force", "--time", "0", name], timeout=_PODMAN_SECONDS, check=False)

    def _existing(self) -> set[str]:
        asked = [
            "podman",
            "image",
            "ls",
            "--filter",
            f"reference={NAME}:*",
            "--format",
            "{{.Repository}}:{{.Tag}}",
        ]
        return set(run(asked, timeout=_PODMAN_SECONDS).stdout.split())

    def _remove_old(self, now: datetime) -> None:
        """Images of other days; one that a server is made from stays until that server is gone."""
        asked = ["podman", "image", "ls", "--filter", f"reference={NAME}:*", "--format", "json"]
        for record in json.loads(run(asked, timeout=_PODMAN_SECONDS).stdout or "[]"):
            for name in record.get("Names") or []:
                if outlived(str(name), int(record.get("Created") or 0), now):
                    run(["podman", "image", "rm", str(name)], timeout=_PODMAN_SECONDS, check=False)


def image_tag(base: str, contents: Contents, now: datetime) -> str:
    """The name of an image in Podman's storage."""
    held = [sorted(contents.packages), sorted(contents.boots), _SCRIPT.read_text()]
    of_base = hashlib.sha256(base.encode()).hexdigest()[:12]
    return f"{NAME}:{of_base}-{recipe.digest_of(held)[:12]}-{now:%Y%m%d}"


def outlived(name: str, created: int, now: datetime) -> bool:
    """Whether an image is ours, of another day, and of no use to a run that is still at work."""
    tag = name.removeprefix(f"{NAME}:")
    if not _TAG.fullmatch(tag) or tag.endswith(f"-{now:%Y%m%d}"):
        return False
    return now.timestamp() - created > _STILL_WANTED_SECONDS


def build_argv(runtime: str, name: str, parent: str, contents: Contents) -> list[str]:
    """A container that installs the packages; the script comes on standard input."""
    limits = ["--ulimit", "nofile=4096:4096", "--ulimit", "nproc=4096:4096"]
    return [
        *("podman", "--runtime", runtime, "run", "--interactive", "--name", name, "--network", "podman"),
        *(*limits, "--log-driver", "none", parent, "sh", "-s", "--", " ".join(sorted(contents.boots))),
        *sorted(contents.packages),
    ]


def commit_argv(name: str, tag: str, base: str) -> list[str]:
    """The image of it, which says what it was made from."""
    said = [f"LABEL steward.base={base}", 'CMD ["/sbin/init"]']
    return ["podman", "commit", "--quiet", *(word for each in said for word in ("--change", each)), name, tag]


def _told(problem: Exception) -> str:
    """The reason in one line."""
    text = problem.message if isinstance(problem, StewardError) else str(problem)
    got = getattr(problem, "got", "") or ""
    return " ".join(f"{text} {got}".split())[-300:]
