"""The outer firewall as a server holds it: the file that a boot loads, and the table that is loaded now.

As root both are reached from outside, in a third of the time of `podman exec` and without running any
program of the server: by its network namespace and its disk, which Podman names and never gives to anybody
else (a process id may be another process's by now). No link on the disk is followed. Without root it is
`podman exec`.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import PurePosixPath

from stacks.providers.local import edge
from stacks.providers.local.podman import Finished, Podman, execute
from stacks.providers.local.records import Inspected

_MOST_BYTES = 65_536
"""What root on the server can write here is bounded, for it becomes part of the state and of messages."""
# Protocols as numbers: a package that brings /etc/protocols would else change the words of the same rules.
_LIST = ("nft", "--stateless", "--numeric-protocol", "list", "table", *edge.TABLE.split())
# The new file takes the old one's place only after nft accepted it; it holds now and after a boot.
_APPLY = (
    f"umask 022 && mkdir -p /etc/steward && cat > {edge.PATH}.new && nft -c -f {edge.PATH}.new && "
    f"mv {edge.PATH}.new {edge.PATH} && nft -f {edge.PATH}"
)
_SEE = f"sha256sum < {edge.PATH} | cut -c1-64; {' '.join(_LIST)} 2>/dev/null | head -c {_MOST_BYTES}"


@dataclass(frozen=True)
class Seen:
    """SHA-256 of the file in hex, of nothing without one; the loaded table in nft's words, '' without one."""

    digest: str
    live: str


def apply(podman: Podman, container: Inspected, text: str) -> str:
    """Keep and load a rendered table; '' or what went wrong. What held before a failure still holds."""
    if not _from_outside(container):
        ended = podman.inside(container.name, "sh", "-c", _APPLY, stdin=text.encode())
        return "" if ended.code == 0 else ended.stderr[-300:] or f"exit code {ended.code}"
    try:
        refused = _nft(container, "-c", "-f", "-", stdin=text)
        if refused:
            return refused
        with _folder(container) as folder:
            _write(folder, PurePosixPath(edge.PATH).name, text)
        return _nft(container, "-f", "-", stdin=text)
    except OSError as error:
        return str(error)


def see(podman: Podman, container: Inspected) -> Seen | None:
    """Both as they are now; None when nobody could look."""
    if not _from_outside(container):
        ended = podman.inside(container.name, "sh", "-c", _SEE)
        digest, _, live = ended.stdout.decode(errors="replace").partition("\n")
        return Seen(digest, live) if ended.code == 0 else None
    listed = _in_network(container, *_LIST)
    try:
        with _folder(container) as folder:
            content = _read(folder, PurePosixPath(edge.PATH).name)
    except OSError:
        content = b""
    return Seen(hashlib.sha256(content).hexdigest(), listed.stdout[:_MOST_BYTES].decode(errors="replace"))


def _from_outside(container: Inspected) -> bool:
    return os.geteuid() == 0 and bool(container.network_namespace and container.disk)


def _nft(container: Inspected, *words: str, stdin: str) -> str:
    ended = _in_network(container, "nft", *words, stdin=stdin.encode())
    return "" if ended.code == 0 else ended.stderr[-300:] or f"exit code {ended.code}"


def _in_network(container: Inspected, *argv: str, stdin: bytes | None = None) -> Finished:
    return execute(("nsenter", f"--net={container.network_namespace}", *argv), stdin=stdin, timeout=30.0)


@contextmanager
def _folder(container: Inspected) -> Iterator[int]:
    """The file's folder on the server's disk, as a descriptor; made where it is missing."""
    descriptor = os.open(container.disk, os.O_PATH | os.O_DIRECTORY)
    try:
        for name in PurePosixPath(edge.PATH).parts[1:-1]:
            with suppress(FileExistsError):
                os.mkdir(name, 0o755, dir_fd=descriptor)
            inner = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = inner
        yield descriptor
    finally:
        os.close(descriptor)


def _write(folder: int, name: str, text: str) -> None:
    draft = f"{name}.new"
    with suppress(FileNotFoundError):
        os.unlink(draft, dir_fd=folder)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with os.fdopen(os.open(draft, flags, 0o644, dir_fd=folder), "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), 0o644)
        file.write(text)
    os.rename(draft, name, src_dir_fd=folder, dst_dir_fd=folder)


def _read(folder: int, name: str) -> bytes:
    """At most what is bounded; OSError where it is no regular file."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK  # a pipe there must not hold us up
    with os.fdopen(os.open(name, flags, dir_fd=folder), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(f"{edge.PATH} is no regular file")
        return file.read(_MOST_BYTES)
