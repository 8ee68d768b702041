"""The files of a user's own repository, as this version would write them; pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from stacks.fleet.schema import FILE_NAME, PART_FILE_NAME, fleet_schema, part_schema

HERE: Final = Path(__file__).parent / "files"
SUFFIX: Final = ".in"
"""Not the files' own endings: they are none of our code."""
_FOLLOWING: Final = (
    "Pulumi.yaml",
    "stacks/__main__.py",
    "stacks/config/README.md",
    ".gitignore",
    ".pre-commit-config.yaml",
    ".github/workflows/fleets.yml",
    ".gitlab-ci.yml",
)
_WORD: Final = re.compile(r"@(CLIENT|VERSION|NETWORK)@")


@dataclass(frozen=True)
class StarterFile:
    """One file, by its path in the repository; it `follows` Steward's versions, or is the user's at once."""

    path: str
    text: str
    follows: bool

    @property
    def digest(self) -> str:
        """SHA-256 of the text in hex."""
        return digest_of(self.text)


def digest_of(text: str) -> str:
    """SHA-256 of a file's text in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def starter_files(client: str, version: str, folder: Path = HERE) -> tuple[StarterFile, ...]:
    """Every file, in order of path."""
    words = {"CLIENT": client, "VERSION": version, "NETWORK": network_of(client)}
    found = []
    for path in sorted(folder.rglob(f"*{SUFFIX}")):
        name = path.relative_to(folder).as_posix().removesuffix(SUFFIX)
        found.append(StarterFile(name, _filled(path.read_text(encoding="utf-8"), words), name in _FOLLOWING))
    schemas = {FILE_NAME: fleet_schema(), PART_FILE_NAME: part_schema()}
    found += [StarterFile(f".steward/{name}", text, follows=True) for name, text in schemas.items()]
    return tuple(found)


def network_of(client: str) -> str:
    """The first two bytes of a client's networks: two repositories on one machine rarely meet."""
    return f"10.{64 + hashlib.sha256(client.encode()).digest()[0] % 128}"


def _filled(text: str, words: Mapping[str, str]) -> str:
    return _WORD.sub(lambda match: words[match[1]], text)
