"""An application's code, fetched on the control machine: hosts need neither access nor credentials."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from orchestrator.errors import InputError, ToolError
from orchestrator.inventory.supplies import Archive
from orchestrator.private_file import write_private
from orchestrator.process import run
from orchestrator.redaction import know
from orchestrator.scratch import scratch
from stacks.fleet.secret import Reference, reference

_GIT_SECONDS = 300.0
_HTTP_SECONDS = 60.0
_DIGEST = re.compile(r"[0-9a-f]{64}")
_TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/+-]{0,99}")
_COMMIT = re.compile(r"[0-9a-f]{40,64}")


class SourceStore:
    """Tarballs by what they hold, in a cache that can be made again at any time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def fetch(
        self, source: Mapping[str, Any], beside: Path, secret: Callable[[Reference], str] = str
    ) -> Archive:
        """The code that a role's `source` names; a moved tag is seen, a known commit is not cloned again.

        An address that holds a token is given as a reference, which `secret` reads.
        """
        match sorted(source):
            case ["git", "tag"]:
                kept, tag = reference(source["git"]), str(source["tag"])
                if kept is None:
                    return self._from_git(_repository(str(source["git"]), beside), tag, [])
                with _entered(secret(kept), str(kept)) as (url, options):
                    return self._from_git(url, tag, options)
            case ["archive", "sha256"]:
                return self._from_archive(str(source["archive"]), str(source["sha256"]), beside)
        raise InputError(
            "app",
            "source says git and tag, or archive and sha256",
            got=", ".join(sorted(source)) or "nothing",
        )

    def _from_git(self, url: str, tag: str, options: list[str]) -> Archive:
        if not _TAG.fullmatch(tag) or ".." in tag:
            raise InputError("app", "source.tag is not the name of a tag", got=tag)
        commit = _commit(url, tag, options)
        path = self._folder / f"{commit}.tar"
        if not path.exists():
            self._clone(url, tag, commit, path, options)
        return Archive(path, _sha256(path), tag)

    def _clone(self, url: str, tag: str, commit: str, path: Path, options: list[str]) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._folder) as name:
            bare, draft = f"{name}/bare", f"{name}/code.tar"
            git(*options, "clone", "--quiet", "--bare", "--depth=1", "--branch", tag, "--", url, bare)
            git("--git-dir", bare, "archive", "--format=tar", f"--output={draft}", commit)
            Path(draft).replace(path)

    def _from_archive(self, where: str, sha256: str, beside: Path) -> Archive:
        if not _DIGEST.fullmatch(sha256):
            raise InputError("app", "source.sha256 has 64 hexadecimal digits in lower case", got=sha256[:80])
        label = re.sub(r"(\.tar)?\.(gz|xz|bz2|zst|tar|tgz)$", "", where.rsplit("/", 1)[-1]) or "archive"
        if urlsplit(where).scheme == "https":
            path = self._folder / sha256
            if not path.exists():
                self._download(where, path, sha256)
        else:
            path = beside / where
        _refuse_other(where, path, sha256)
        return Archive(path, sha256, f"{label}-{sha256[:8]}")

    def _download(self, url: str, path: Path, sha256: str) -> None:
        """Keep only what was asked for: anything else would be found there by the next run."""
        import urllib.request  # with TLS and mail parsers behind it, and few applications are an archive

        if "@" in urlsplit(url).netloc or urlsplit(url).query:
            raise InputError(
                "app", "source.archive holds a password or a query; a fleet file is no place for one"
            )
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=self._folder)
        draft = Path(name)
        try:
            answer = urllib.request.urlopen(url, timeout=_HTTP_SECONDS)  # noqa: S310  # https alone gets here
            with os.fdopen(descriptor, "wb") as out, answer:
                shutil.copyfileobj(answer, out)
            _refuse_other(url, draft, sha256)
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
    kept = (
        "PATH",
        "HOME",
        "SSH_AUTH_SOCK",
        "GIT_SSH_COMMAND",
        "GIT_ASKPASS",
        "GIT_SSL_CAINFO",
        "SSL_CERT_FILE",
        "https_proxy",
    )
    own = {"GIT_ALLOW_PROTOCOL": "file:https:ssh", "GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_NOSYSTEM": "1"}
    return {**{key: os.environ[key] for key in kept if key in os.environ}, **own}


@contextmanager
def _entered(address: str, told: str) -> Iterator[tuple[str, list[str]]]:
    """The address without what opens it, and options by which git finds that in a file of this call alone.

    On git's command line or in its environment, every list of processes would show it.
    """
    parts = urlsplit(address)
    if parts.scheme != "https" or not parts.hostname:
        raise InputError("app", "source.git leads to no https address", place=told)
    login, _, host = parts.netloc.rpartition("@")
    know(login, *(unquote(part) for part in login.split(":")))
    with scratch("git") as folder:
        write_private(folder / "login", SplitResult("https", f"{login}@{host}", "", "", "").geturl() + "\n")
        helper = f"store --file={shlex.quote(str(folder / 'login'))}"
        options = ["-c", "credential.helper=", "-c", f"credential.helper={helper}"]
        yield SplitResult("https", host, parts.path, "", "").geturl(), options if login else []


def _repository(where: str, beside: Path) -> str:
    """The repository as git is told it; a path is taken from the fleet file's folder."""
    parts = urlsplit(where)
    if parts.password or (parts.scheme == "https" and ("@" in parts.netloc or parts.query)):
        raise InputError(
            "app",
            "source.git holds a password; a fleet file is no place for one",
            next_step="Write git: {env: NAME} or {file: PATH}, with the whole address there.",
        )
    if parts.scheme in ("https", "ssh"):
        return where
    if parts.scheme or where.startswith("-"):
        raise InputError("app", "source.git is an https or ssh address, or a path", got=where[:100])
    if re.fullmatch(r"[A-Za-z0-9._-]+@[A-Za-z0-9.-]+:[^:]+", where):
        return where
    return str(beside / where)


def _commit(url: str, tag: str, options: list[str]) -> str:
    """The commit that a tag names now; raises InputError where there is no such tag."""
    names = (f"refs/tags/{tag}", f"refs/tags/{tag}^{{}}")
    lines = git(*options, "ls-remote", "--tags", "--", url, *names).splitlines()
    found = {name: commit for commit, _, name in (line.partition("\t") for line in lines)}
    commit = found.get(f"refs/tags/{tag}^{{}}") or found.get(f"refs/tags/{tag}", "")
    if not _COMMIT.fullmatch(commit):
        raise InputError(
            "app", f"{url} has no tag '{tag}'", next_step="Push the tag, or mend source.tag in the fleet."
        )
    return commit


def _refuse_other(where: str, path: Path, sha256: str) -> None:
    if (found := _sha256(path)) != sha256:
        raise InputError(
            "app", f"{where} is not the tarball that source.sha256 names", got=found,
            next_step="Compare it with what was published, then mend the digest or the file.",
        )  # fmt: skip


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as source:
            while block := source.read(1 << 20):
                digest.update(block)
    except OSError as problem:
        raise InputError("app", f"{path} cannot be read: {problem.strerror}") from problem
    return digest.hexdigest()
