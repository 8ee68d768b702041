#!/usr/bin/python3 -I
"""steward-vault: what the control machine may ask of a backup vault, one JSON document an answer.

describe    the certificate hosts must pin, the port, and the repositories that lie here
enrol       put in a repository and its credential, both made elsewhere; no password comes near this host
receipts    which snapshots the store holds and when each arrived, by the store's own clock
keys        configuration and keys of one repository, and its encrypted list of snapshots where asked for
admit       let a further credential and key open a repository;  expel  takes one of each away, never the last
"""

from __future__ import annotations

import argparse
import base64
import binascii
import fcntl
import hashlib
import json
import os
import pwd
import re
import shutil
import ssl
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

SETTINGS = Path("/etc/steward/vault/vault.json")
LOCK = Path("/run/lock/steward-vault")
LONGEST_REQUEST = 1024 * 1024  # bytes
LONGEST_FILE = 64 * 1024  # bytes
REPOSITORY = re.compile(r"[0-9a-f]{32}\Z")
LISTED = ("keys", "snapshots")
OBJECT = re.compile(r"[0-9a-f]{64}\Z")
BCRYPT = re.compile(r"\$2[aby]\$[0-9]{2}\$[./A-Za-z0-9]{53}\Z")


class VaultError(Exception):
    """Something the caller must correct; the text says what."""


def parse_request(text: str) -> tuple[str, str, dict[str, bytes]]:
    """Check an enrolment and give repository id, credential line and files by name."""
    try:
        asked = json.loads(text)
    except ValueError as problem:
        raise VaultError(f"enrol: the request must be JSON: {problem}") from problem
    if not isinstance(asked, dict) or set(asked) != {"id", "user", "htpasswd_line", "files"}:
        raise VaultError("enrol: the request must have exactly id, user, htpasswd_line and files")
    repository = asked["id"]
    if not isinstance(repository, str) or not REPOSITORY.match(repository):
        raise VaultError("enrol: id must be 32 hexadecimal digits")
    if asked["user"] != repository:
        raise VaultError("enrol: user must equal id, so that a credential opens one repository only")
    line = str(asked["htpasswd_line"]).rstrip("\n")
    user, _, digest = line.partition(":")
    if user != repository or not BCRYPT.match(digest):
        raise VaultError("enrol: htpasswd_line must be 'id:bcrypt digest'")
    return repository, line, parse_files(asked["files"])


def parse_files(asked: object) -> dict[str, bytes]:
    """Decode the repository's first files: its config and at least one key, named by its own digest."""
    if not isinstance(asked, dict) or "config" not in asked or len(asked) < 2:
        raise VaultError("enrol: files must hold config and at least one key")
    files: dict[str, bytes] = {}
    for name, encoded in asked.items():
        try:
            content = base64.b64decode(str(encoded), validate=True)
        except binascii.Error as problem:
            raise VaultError(f"enrol: {name[:80]!r} is not base64: {problem}") from problem
        if not 0 < len(content) <= LONGEST_FILE:
            raise VaultError(f"enrol: {name[:80]!r} must hold 1 to {LONGEST_FILE} bytes, got {len(content)}")
        folder, _, key = name.partition("/")
        is_key = folder == "keys" and OBJECT.match(key) is not None
        if name != "config" and not is_key:
            raise VaultError(f"enrol: only config and keys/<id> may come in, got {name[:80]!r}")
        if is_key and hashlib.sha256(content).hexdigest() != key:
            raise VaultError(f"enrol: {name} does not hold what its name says")
        files[name] = content
    return files


def with_credential(text: str, line: str) -> str:
    """The credentials file with one user's line put in or replaced."""
    kept = [old for old in text.splitlines() if old and old.partition(":")[0] != line.partition(":")[0]]
    return "".join(f"{each}\n" for each in sorted([*kept, line]))


def settings() -> dict[str, Any]:
    """Where things lie on this host, as the role wrote it."""
    return dict(json.loads(SETTINGS.read_text(encoding="utf-8")))


def repositories(root: Path) -> list[str]:
    """Ids of the repositories in the store."""
    return sorted(e.name for e in root.iterdir() if REPOSITORY.match(e.name) and not e.is_symlink())


def describe(vault: dict[str, Any]) -> dict[str, Any]:
    """What hosts need in order to trust and reach this vault."""
    certificate = Path(vault["certificate"]).read_text(encoding="ascii")
    return {
        "schema": "steward.vault/1",
        "certificate": certificate,
        "fingerprint": hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate)).hexdigest(),
        "port": vault["port"],
        "repositories": repositories(Path(vault["root"])),
    }


