"""Where things lie on a host, and the plans and the repository as the role `backup` wrote them."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from steward_backup.errors import BackupError

CONFIGURATION = Path("/etc/steward/backup")
RECORDS = Path("/var/lib/steward/backup")
SCRATCH = Path("/var/lib/steward/restore")
CACHE = Path("/var/cache/steward/restic")
RESTIC = Path("/usr/local/lib/steward/restic")

LENT = ("url", "user", "http_password", "password", "certificate", "plan_id")

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}\Z")
RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,79}\Z")


@dataclass(frozen=True)
class Lent:
    """What opens a repository that is not this host's own, for one restore: the password is never on disk.

    The folder holds the vault's certificate and restic's cache, and goes with the restore.
    """

    password: str
    folder: Path


@dataclass(frozen=True)
class Repository:
    """The vault's address of this host's repository, and the secrets that open it.

    `limit` and `quiet` bound restic: seconds as a whole, and seconds without progress of a backup.
    """

    url: str
    user: str
    incarnation: str
    http_password: str
    postgresql_port: int
    limit: float
    quiet: float
    lent: Lent | None = None

    def environment(self) -> dict[str, str]:
        """What restic reads; no secret ever stands in an argument list."""
        opens = {
            "RESTIC_PASSWORD_FILE": str(CONFIGURATION / "repository.password"),
            "RESTIC_CACERT": str(CONFIGURATION / "vault.crt"),
            "RESTIC_CACHE_DIR": str(CACHE),
        }
        if self.lent is not None:
            opens = {
                "RESTIC_PASSWORD": self.lent.password,
                "RESTIC_CACERT": str(self.lent.folder / "vault.crt"),
                "RESTIC_CACHE_DIR": str(self.lent.folder / "cache"),
            }
        return {
            "PATH": "/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "HOME": "/root",
            "RESTIC_REPOSITORY": f"rest:{self.url}",
            **opens,
            "RESTIC_REST_USERNAME": self.user,
            "RESTIC_REST_PASSWORD": self.http_password,
            "RESTIC_PROGRESS_FPS": "0.2",
        }


@dataclass(frozen=True)
class Plan:
    """What one plan protects on this host; `keep` is recorded here and acted on elsewhere."""

    name: str
    id: str
    kind: str
    paths: tuple[str, ...]
    databases: tuple[str, ...]
    keep: dict[str, int]

    @property
    def records(self) -> Path:
        """Folder of this plan's lock, records and staging."""
        return RECORDS / self.name

    @property
    def staging(self) -> Path:
        """Folder whose content goes into the snapshot beside the plan's own paths."""
        return self.records / "staging"

    @property
    def tags(self) -> tuple[str, ...]:
        """Tags by which this plan's snapshots are known; the id keeps a reused name apart."""
        return (f"plan={self.name}", f"plan-id={self.id}")


def read_json(path: Path) -> dict[str, Any]:
    """One configuration file; a missing or broken one is named."""
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as problem:
        raise BackupError(f"{path}: cannot be read: {problem}") from problem


def repository() -> Repository:
    """This host's repository."""
    found = read_json(CONFIGURATION / "repository.json")
    return Repository(
        url=found["url"],
        user=found["user"],
        incarnation=found["incarnation"],
        http_password=found["http_password"],
        postgresql_port=found["postgresql_port"],
        limit=found["limit_seconds"],
        quiet=found["quiet_seconds"],
    )


@contextmanager
def lent(text: str, own: Repository) -> Iterator[tuple[Repository, str]]:
    """The repository that the control machine lends for one restore, and the id of the plan it was written by.

    The text is the request on standard input; the host keeps nothing of it.
    """
    try:
        asked = {key: str(json.loads(text)[key]) for key in LENT}
    except (ValueError, KeyError, TypeError) as problem:
        raise BackupError(f"--lent: standard input must hold {', '.join(LENT)}") from problem
    with tempfile.TemporaryDirectory(prefix="steward-lent-") as name:
        folder = Path(name)
        (folder / "vault.crt").write_text(asked["certificate"], encoding="ascii")
        opened = replace(
            own,
            url=asked["url"],
            user=asked["user"],
            http_password=asked["http_password"],
            lent=Lent(asked["password"], folder),
        )
        yield opened, asked["plan_id"]


def plan(name: str) -> Plan:
    """One plan by name; an unknown one lists those that are there."""
    path = CONFIGURATION / "plans" / f"{name}.json"
    if not NAME.match(name) or not path.is_file():
        raise BackupError(
            f"no plan named {name[:80]!r} on this host; known: {', '.join(plan_names()) or 'none'}"
        )
    found = read_json(path)
    return Plan(
        name=found["name"],
        id=found["id"],
        kind=found["kind"],
        paths=tuple(found["paths"]),
        databases=tuple(found["databases"]),
        keep=found["keep"],
    )


def plan_names() -> list[str]:
    """Names of all plans of this host."""
    return sorted(path.stem for path in (CONFIGURATION / "plans").glob("*.json"))
