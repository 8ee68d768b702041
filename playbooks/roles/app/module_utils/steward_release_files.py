"""Files of a release, and one request to what it runs: what the module steward_release stands on."""

from __future__ import annotations

import hashlib
import http.client
import os
import re
from pathlib import Path
from typing import Any


def answer(health: dict[str, Any]) -> str:
    """Status of one request to the application, or why there is none."""
    connection = http.client.HTTPConnection("127.0.0.1", health["port"], timeout=3)
    try:
        connection.request("GET", health["path"])
        return str(connection.getresponse().status)
    except (OSError, http.client.HTTPException) as problem:
        return f"no answer ({problem})"
    finally:
        connection.close()


def sha256_of(path: str) -> str:
    """Digest of a file in hex."""
    digest = hashlib.sha256()
    with open(path, "rb") as source:
        while block := source.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def flatten(code: Path) -> None:
    """An archive that holds one folder means what is in it."""
    inside = list(code.iterdir())
    if len(inside) == 1 and inside[0].is_dir() and not inside[0].is_symlink():
        aside = code.with_name("unpacked")
        inside[0].rename(aside)
        code.rmdir()
        aside.rename(code)


def give_to_root(code: Path, group: int) -> None:
    """The application may read and run its code, never change it; no bit that lends rights survives."""
    for folder, folders, files in os.walk(code):
        for path in [folder, *(os.path.join(folder, name) for name in folders + files)]:
            os.lchown(path, 0, group)
            if not os.path.islink(path):
                os.chmod(path, (os.lstat(path).st_mode | 0o400) & 0o750)


def quoted(value: str) -> str:
    """A value as systemd's EnvironmentFile reads it back unchanged."""
    return '"' + re.sub(r'([\\"$`])', r"\\\1", value) + '"'


def private(path: Path, content: str, mode: int, group: int) -> None:
    """Write a file that is never readable by more than it should be."""
    temporary = path.with_name(f".{path.name}")
    temporary.unlink(missing_ok=True)
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        out.write(content)
        os.fchown(out.fileno(), 0, group)
        os.fchmod(out.fileno(), mode)
    os.replace(temporary, path)
