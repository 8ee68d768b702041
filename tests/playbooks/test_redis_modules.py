"""The modules of the role redis: what they read of a host, and the protocol in which they ask Redis."""

from __future__ import annotations

import hashlib
import socket
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import ansible.module_utils
import pytest

from tests.module_files import load

PLAYBOOKS = Path(__file__).parents[2] / "playbooks"
ROLE = PLAYBOOKS / "roles" / "redis"
ansible.module_utils.__path__.append(str(PLAYBOOKS / "library_parts"))

client = load(ROLE / "module_utils" / "steward_redis_client.py", "ansible.module_utils.steward_redis_client")
carry = load(ROLE / "library" / "steward_redis_carry.py", "steward_redis_carry")
passwords = load(ROLE / "library" / "steward_redis_passwords.py", "steward_redis_passwords")

ODD = ["second\"'\\#word>>(&99", "first-password-of-it"]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('appendonly yes\nsave ""\n', "append_only"),
        ("# appendonly yes\nappendonly no\nsave 900 1 300 100\n", "snapshots"),
        ('appendonly no\nsave ""\n', "none"),
    ],
)
def test_how_redis_keeps_its_keys_is_read_from_its_configuration(text: str, kind: str) -> None:
    assert carry.kind(client.settings(text)) == kind


def test_keys_are_carried_only_where_there_is_a_server_of_another_kind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "redis.conf"
    monkeypatch.setattr(carry, "CONFIGURATION", str(path))
    assert not carry.carry("append_only")
    path.write_text("port 1\nappendonly yes\n")
    assert not carry.carry("append_only")
    assert not carry.carry("none")
    monkeypatch.setattr(carry, "is_up", lambda: False)
    assert not carry.carry("snapshots")


def test_passwords_are_read_back_from_the_file_of_users_as_they_were_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "users.acl"
    monkeypatch.setattr(client, "USERS", str(path))
    assert client.kept_passwords({"requirepass": "before-there-was-a-file"}) == ["before-there-was-a-file"]
    path.write_text(f"user other on >not-for-everybody ~x\n{passwords.users_file(ODD)}")
    assert client.kept_passwords({"aclfile": str(path)}) == ODD


def test_a_server_that_is_yet_to_read_the_file_is_not_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one that a package has just started, and one that is down."""
    place, configuration = tmp_path / "users.acl", tmp_path / "redis.conf"
    for module in (client, passwords):
        monkeypatch.setattr(module, "USERS", str(place))
    monkeypatch.setattr(passwords, "CONFIGURATION", str(configuration))
    monkeypatch.setattr(passwords, "is_up", lambda: "aclfile" not in configuration.read_text())
    for text in ("port 1\n", f"port 1\naclfile {place}\n"):
        configuration.write_text(text)
        place.unlink(missing_ok=True)
        assert wanted(ODD, dry=True).converge() == (True, False)
        assert not place.exists()
        assert wanted([*ODD, ODD[0]]).converge() == (True, False)
        assert place.read_text() == passwords.users_file(sorted(ODD))
        assert wanted(ODD).converge() == (False, False)
        assert oct(place.stat().st_mode)[-3:] == "640"


def wanted(those: list[str], *, dry: bool = False) -> Any:
    return passwords.Passwords(SimpleNamespace(params={"passwords": those}, check_mode=dry))


def test_answers_of_every_kind_are_read_and_a_refusal_is_raised() -> None:
    here, there = socket.socketpair()
    with here, there:
        redis = client.Redis(here)
        digest = hashlib.sha256(ODD[0].encode()).hexdigest()
        user = f"*4\r\n$5\r\nflags\r\n*1\r\n$2\r\non\r\n$9\r\npasswords\r\n*1\r\n$64\r\n{digest}\r\n"
        there.sendall(b"+PONG\r\n:12\r\n$-1\r\n-WRONGPASS no\r\n" + user.encode())
        assert [redis.ask("PING"), redis.ask("INCR", "n"), redis.ask("GET", "x")] == ["PONG", 12, ""]
        with pytest.raises(client.RedisError, match="WRONGPASS no"):
            redis.ask("AUTH", "a b")
        assert passwords.known_to(redis) == [digest] == passwords.digests(ODD[:1])
        sent = there.recv(4096)
        assert sent.startswith(b"*1\r\n$4\r\nPING\r\n*2\r\n$4\r\nINCR\r\n$1\r\nn\r\n")
        assert b"*2\r\n$4\r\nAUTH\r\n$3\r\na b\r\n" in sent
        there.close()
        with pytest.raises(client.RedisError):
            redis.ask("PING")


@pytest.mark.parametrize(
    ("answers", "known", "ends"),
    [
        (b"-WRONGPASS no\r\n+OK\r\n+PONG\r\n", ["one", "two", "three"], ""),
        (b"-ERR no password is set\r\n+PONG\r\n", ["one"], ""),
        (b"-WRONGPASS no\r\n-NOAUTH who\r\n", ["one"], "NOAUTH who"),
    ],
)
def test_entering_tries_passwords_until_one_is_accepted(answers: bytes, known: list[str], ends: str) -> None:
    here, there = socket.socketpair()
    with here, there:
        there.sendall(answers)
        redis = client.Redis(here)
        if ends:
            with pytest.raises(client.RedisError, match=ends):
                redis.enter(known)
        else:
            redis.enter(known)
        assert b"three" not in there.recv(4096)
