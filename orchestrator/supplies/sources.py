"""An application's code, fetched on the control machine: hosts need neither access nor credentials."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from orchestrator.errors import InputError, ToolError
from orchestrator.inventory.supplies import Archive
from orchestrator.process import run

_GIT_SECONDS = 300.0
_HTTP_SECONDS = 60.0
_DIGEST = re.compile(r"[0-9a-f]{64}")
_TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/+-]{0,99}")
_COMMIT = re.compile(r"[0-9a-f]{40,64}")


class SourceStore:
    """Tarballs by what they hold, in a cache that can be made again at any time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def fetch(self, source: Mapping[str, Any], beside: Path) -> Archive:
        """The code that a role's `source` names; a moved tag is seen, a known commit is not cloned again."""
        match sorted(source):
            case ["git", "tag"]:
                return self._from_git(str(source["git"]), str(source["tag"]), beside)
            case ["archive", "sha256"]:
                return self._from_archive(str(source["archive"]), str(source["sha256"]), beside)
        raise InputError(
            "app",
            "source says git and tag, or archive and sha256",
            got=", ".join(sorted(source)) or "nothing",
        )

    def _from_git(self, where: str, tag: str, beside: Path) -> Archive:
        url = _repository(where, beside)
        if not _TAG.fullmatch(tag) or ".." in tag:
            raise InputError("app", "source.tag is not the name of a tag", got=tag)
        commit = _commit(url, tag)
        path = self._folder / f"{commit}.tar"
        if not path.exists():
            self._clone(url, tag, commit, path)
        return Archive(path, _sha256(path), tag)

    def _clone(self, url: str, tag: str, commit: str, path: Path) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._folder) as name:
            bare, draft = f"{name}/bare", f"{name}/code.tar"
            git("clone", "--quiet", "--bare", "--depth=1", "--branch", tag, "--", url, bare)
            git("--git-dir", bare, "archive", "--format=tar", f"--output={draft}", commit)
            Path(draft).replace(path)

    def _from_archive(self, where: str, sha256: str, beside: Path) -> Archive:
        if not _DIGEST.fullmatch(sha256):
            raise InputError("app", "source.sha256 has 64 hexadecimal digits in lower case", got=sha256[:80])
        label = re.sub(r"(\.tar)?\.(gz|xz|bz2|zst|tar|tgz)$", "", where.rsplit("/", 1)[-1]) or "archive"
        if urlsplit(where).scheme == "https":
            path = self._folder / sha256
            if not path.exists():
                self._download(where, path)
        else:
            path = beside / where
        found = _sha256(path)
        if found != sha256:
            raise InputError(
                "app", f"{where} is not the tarball that source.sha256 names", got=found,
                next_step="Compare it with what was published, then mend the digest or the file.",
            )  # fmt: skip
        return Archive(path, sha256, f"{label}-{sha256[:8]}")

    def _download(self, url: str, path: Path) -> None:
        if "@" in urlsplit(url).netloc:
            raise InputError("app", "source.archive holds a password; a fleet file is no place for one")
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=self._folder)
        draft = Path(name)
        try:
            answer = urllib.request.urlopen(url, timeout=_HTTP_SECONDS)  # noqa: S310  # https alone gets here
            with os.fdopen(descriptor, "wb") as out, answer:
                shutil.copyfileobj(answer, out)
            draft.replace(path)
        except OSError as problem:
            raise ToolError("app", f"{url} cannot be fetched: {problem}") from problem
        finally:
            draft.unlink(missing_ok=True)


def git(*arguments: str) -> str:
    """One call of git, with no prompt, no hooks, no configuration and no transport that runs commands."""
    done = run(
        ["git", "-c", "core.hooksPath=/dev/null", *arguments], timeout=_GIT_SECONDS, env=_environment()
    )
    return done.stdout


def _environment() -> dict[str, str]:
    kept = ("PATH", "HOME", "SSH_AUTH_SOCK", "GIT_SSH_COMMAND", "GIT_ASKPASS", "SSL_CERT_FILE", "https_proxy")
    own = {"GIT_ALLOW_PROTOCOL": "file:https:ssh", "GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_NOSYSTEM": "1"}
    return {**{key: os.environ[key] for key in kept if key in os.environ}, **own}


def _repository(where: str, beside: Path) -> str:
    """The repository as git is told it; a path is taken from the fleet file's folder."""
    parts = urlsplit(where)
    if parts.password or (parts.scheme == "https" and "@" in parts.netloc):
        raise InputError("app", "source.git holds a password; a fleet file is no place for one")
    if parts.scheme in ("https", "ssh"):
        return where
    if parts.scheme or where.startswith("-"):
        raise InputError("app", "source.git is an https or ssh address, or a path", got=where[:100])
    if re.fullmatch(r"[A-Za-z0-9._-]+@[A-Za-z0-9.-]+:[^:]+", where):
        return where
    return str(beside / where)


def _commit(url: str, tag: str) -> str:
    """The commit that a tag names now; raises InputError where there is no such tag."""
    lines = git("ls-remote", "--tags", "--", url, f"refs/tags/{tag}", f"refs/tags/{tag}^{{}}").splitlines()
    found = {name: commit for commit, _, name in (line.partition("\t") for line in lines)}
    commit = found.get(f"refs/tags/{tag}^{{}}") or found.get(f"refs/tags/{tag}", "")
    if not _COMMIT.fullmatch(commit):
        raise InputError(
            "app", f"{url} has no tag '{tag}'", next_step="Push the tag, or mend source.tag in the fleet."
        )
    return commit


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as source:
            while block := source.read(1 << 20):
                digest.update(block)
    except OSError as problem:
        raise InputError("app", f"{path} cannot be read: {problem.strerror}") from problem
    return digest.hexdigest()
