"""The vault behind its port: what crosses, and above all what does not."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import bcrypt
import pytest

from orchestrator.backups.credentials import make_credentials
from orchestrator.errors import ToolError
from orchestrator.vault import VaultStore
from tests.fakes import NOON, Answer, FakeShell, result
from tests.unit.orchestrator.samples import SNAPSHOT, server

VAULT = server("vault-1", "10.42.0.2")
CREDENTIALS = make_credentials("ab" * 16, "db-1", "acme-demo", "acme-vault", NOON)
RESTIC = """#!/bin/sh
while [ $# -gt 0 ]; do
  case "$1" in --repo) repo=$2; shift;; --password-file) secret=$2; shift;; esac; shift
done
[ "$(stat -c %a "$secret")" = 600 ] || exit 3
mkdir -p "$repo/keys" "$repo/locks" && echo config > "$repo/config" && echo key > "$repo/keys/k1"
"""


LISTING = """#!/bin/sh
[ "$1" = snapshots ] || exit 3
while [ $# -gt 0 ]; do
  case "$1" in --repo) repo=$2; shift;; --password-file) secret=$2; shift;; esac; shift
done
[ "$(stat -c %a "$secret")" = 600 ] && [ -e "$repo/snapshots/NAME" ] || exit 3
echo 'ROWS'
"""


def store(tmp_path: Path, script: dict[str, Answer]) -> tuple[VaultStore, FakeShell]:
    restic = tmp_path / "restic"
    restic.write_text(RESTIC)
    restic.chmod(0o755)
    shell = FakeShell(dict(script))
    return VaultStore(shell, VAULT, restic), shell


def test_enrolling_carries_files_and_a_hash_and_no_password(tmp_path: Path) -> None:
    vault, shell = store(tmp_path, {"enrol": "{}"})
    vault.enrol(CREDENTIALS)
    (sent,) = shell.fed
    for secret in (CREDENTIALS.password, CREDENTIALS.http_password):
        assert secret not in sent
        assert secret not in " ".join(shell.asked)
    request = json.loads(sent)
    assert (request["id"], request["user"]) == (CREDENTIALS.id, CREDENTIALS.id)
    user, _, digest = request["htpasswd_line"].partition(":")
    assert user == CREDENTIALS.id
    assert bcrypt.checkpw(CREDENTIALS.http_password.encode(), digest.encode())
    files = {name: base64.b64decode(content) for name, content in request["files"].items()}
    assert files == {"config": b"config\n", "keys/k1": b"key\n"}


def test_receipts_and_description_are_asked_for_as_root_without_a_prompt(tmp_path: Path) -> None:
    receipt = {"repository": "r", "snapshot": SNAPSHOT, "arrived_at": NOON.isoformat(), "bytes": 7}
    described = {
        "schema": "steward.vault/1",
        "certificate": "PEM",
        "fingerprint": "f",
        "port": 8443,
        "repositories": [],
    }
    vault, shell = store(
        tmp_path,
        {
            "receipts": json.dumps({"schema": "steward.receipts/1", "receipts": [receipt]}),
            "describe": json.dumps(described),
        },
    )
    (found,) = vault.receipts()
    assert (found.snapshot, found.arrived_at, found.bytes) == (SNAPSHOT, NOON, 7)
    assert vault.describe().port == 8443
    assert vault.address == "10.42.0.2"
    assert shell.asked[0] == "vault-1: sudo -n /usr/local/sbin/steward-vault receipts"


@pytest.mark.parametrize(
    ("said", "holds"),
    [
        ("steward-rest-server --path /srv/backup --append-only ", True),
        ("steward-rest-server ", False),
        ("", None),
    ],
)
def test_what_serves_the_store_tells_by_its_command_line_whether_it_deletes(
    tmp_path: Path, said: str, holds: bool | None
) -> None:
    vault, _ = store(tmp_path, {"steward-vault-store.service": said})
    assert vault.append_only() is holds


@pytest.mark.parametrize("answer", ["", "{}", ToolError("vault-1", "SSH failed")])
def test_a_vault_that_does_not_answer_properly_is_an_error_and_not_an_empty_store(
    tmp_path: Path, answer: Answer
) -> None:
    vault, _ = store(tmp_path, {"receipts": answer})
    with pytest.raises(ToolError, match="vault-1"):
        vault.receipts()


def test_a_failing_restic_does_not_tell_the_password(tmp_path: Path) -> None:
    vault, shell = store(tmp_path, {})
    (tmp_path / "restic").write_text('#!/bin/sh\nfor word; do last=$word; done\ncat "$last" >&2\nexit 1\n')
    with pytest.raises(ToolError) as caught:
        vault.enrol(CREDENTIALS)
    assert CREDENTIALS.password not in str(caught.value)
    assert shell.asked == []


def test_snapshots_are_listed_here_and_the_vault_sees_no_password(tmp_path: Path) -> None:
    row = {"id": SNAPSHOT, "short_id": "5a5a", "time": NOON.isoformat(), "tags": ["plan=site", "plan-id=p"]}
    files = {"config": "eA==", f"keys/{'1' * 64}": "eA==", f"snapshots/{SNAPSHOT}": "eA=="}
    told = json.dumps({"schema": "steward.repository-keys/1", "files": files})
    vault, shell = store(tmp_path, {"keys --repository": told})
    (tmp_path / "restic").write_text(LISTING.replace("ROWS", json.dumps([row])).replace("NAME", SNAPSHOT))
    (found,) = vault.snapshots(CREDENTIALS)
    assert (found.id, found.plan, found.tags) == (SNAPSHOT, "site", ["plan=site", "plan-id=p"])
    assert shell.asked == [
        f"vault-1: sudo -n /usr/local/sbin/steward-vault keys --repository {CREDENTIALS.id} --snapshots"
    ]
    assert shell.fed == []


def test_a_vault_of_before_says_how_it_learns_to_list(tmp_path: Path) -> None:
    old = result(code=2, stderr="unrecognized arguments: --snapshots")
    vault, _ = store(tmp_path, {"keys --repository": old})
    with pytest.raises(ToolError, match="Run steward up for the vault's fleet"):
        vault.snapshots(CREDENTIALS)
