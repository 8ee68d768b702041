"""An anchor in a folder that lies elsewhere: a share of another machine, or a Git checkout that CI pushes."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, fields
from pathlib import Path
from typing import Final

from orchestrator.errors import InputError, StewardError, ToolError
from orchestrator.evidence.folder import sync_folder
from orchestrator.evidence.upstream import ASKED, fetch, reason, shown
from orchestrator.ports.evidence import AnchorReceipt, Head, Kept
from orchestrator.process import run

_SECONDS: Final = 60
_LARGEST_BYTES: Final = 64 << 20
_WHO: Final = ("-c", "user.name=steward", "-c", "user.email=steward@localhost")


class FolderAnchor:
    """Keeps one file a chain, `CHAIN.heads`, one head a line.

    In a Git checkout each head is also a commit, which CI pushes. What vouches is then the branch upstream,
    as its remote says when asked. The file, the last commit and earlier answers of the remote lie on this
    machine: they vouch for nothing, but a head of theirs that the chain does not have tells of a loss.
    """

    def __init__(self, folder: Path, home: Path) -> None:
        if folder.resolve().is_relative_to(home.resolve()):
            raise InputError(
                "STEWARD_ANCHOR", "lies inside STEWARD_HOME, where it proves nothing", place=str(folder),
                next_step="Name a folder that this machine's root cannot rewrite.",
            )  # fmt: skip
        self._folder = folder

    @property
    def name(self) -> str:
        """By its folder."""
        return f"folder {self._folder.name}"

    def publish(self, head: Head) -> AnchorReceipt:
        """Add a line; in a Git checkout, commit it."""
        path = self._path(head.chain)
        line = head_line(head)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                os.write(descriptor, line)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            sync_folder(self._folder)
        except OSError as problem:
            raise ToolError("anchor", f"cannot be written: {problem.strerror}", place=str(path)) from problem
        return AnchorReceipt(
            self.name, self._commit(path, head) if self._in_git() else f"{path.name}:{head.number}"
        )

    def kept(self, chain: str) -> Kept:
        """The heads of the chain; in a Git checkout the remote is asked for them."""
        if not self._folder.is_dir():
            raise ToolError("anchor", "the folder is not there", place=str(self._folder))
        path = self._path(chain)
        text = path.read_bytes()[:_LARGEST_BYTES].decode(errors="replace") if path.exists() else ""
        written = list(_read(text, chain, path))
        if not self._in_git():
            return Kept(list(dict.fromkeys(written)))
        committed = self._at("HEAD", chain)
        pushed = [*self._at("@{upstream}", chain), *self._at(ASKED, chain)]
        seen = dict.fromkeys([*written, *committed, *pushed])
        try:
            place = fetch(self._folder)
        except StewardError as problem:
            return Kept((), list(seen), note=f"its remote cannot be asked: {reason(problem)}")
        own = dict.fromkeys(self._at(ASKED, chain))
        lost = dict.fromkeys(head for head in pushed if head not in own)
        return Kept(
            list(own), [head for head in seen if head not in own and head not in lost], list(lost), place
        )

    def _path(self, chain: str) -> Path:
        return self._folder / f"{chain}.heads"

    def _in_git(self) -> bool:
        return any((folder / ".git").exists() for folder in (self._folder, *self._folder.resolve().parents))

    def _commit(self, path: Path, head: Head) -> str:
        self._git("add", "--", path.name)
        message = f"Evidence {head.chain[:8]}: record {head.number}"
        self._git("commit", "-q", "-m", message, "--", path.name)
        return self._git("rev-parse", "HEAD").strip()

    def _git(self, *words: str) -> str:
        argv = ["git", "-C", str(self._folder), *(_WHO if words[0] == "commit" else ()), *words]
        return run(argv, timeout=_SECONDS).stdout

    def _at(self, commit: str, chain: str) -> list[Head]:
        """Heads in the file as a commit has it; none where there is no such commit."""
        path = self._path(chain)
        return list(_read(shown(self._folder, f"{commit}:./{path.name}")[:_LARGEST_BYTES], chain, path))


def head_line(head: Head) -> bytes:
    """A head as files keep it: one line of JSON."""
    return json.dumps(asdict(head), sort_keys=True).encode() + b"\n"


def read_head(text: str | bytes) -> Head | None:
    """A head as an anchor gave it back; None for what is none."""
    try:
        found = json.loads(text)
        head = Head(**found) if set(found) == {field.name for field in fields(Head)} else None
    except (ValueError, TypeError, RecursionError):
        return None
    known = head is not None and type(head.number) is int and isinstance(head.sha256, str)
    return head if known else None


def _read(text: str, chain: str, path: Path) -> Iterator[Head]:
    """The heads in a text, a last line that is cut off left out; raises ToolError for what is none."""
    for number, line in enumerate(text.split("\n")[:-1], start=1):
        head = read_head(line)
        if head is None:
            raise ToolError("anchor", f"line {number} is no head", place=str(path), got=line[:80])
        if head.chain == chain:
            yield head
