"""The vault's front over real HTTPS: what a host may do to its repository, and what nobody may."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import ssl
from typing import Any

import pytest

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("playbooks")]

JUNK = b"not a snapshot"
NAME = hashlib.sha256(JUNK).hexdigest()
ABSENT = "0" * 64


def ask(trial: Any, method: str, path: str, *, body: bytes | None = None, who: str = "web") -> int:
    """Status of one request with a host's own credential; {id} stands for the web server's repository."""
    repository = trial.variables[who]["backup_repository"]
    context = ssl.create_default_context(cadata=repository["certificate"])
    connection = http.client.HTTPSConnection(trial.hosts["vault"].address, 8443, timeout=10, context=context)
    pair = f"{repository['user']}:{repository['http_password']}".encode()
    headers = {"Authorization": f"Basic {base64.b64encode(pair).decode()}"} if who else {}
    path = path.replace("{id}", trial.variables["web"]["backup_repository"]["user"])
    connection.request(method, path, body=body, headers=headers)
    return connection.getresponse().status


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/{id}/config", 200),
        ("HEAD", "/{id}/config", 200),
        ("GET", "/{id}/snapshots/", 200),
        ("GET", "/{id}/keys/", 200),
        ("GET", f"/{{id}}/data/{ABSENT}", 404),
        ("POST", "/{id}/config", 403),
        ("DELETE", "/{id}/config", 403),
        ("POST", "/{id}/?create=true", 403),
        ("POST", "/{id}/sub/?create=true", 403),
        ("POST", f"/{{id}}/keys/{NAME}", 403),
        ("POST", f"/{{id}}//keys/{NAME}", 403),
        ("POST", f"/{{id}}/%6beys/{NAME}", 403),
        ("POST", f"/{{id}}/data/../keys/{NAME}", 403),
        ("POST", f"/{{id}}/keys/{NAME}?x=1", 403),
        ("POST", f"/{{id}}/data/{NAME[:63]}", 403),
        ("PUT", f"/{{id}}/data/{NAME}", 403),
        ("DELETE", "/{id}/", 403),
        ("DELETE", f"/{{id}}/data/{ABSENT}", 403),
        ("DELETE", f"/{{id}}/index/{ABSENT}", 403),
        ("DELETE", f"/{{id}}/keys/{ABSENT}", 403),
        ("DELETE", f"/{{id}}/snapshots/{ABSENT}", 403),
        ("DELETE", f"/{{id}}/locks/{ABSENT}", 200),
        ("GET", "/", 403),
        ("GET", "/metrics", 403),
    ],
)
def test_methods_and_paths(trial: Any, method: str, path: str, status: int) -> None:
    assert ask(trial, method, path, body=JUNK if method in {"POST", "PUT"} else None) == status


def test_an_object_comes_in_once_and_only_under_its_own_digest(trial: Any) -> None:
    assert ask(trial, "POST", f"/{{id}}/locks/{ABSENT}", body=JUNK) == 400
    assert ask(trial, "POST", f"/{{id}}/locks/{NAME}", body=JUNK) == 200
    assert ask(trial, "POST", f"/{{id}}/locks/{NAME}", body=JUNK) == 403
    assert ask(trial, "DELETE", f"/{{id}}/locks/{NAME}") == 200


def test_a_host_reaches_its_own_repository_only(trial: Any) -> None:
    assert ask(trial, "GET", "/{id}/config", who="db") == 401


def test_the_store_cannot_be_reached_past_the_front(trial: Any) -> None:
    vault = trial.hosts["vault"]
    listening = vault.sudo("ss", "-ltnH").out

    assert sorted({line.split()[3].rpartition(":")[2] for line in listening.splitlines()}) == ["22", "8443"]
    assert vault.sudo("stat", "-c", "%a", "/run/steward-vault").out.strip() == "750"


def test_the_key_stays_on_the_vault_and_the_certificate_names_its_address(trial: Any) -> None:
    vault = trial.hosts["vault"]
    described = vault.sudo("/usr/local/sbin/steward-vault", "describe").json
    der = ssl.PEM_cert_to_DER_cert(described["certificate"])

    assert described["fingerprint"] == hashlib.sha256(der).hexdigest()
    assert described["port"] == 8443
    assert len(described["repositories"]) == 2
    assert vault.root("stat -c %U:%a /etc/steward/vault/*.key").out.strip() == "root:600"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"id": "../etc"}, "32 hexadecimal digits"),
        ({"user": "f" * 32}, "user must equal id"),
        ({"htpasswd_line": "x:y"}, "bcrypt"),
        ({"files": {"config": "AAAA"}}, "at least one key"),
        ({"files": {"config": "AAAA", "data/00": "AAAA"}}, "only config and keys"),
        ({"files": {"config": "AAAA", f"keys/{ABSENT}": "AAAA"}}, "does not hold what its name says"),
    ],
)
def test_enrolment_refuses(trial: Any, change: dict[str, Any], told: str) -> None:
    key = base64.b64encode(JUNK).decode()
    asked = {"id": "a" * 32, "user": "a" * 32, "files": {"config": key, f"keys/{NAME}": key}}
    asked["htpasswd_line"] = f"{'a' * 32}:$2b$10${'x' * 53}"

    answer = trial.hosts["vault"].sudo(
        "/usr/local/sbin/steward-vault", "enrol", given=json.dumps(asked | change)
    )

    assert answer.code == 1
    assert told in answer.err


def test_a_repository_is_never_replaced(trial: Any) -> None:
    key, user = base64.b64encode(JUNK).decode(), trial.hosts["web"].incarnation
    files = {"config": key, f"keys/{NAME}": key}
    asked = {"id": user, "user": user, "files": files, "htpasswd_line": f"{user}:$2b$10${'x' * 53}"}

    answer = trial.hosts["vault"].sudo("/usr/local/sbin/steward-vault", "enrol", given=json.dumps(asked))

    assert answer.code == 1
    assert "never replaced" in answer.err
    assert ask(trial, "GET", "/{id}/config") == 200
