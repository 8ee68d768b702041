"""Files that only their owner may read."""

from __future__ import annotations

import os
from pathlib import Path
from threading import get_ident


def make_private_folder(folder: Path) -> None:
    """A folder of mode 0700, with all above it that is not there yet."""
    for each in reversed([each for each in (folder, *folder.parents) if not each.exists()]):
        each.mkdir(mode=0o700, exist_ok=True)  # `parents=True` would leave those above to the umask


def write_private(path: Path, content: str | bytes) -> None:
    """Write a file of mode 0600 whole or not at all; folders that it makes have mode 0700."""
    make_private_folder(path.parent)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{get_ident()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content.encode() if isinstance(content, str) else content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
