"""Files and folders of Git commits, for reading: nothing of the working tree, no link, no filter."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from orchestrator import process
from orchestrator.errors import InputError

_SECONDS: Final = 60.0
_MOST_FILES: Final = 5_000
_MOST_BYTES: Final = 1 << 20
_NO_TEXT: Final = "\ufffd".encode()
_FILE_HEAD: Final = re.compile(rb"[0-9a-f]+ blob ([0-9]+)")
_PLAIN: Final = ("100644", "100755")
_WHOLE_ID: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_KINDS: Final = ("refs/heads/", "refs/remotes/", "refs/tags/")
HEAD: Final = "HEAD"


def commit_of(repository: Path, ref: str) -> str:
    """The commit that a ref stands for now; raises InputError."""
    said = git(repository, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
    commit = said.stdout.strip()
    if said.returncode != 0 or not commit:
        raise InputError(
            "git", "there is no such commit", place=str(repository), got=ref,
            next_step="Fetch it, or name another one.",
        )  # fmt: skip
    return commit


def named_commit(repository: Path, name: str) -> tuple[str, str]:
    """The full name that a branch, a remote branch or a tag has, and its commit now; raises InputError.

    Git itself takes a tag before a branch of its name, and only warns: whoever may push tags would choose.
    """
    if _WHOLE_ID.fullmatch(name):
        return name, commit_of(repository, name)
    wanted = [name] if name.startswith("refs/") else [f"{kind}{name}" for kind in _KINDS]
    listed = git(repository, "for-each-ref", "--format=%(refname)", "--", *wanted).stdout.splitlines()
    found = [*([HEAD] if name == HEAD else []), *(each for each in wanted if each in listed)]
    if len(found) > 1:
        raise InputError(
            "git", f"the name is ambiguous: {' and '.join(found)}", place=str(repository), got=name,
            rule="what judges has one meaning", next_step=f"Write the one that you mean in full: {found[0]}",
        )  # fmt: skip
    if not found:
        raise InputError(
            "git", "there is no such commit: no branch, remote branch or tag of that name",
            place=str(repository), got=name, next_step="Fetch it, or name another one.",
        )  # fmt: skip
    return found[0], commit_of(repository, found[0])


def repository_of(path: Path) -> Path:
    """The working tree that a file or folder lies in; raises InputError."""
    folder = path if path.is_dir() else path.parent
    said = git(folder, "rev-parse", "--show-toplevel")
    if said.returncode != 0:
        raise InputError(
            "git", "lies in no repository, so nothing is known of earlier", place=str(path),
            next_step="Name files of a checkout.",
        )  # fmt: skip
    return Path(said.stdout.strip())


def tracked_text(repository: Path, commit: str, path: str) -> str | None:
    """One file as it was at a commit; None where it was not there. Raises InputError for what is no text."""
    if not git(repository, "ls-tree", "-z", "--full-tree", commit, "--", path).stdout:
        return None
    text = git(repository, "cat-file", "blob", f"{commit}:{path}").stdout
    if "\ufffd" in text:
        raise _refused(repository, f"{path}: is no text in UTF-8")
    return text


def tracked_files(repository: Path, asked: Mapping[str, str]) -> list[bytes | None]:
    """Many files in one question, in order; None for one that is not there. Raises InputError for no text.

    `asked`: `COMMIT:PATH` -> what a person calls it.
    """
    lines = "".join(f"{name}\n" for name in asked)
    said = git(repository, "cat-file", "--batch", stdin=lines).stdout.encode()
    found: list[bytes | None] = []
    place = 0
    for called in asked.values():
        end = said.find(b"\n", place)
        head, place = said[place:end], end + 1
        if head.endswith(b" missing"):
            found.append(None)
            continue
        file = _FILE_HEAD.fullmatch(head)
        if file is None:
            raise _refused(repository, f"{called}: expected a file")
        end = place + int(file[1])
        content = said[place:end]
        # Output comes as text: bytes that are none stand there as another character, of another length.
        # Whoever let them pass would take what follows in such a file for the answer about the next one.
        if _NO_TEXT in content or said[end : end + 1] != b"\n":
            raise _refused(repository, f"{called}: is no text in UTF-8")
        found.append(content)
        place = end + 1
    return found


def differs(repository: Path, path: str) -> bool:
    """Whether a file or folder of the working tree is not as the commit that is checked out has it."""
    listed = ("--porcelain", "-z", "--untracked-files=all", "--ignored=matching", "--no-renames")
    return bool(git(repository, "status", *listed, "--", path).stdout)


def write_folder(repository: Path, commit: str, folder: str, into: Path) -> None:
    """Write the files of a folder of a commit, readable by their owner alone; raises InputError."""
    paths = _listed(repository, commit, folder)
    prefix = f"{folder}/" if folder else ""
    found = tracked_files(repository, {f"{commit}:{path}": path for path in paths})
    for path, content in zip(paths, found, strict=True):
        if content is None:
            raise _refused(repository, f"{path}: is not in this clone")
        target = into / path.removeprefix(prefix)
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        target.write_bytes(content)
        target.chmod(0o400)


def _listed(repository: Path, commit: str, folder: str) -> Sequence[str]:
    """Path of each file of the folder."""
    argv = ("ls-tree", "-r", "-z", "-l", "--full-tree", commit, *(("--", f"{folder}/") if folder else ()))
    paths: list[str] = []
    for row in filter(None, git(repository, *argv).stdout.split("\0")):
        head, _, path = row.partition("\t")
        mode, _, _, size = head.split()
        if mode not in _PLAIN or "\n" in path or ".." in Path(path).parts:
            raise _refused(repository, f"{path}: expected a plain file, and no link")
        if int(size) > _MOST_BYTES or len(paths) >= _MOST_FILES:
            raise _refused(repository, f"{path}: more than {_MOST_FILES} files, or one above 1 MiB")
        paths.append(path)
    if not paths:
        raise _refused(repository, f"there is no folder {folder!r} in commit {commit[:12]}")
    return paths


def git(repository: Path, *words: str, stdin: str | None = None, check: bool = True) -> process.CommandResult:
    """What Git says; without `check`, or of rev-parse, also where it failed. Raises ToolError.

    Another's variables may point to another repository; its own hooks, grafts and filters are of no use here.
    """
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    env |= {
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_GRAFT_FILE": os.devnull,
        "GIT_LITERAL_PATHSPECS": "1",
        "LC_ALL": "C",
    }
    checked = check and words[0] != "rev-parse"
    argv = ["git", "-C", str(repository), *words]
    return process.run(argv, timeout=_SECONDS, env=env, stdin=stdin, check=checked)


def _refused(repository: Path, message: str) -> InputError:
    return InputError("policy reference", message, place=str(repository))
