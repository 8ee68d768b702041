"""Whether the vault answers at all: restic would try again without a word for many minutes."""

from __future__ import annotations

import socket
import time
from urllib.parse import urlsplit

from steward_backup.errors import BackupError
from steward_backup.settings import Repository

TRIES = 3  # a front that is started anew is away for a moment
PAUSE = 2.0  # seconds between them
LONGEST = 5.0  # seconds for one


def check(repository: Repository) -> None:
    """Refuse to go on when nobody accepts a connection at the vault's address."""
    address = urlsplit(repository.url)
    host, port = address.hostname or "", address.port or 443
    problem = ""
    for each in range(TRIES):
        if each:
            time.sleep(PAUSE)
        try:
            with socket.create_connection((host, port), LONGEST):
                return
        except OSError as error:
            problem = error.strerror or str(error)
    raise BackupError(
        f"the vault at {host}:{port} does not answer ({problem}); nothing was stored. Bring it back with "
        "steward up of the vault's own fleet, then run the backup again"
    )
