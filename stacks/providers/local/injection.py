"""Files put into a server before its first boot, as one tar stream that touches no other disk."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from stacks.providers.local import edge
from stacks.providers.local.hostkeys import HostKey

STEWARD_UID = 1000
"""The base image's user `steward`."""
HOST_KEY = "/etc/ssh/ssh_host_ed25519_key"
AUTHORIZED_KEYS = "/home/steward/.ssh/authorized_keys"


@dataclass(frozen=True)
class Entry:
    """One file or folder (content None) with owner and mode."""

    path: str
    mode: int
    content: bytes | None = field(default=None, repr=False)
    owner: int = 0


def authorized_keys(keys: Sequence[str]) -> bytes:
    """The file's bytes: one key a line."""
    return "".join(f"{key.strip()}\n" for key in keys).encode()


def first_boot(incarnation: str, key: HostKey, keys: Sequence[str], gateway: str) -> list[Entry]:
    """What a server needs before it runs: its identity, who may come in, and a closed firewall."""
    return [
        Entry("/etc/machine-id", 0o444, f"{incarnation}\n".encode()),
        Entry(HOST_KEY, 0o600, key.private),
        Entry(f"{HOST_KEY}.pub", 0o644, f"{key.public}\n".encode()),
        Entry("/home/steward/.ssh", 0o700, None, STEWARD_UID),
        Entry(AUTHORIZED_KEYS, 0o600, authorized_keys(keys), STEWARD_UID),
        Entry("/etc/steward", 0o755),
        Entry(edge.PATH, 0o644, edge.render(gateway).encode()),
    ]


def archive(entries: Iterable[Entry], when: float) -> bytes:
    """The entries as a tar stream; `when` (seconds since 1970) becomes their modification time."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for entry in entries:
            header = tarfile.TarInfo(entry.path.lstrip("/"))
            header.mode, header.mtime = entry.mode, int(when)
            header.uid = header.gid = entry.owner
            if entry.content is None:
                header.type = tarfile.DIRTYPE
                tar.addfile(header)
            else:
                header.size = len(entry.content)
                tar.addfile(header, io.BytesIO(entry.content))
    return stream.getvalue()
