"""The vault's program: who may open a repository, beside those who do, and who no longer."""

from __future__ import annotations

import base64
import hashlib
import os
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.module_files import load

PROGRAM = Path(__file__).parents[2] / "playbooks" / "roles" / "backup_vault" / "files" / "steward_vault.py"


@pytest.fixture(scope="module")
def vault() -> ModuleType:
    """The program as a module."""
    return load(PROGRAM)


def store_of(tmp_path: Path) -> tuple[Path, Path, tuple[int, int]]:
    """A store with one repository of one user and one key."""
    root, credentials = tmp_path / "store", tmp_path / "htpasswd"
    (root / ID / "keys").mkdir(parents=True)
    (root / ID / "config").write_bytes(b"config")
    (root / ID / "keys" / ("1" * 64)).write_bytes(b"old key")
    credentials.write_text(f"{ID}:{BCRYPT}\n{'9' * 32}:{BCRYPT}\n")
    return root, credentials, (os.geteuid(), os.getegid())


ID, USER = "a" * 32, "b" * 32
BCRYPT = "$2b$08$" + "x" * 53


def admission(**changed: Any) -> dict[str, Any]:
    content = b"new key"
    files = {f"keys/{hashlib.sha256(content).hexdigest()}": base64.b64encode(content).decode()}
    return {"id": ID, "user": USER, "htpasswd_line": f"{USER}:{BCRYPT}", "files": files, **changed}


def test_a_second_credential_opens_the_same_repository_and_the_first_can_go(
    vault: Any, tmp_path: Path
) -> None:
    root, credentials, owner = store_of(tmp_path)
    for _ in range(2):  # a second time changes nothing
        vault.admit_another(root, credentials, admission(), owner)
    assert (root / USER).resolve() == root / ID
    assert vault.repositories(root) == [ID]  # the link is no repository of its own
    assert len(list((root / ID / "keys").iterdir())) == 2
    assert len(credentials.read_text().splitlines()) == 3
    for _ in range(2):
        vault.expel_one(root, credentials, {"id": ID, "user": ID, "key": "1" * 64}, owner)
    assert ID not in {line.split(":")[0] for line in credentials.read_text().splitlines()}
    assert (root / ID / "config").exists()
    assert "1" * 64 not in {path.name for path in (root / ID / "keys").iterdir()}
    assert (root / ".expelled" / f"{ID}-{'1' * 64}").read_bytes() == b"old key"


@pytest.mark.parametrize(
    "asked",
    [
        {"id": ID, "user": ID, "key": "1" * 64},
        {"id": ID, "user": "9" * 32, "key": "1" * 64},
        {"id": "c" * 32, "user": ID, "key": "1" * 64},
        {"id": ID, "user": "../" + ID, "key": "1" * 64},
        {"id": ID, "user": ID, "key": "../config"},
    ],
)
def test_the_last_of_anything_or_what_is_another_s_is_never_taken_away(
    vault: Any, tmp_path: Path, asked: dict[str, Any]
) -> None:
    root, credentials, owner = store_of(tmp_path)
    before = credentials.read_text()
    with pytest.raises(vault.VaultError):
        vault.expel_one(root, credentials, asked, owner)
    assert credentials.read_text() == before
    assert (root / ID / "keys" / ("1" * 64)).exists()


@pytest.mark.parametrize(
    "changed",
    [
        {"id": "c" * 32},
        {"user": "../x"},
        {"htpasswd_line": f"{ID}:{BCRYPT}"},
        {"htpasswd_line": f"{USER}:plain"},
        {"files": {}},
        {"files": {"data/x": "eA=="}},
        {"files": {"keys/" + "2" * 64: "eA=="}},
    ],
)
def test_an_admission_of_another_shape_is_refused(
    vault: Any, tmp_path: Path, changed: dict[str, Any]
) -> None:
    root, credentials, owner = store_of(tmp_path)
    with pytest.raises(vault.VaultError):
        vault.admit_another(root, credentials, admission(**changed), owner)
    assert not (root / USER).exists()


def test_the_records_of_one_repository_come_out_encrypted_and_nothing_else(
    vault: Any, tmp_path: Path
) -> None:
    root, _, _ = store_of(tmp_path)
    for folder, name in (("snapshots", "5" * 64), ("snapshots", ".half"), ("data", "6" * 64)):
        (root / ID / folder).mkdir(exist_ok=True)
        (root / ID / folder / name).write_bytes(b"sealed")
    settings = {"root": str(root)}
    listed = vault.keys(settings, ID, ("keys", "snapshots"))["files"]
    assert set(listed) == {"config", f"keys/{'1' * 64}", f"snapshots/{'5' * 64}"}
    assert base64.b64decode(listed[f"snapshots/{'5' * 64}"]) == b"sealed"
    assert set(vault.keys(settings, ID, ("keys",))["files"]) == {"config", f"keys/{'1' * 64}"}
    with pytest.raises(vault.VaultError, match="no repository"):
        vault.keys(settings, "c" * 32, ("keys", "snapshots"))