def is_placed(root: Path, repository: str, files: dict[str, bytes]) -> bool:
    """Whether this very repository is here already; another one of that id is refused."""
    home = root / repository
    if not home.exists():
        return False
    if (home / "config").read_bytes() != files["config"]:
        raise VaultError(f"enrol: {repository} is here with another config; a repository is never replaced")
    return True


def place_repository(root: Path, repository: str, files: dict[str, bytes], owner: tuple[int, int]) -> bool:
    """Put a new repository in place as a whole; the same one again changes nothing, another is refused."""
    if is_placed(root, repository, files):
        return False
    home = root / repository
    draft = root / f".enrol-{repository}"
    shutil.rmtree(draft, ignore_errors=True)
    folders = [draft, *(draft / name for name in ("data", "index", "keys", "locks", "snapshots"))]
    folders += [draft / "data" / f"{number:02x}" for number in range(256)]
    for folder in folders:
        folder.mkdir(mode=0o700)
        os.chown(folder, *owner)
    for name, content in files.items():
        write_file(draft / name, content, 0o600, owner)
    draft.rename(home)
    return True


def write_file(path: Path, content: bytes, mode: int, owner: tuple[int, int]) -> None:
    """Write a file whole and durable, beside its final name and then under it."""
    draft = path.with_name(f".{path.name}.new")
    draft.unlink(missing_ok=True)
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(content)
        os.fchown(out.fileno(), *owner)
        os.fchmod(out.fileno(), mode)
        out.flush()
        os.fsync(out.fileno())
    draft.rename(path)


