"""What the toolchain is made of, as values; its digest names the folder that set-up fills.

Whoever changes a pin, a module file, a build flag or anything under `image/` gets a new digest, and so a
new folder.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent

PULUMI_VERSION: Final = "3.259.0"
PULUMI_LOWEST: Final = (3, 256, 0)
RESTIC_VERSION: Final = "0.18.1"
RESTIC_LOWEST: Final = (0, 17, 0)
REST_SERVER_VERSION: Final = "0.14.0"
REST_SERVER_LOWEST: Final = (0, 13, 0)
GO_LOWEST: Final = (1, 26)
COLLECTIONS_VERSION: Final = "12.3.0"
COLLECTIONS: Final = ("ansible.posix", "community.crypto", "community.postgresql")

IMAGE_NAME: Final = "debian-12"
IMAGE_SUITE: Final = "bookworm"
IMAGE_PACKAGES: Final = (
    "ca-certificates",
    "dbus",
    "iproute2",
    "nftables",
    "openssh-server",
    "procps",
    "python3",
    "python3-apt",
    "sudo",
    "systemd",
    "systemd-sysv",
    "udev",
)


@dataclass(frozen=True)
class GoBuild:
    """One build from Go modules: a folder with go.mod and go.sum, and the commands it yields."""

    name: str
    packages: tuple[str, ...]
    flags: tuple[str, ...]
    files: tuple[str, ...]

    @property
    def modules(self) -> Path:
        """Folder with go.mod, go.sum and tools.go."""
        return HERE / "gomodules" / self.name


_PLAIN: Final = ("-mod=readonly", "-trimpath", "-buildvcs=false")

PULUMI_BUILD: Final = GoBuild(
    name="pulumi",
    packages=("github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",),
    # Without the version the Automation API refuses the CLI.
    flags=(
        *_PLAIN,
        "-tags=osusergo,grpcnotrace",
        f"-ldflags=-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v{PULUMI_VERSION}",
    ),
    files=("pulumi",),
)
BACKUP_BUILD: Final = GoBuild(
    name="backup",
    packages=("github.com/restic/restic/cmd/restic", "github.com/restic/rest-server/cmd/rest-server"),
    flags=(*_PLAIN, "-ldflags=-s -w"),
    files=("restic", "rest-server"),
)


def _files_digest(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def digest_of(parts: Iterable[object]) -> str:
    """SHA-256 of JSON values in order; stable over machines and Python versions."""
    return hashlib.sha256(json.dumps(list(parts), sort_keys=True).encode()).hexdigest()


@cache
def build_digest(build: GoBuild) -> str:
    """Digest of one Go build: module files, packages, flags, and the machine it is for."""
    return digest_of([_files_digest(build.modules), build.packages, build.flags, machine()])


@cache
def collections_digest() -> str:
    """Digest of the pinned wheel and of the collections taken from it."""
    pin = (HERE / "requirements" / "collections.txt").read_text()
    return digest_of([pin, COLLECTIONS])


@cache
def image_digest() -> str:
    """Digest of the base image's recipe; mirrors are the control machine's own and do not count."""
    return digest_of([IMAGE_SUITE, IMAGE_PACKAGES, _files_digest(HERE / "image"), machine()])


@cache
def toolchain_digest() -> str:
    """Digest of all parts together."""
    wrappers = _files_digest(HERE / "wrappers")
    parts = [
        build_digest(PULUMI_BUILD),
        build_digest(BACKUP_BUILD),
        collections_digest(),
        image_digest(),
        wrappers,
    ]
    return digest_of(parts)[:16]


def machine() -> str:
    """Operating system and processor, such as linux-x86_64."""
    return f"{platform.system().lower()}-{platform.machine()}"


def image_tag() -> str:
    """Name of the base image in Podman's storage."""
    return f"localhost/steward/{IMAGE_NAME}:{image_digest()[:12]}"
