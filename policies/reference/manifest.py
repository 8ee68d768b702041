"""The manifest of a policy reference: what `sha256sum` says of its files, which is what its owner signs."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from policies import baseline, signers, waivers, yamlfile
from policies.facts import shown
from policies.model import PackError
from policies.reference import budget

SIGNATURE: Final = "reference.sig"
MINIMUM: Final = "minimum.yaml"
PROFILES: Final = "profiles"
RULES: Final = "rules"
KNOWN: Final = (
    *(MINIMUM, PROFILES, RULES, waivers.FOLDER, baseline.FILE, budget.FILE),
    *(signers.FILE, signers.REVOKED_FILE, SIGNATURE),
)
_FOR_PEOPLE: Final = re.compile(r"(README|LICENSE|CHANGELOG|CODEOWNERS)(\.[a-z]+)?")
_NAME: Final = re.compile(r"[A-Za-z0-9_@][A-Za-z0-9._@-]{0,127}")
_COMPILED: Final = "__pycache__"
"""Nothing here is read from it: rules are always compiled from their source."""
_MOST_FILES: Final = 5_000
_DEEPEST: Final = 4


def manifest(folder: Path) -> str:
    """One line a file, as `sha256sum` writes it, in the order of the names' bytes; raises PackError.

    As: find * -type f ! -path '*__pycache__*' ! -name reference.sig | LC_ALL=C sort | xargs sha256sum
    """
    if not folder.is_dir():
        raise PackError(f"policy reference: {shown(str(folder))} is no folder")
    if not (folder / MINIMUM).is_file():
        raise PackError(f"policy reference: {shown(folder.name)} has no {MINIMUM}, so it is none")
    lines = {}
    for path in _files(folder, folder, _DEEPEST):
        name = path.relative_to(folder).as_posix()
        if name != SIGNATURE:
            lines[name] = f"{hashlib.sha256(yamlfile.read_bytes(path)).hexdigest()}  {name}\n"
        if len(lines) > _MOST_FILES:
            raise PackError(f"policy reference: more than {_MOST_FILES} files")
    return "".join(lines[name] for name in sorted(lines, key=str.encode))


def digest(manifest_text: str) -> str:
    """Names one version of a policy reference, whole."""
    return hashlib.sha256(manifest_text.encode()).hexdigest()


def code_digests(manifest_text: str) -> dict[str, str]:
    """The digest of each Python file of its rules, by name."""
    rows = [line.split("  ", 1) for line in manifest_text.splitlines()]
    return {name: value for value, name in rows if name.startswith(f"{RULES}/") and name.endswith(".py")}


def _files(folder: Path, root: Path, levels: int) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        name = path.relative_to(root).as_posix()
        top = folder == root
        if path.name == _COMPILED or (top and path.name.startswith(".")):
            continue
        if path.is_symlink() or not (path.is_dir() or path.is_file()):
            raise PackError(f"policy reference: {shown(name)}: expected a file or a folder, and no link")
        if not _NAME.fullmatch(path.name) or levels == 0:
            raise PackError(f"policy reference: {shown(name)}: not understood, or too deep; take it out")
        # A file that nobody reads would be a rule, a waiver or a ceiling that does not hold.
        if top and path.name not in KNOWN and not _FOR_PEOPLE.fullmatch(path.name):
            raise PackError(f"policy reference: {shown(name)}: not understood; known: {', '.join(KNOWN)}")
        if path.is_dir():
            yield from _files(path, root, levels - 1)
        else:
            _refuse_unread(path, name)
            yield path


def _refuse_unread(path: Path, name: str) -> None:
    """Raises PackError for a profile that would not be read, and for a signature under nothing."""
    room, _, _ = name.rpartition("/")
    told, signed = f"policy reference: {shown(name)}", path.with_name(path.stem)
    if room == PROFILES and path.suffix != waivers.ENDING:
        raise PackError(f"{told}: not understood; a profile ends in {waivers.ENDING}")
    if room == waivers.FOLDER and path.suffix == waivers.SIGNATURE_ENDING and not signed.is_file():
        raise PackError(f"{told}: signs {shown(signed.name)}, which is not there; take it out")