def enrol(vault: dict[str, Any], text: str) -> dict[str, Any]:
    """Put in one repository and its credential, and let the store read the credentials again."""
    request, owner = parse_request(text), pwd.getpwnam(vault["owner"])[2:4]  # uid and gid
    with open(LOCK, "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        places = Path(vault["root"]), Path(vault["credentials"])
        changed = admit(*places, request, owner, lambda: reload_store(vault))
    return {"schema": "steward.enrolment/1", "repository": request[0], "changed": changed}


def admit(
    root: Path,
    credentials: Path,
    request: tuple[str, str, dict[str, bytes]],
    owner: tuple[int, int],
    reload: Callable[[], None],
) -> bool:
    """Let the credential in and put the repository in place, in this order; give whether anything changed.

    The repository makes an enrolment done, so it comes last: after a stop before it, all is done again.
    """
    repository, line, files = request
    placed = is_placed(root, repository, files)
    before = credentials.read_text(encoding="ascii") if credentials.exists() else ""
    after = with_credential(before, line)
    if after != before or not placed:
        write_file(credentials, after.encode("ascii"), 0o640, (os.geteuid(), owner[1]))
        reload()
    return place_repository(root, repository, files, owner) or after != before


def keys(vault: dict[str, Any], repository: str, folders: tuple[str, ...]) -> dict[str, Any]:
    """What a further key is made from, or a list of snapshots; without a password it opens nothing."""
    home = home_of(Path(vault["root"]), repository)
    named = (path for each in folders for path in (home / each).iterdir() if OBJECT.match(path.name))
    paths = (home / "config", *named)
    files = {str(path.relative_to(home)): base64.b64encode(path.read_bytes()).decode() for path in paths}
    return {"schema": "steward.repository-keys/1", "repository": repository, "files": files}


def home_of(root: Path, repository: object) -> Path:
    """The folder of a repository that is here."""
    if repository not in repositories(root):
        raise VaultError(f"no repository {str(repository)[:40]!r} here")
    return root / str(repository)


def admit_another(root: Path, credentials: Path, asked: dict[str, Any], owner: tuple[int, int]) -> None:
    """A further user and key of a repository; a user reaches it through a link of its own name."""
    home, user, line = home_of(root, asked.get("id")), str(asked.get("user")), str(asked.get("htpasswd_line"))
    name, _, digest = line.partition(":")
    if not REPOSITORY.match(user) or name != user or not BCRYPT.match(digest):
        raise VaultError("admit: user must be 32 hexadecimal digits and htpasswd_line 'user:bcrypt digest'")
    files = parse_files({**dict(asked.get("files") or {}), "config": "eA=="})
    if (root / user).exists() and (root / user).resolve() != home.resolve():
        raise VaultError(f"admit: {user} is the name of another repository")
    for name in (name for name in files if name != "config" and not (home / name).exists()):
        write_file(home / name, files[name], 0o600, owner)
    if not (root / user).exists():
        (root / user).symlink_to(home.name)
    after = with_credential(credentials.read_text(encoding="ascii"), line)
    write_file(credentials, after.encode("ascii"), 0o640, (os.geteuid(), owner[1]))


def expel_one(root: Path, credentials: Path, asked: dict[str, Any], owner: tuple[int, int]) -> None:
    """Take a user and a key away, never the last; the key is set aside where only root reads it."""
    home, user, key = home_of(root, asked.get("id")), str(asked.get("user")), str(asked.get("key"))
    strange = (root / user).exists() and (root / user).resolve() != home.resolve()
    if not REPOSITORY.match(user) or not OBJECT.match(key) or strange:
        raise VaultError("expel: user and key must be of this repository")
    kept = [each for each in credentials.read_text("ascii").splitlines() if each and each[:32] != user]
    others = {path.name for path in (home / "keys").iterdir()} - {key}
    if not any(map(OBJECT.match, others)) or not any(
        (root / line[:32]).resolve() == home.resolve() for line in kept
    ):
        raise VaultError("expel: it is the last user or the last key; nobody could open the repository")
    write_file(credentials, ("\n".join(kept) + "\n").encode("ascii"), 0o640, (os.geteuid(), owner[1]))
    if (root / user).is_symlink():
        (root / user).unlink()
    if (home / "keys" / key).exists():
        (root / ".expelled").mkdir(mode=0o700, exist_ok=True)
        (home / "keys" / key).rename(root / ".expelled" / f"{home.name}-{key}")


def change(vault: dict[str, Any], verb: str, text: str) -> dict[str, Any]:
    """Admit or expel, and let the store read its credentials again."""
    account, asked = pwd.getpwnam(vault["owner"]), dict(json.loads(text))
    act = admit_another if verb == "admit" else expel_one
    with open(LOCK, "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        act(Path(vault["root"]), Path(vault["credentials"]), asked, (account.pw_uid, account.pw_gid))
        reload_store(vault)
    return {"schema": f"steward.{verb}/1", "repository": asked["id"]}


def reload_store(vault: dict[str, Any]) -> None:
    """Let the store read its credentials again."""
    verb = ("/usr/bin/systemctl", "reload-or-restart", vault["store_unit"])
    subprocess.run(verb, check=True, timeout=60, stdin=subprocess.DEVNULL, stdout=sys.stderr)


def receipts(vault: dict[str, Any], repository: str | None) -> dict[str, Any]:
    """Every snapshot in the store with its arrival; the store names and dates files itself, hosts cannot."""
    root, found = Path(vault["root"]), []
    for name in [home_of(root, repository).name] if repository else repositories(root):
        for entry in os.scandir(root / name / "snapshots"):
            if OBJECT.match(entry.name):
                seen = entry.stat(follow_symlinks=False)
                arrived = datetime.fromtimestamp(seen.st_mtime, UTC).isoformat(timespec="seconds")
                row = {"repository": name, "snapshot": entry.name, "arrived_at": arrived}
                found.append({**row, "bytes": seen.st_size})
    found.sort(key=lambda each: (each["repository"], each["arrived_at"], each["snapshot"]))
    return {"schema": "steward.receipts/1", "receipts": found}


def answer_to(asked: argparse.Namespace, vault: dict[str, Any]) -> dict[str, Any]:
    """One verb's document."""
    if asked.verb in ("enrol", "admit", "expel"):
        request = sys.stdin.read(LONGEST_REQUEST)
        return enrol(vault, request) if asked.verb == "enrol" else change(vault, asked.verb, request)
    if asked.verb == "describe":
        return describe(vault)
    where = vault, asked.repository
    return keys(*where, asked.folders) if asked.verb == "keys" else receipts(*where)


def main(arguments: list[str]) -> int:
    """Answer one verb; 0 answered, 1 refused or failed with the reason on stderr."""
    parser = argparse.ArgumentParser(prog="steward-vault", description=__doc__.partition("\n")[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb in ("describe", "enrol", "admit", "expel"):
        verbs.add_parser(verb)
    verbs.add_parser("receipts").add_argument("--repository")
    (asks := verbs.add_parser("keys")).add_argument("--repository", required=True)
    asks.add_argument("--snapshots", dest="folders", action="store_const", const=LISTED, default=LISTED[:1])
    try:
        print(json.dumps(answer_to(parser.parse_args(arguments), settings())))
    except (VaultError, OSError, ValueError, KeyError, subprocess.SubprocessError) as problem:
        print(f"steward-vault: {problem}"[:2000], file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
