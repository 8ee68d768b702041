"""The Redis of this host, in its own protocol: what is asked, a password too, goes over the connection alone."""

from __future__ import annotations

import contextlib
import socket
import ssl
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO

CONFIGURATION = "/etc/redis/redis.conf"
USERS = "/etc/redis/users.acl"
_PATIENCE_SECONDS = 60.0


class RedisError(Exception):
    """Why the running server cannot be asked, or what it refused."""


def text_of(path: str) -> str:
    """A file's text; nothing where there is none."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def settings(text: str) -> dict[str, str]:
    """First words of a configuration's lines with the rest."""
    lines = (line.strip().partition(" ") for line in text.splitlines() if not line.startswith("#"))
    return {name: value.strip().strip('"') for name, _, value in lines if name}


def passwords_of(users: str) -> list[str]:
    """The passwords that a file of users gives to those who name no user."""
    ours = (line.split() for line in users.splitlines() if line.startswith("user default "))
    return [word[1:] for words in ours for word in words if word.startswith(">")]


def kept_passwords(known: Mapping[str, str]) -> list[str]:
    """Those on this host; a configuration from before users had a file of their own names one itself."""
    before = known.get("requirepass")
    return [*passwords_of(text_of(USERS)), *([before] if before else [])]


def is_up() -> bool:
    """Whether there is a server that could be asked."""
    argv = ["/usr/bin/systemctl", "is-active", "--quiet", "redis-server"]
    return subprocess.run(argv, check=False).returncode == 0


class Redis:
    """One connection; raises RedisError where something is refused."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._answers: BinaryIO = connection.makefile("rb")

    def ask(self, *words: str) -> Any:
        """One command's answer."""
        parts = [word.encode() for word in words]
        sent = b"".join(b"$%d\r\n%b\r\n" % (len(part), part) for part in parts)
        try:
            self._connection.sendall(b"*%d\r\n%b" % (len(parts), sent))
            return self._answer()
        except OSError as problem:
            raise RedisError(f"it does not answer: {problem}") from problem

    def enter(self, passwords: Iterable[str]) -> None:
        """Show passwords until one is accepted; none is needed where the server asks for none."""
        for password in passwords:
            with contextlib.suppress(RedisError):
                self.ask("AUTH", password)
                break
        self.ask("PING")

    def _answer(self) -> Any:
        line = self._answers.readline()
        if not line.endswith(b"\r\n"):
            raise RedisError("it closed the connection")
        kind, told = line[:1], line[1:-2].decode(errors="replace")
        if kind == b"-":
            raise RedisError(told)
        if kind == b"+":
            return told
        size = int(told)
        if kind == b"*":
            return [self._answer() for _ in range(size)]
        if kind == b"$":
            return self._answers.read(size + 2)[:size].decode(errors="replace") if size >= 0 else ""
        return size


@contextlib.contextmanager
def opened(known: Mapping[str, str], passwords: Iterable[str]) -> Iterator[Redis]:
    """The running server by its own configuration, entered; raises RedisError where that cannot be done."""
    with contextlib.closing(_connected(known)) as connection:
        redis = Redis(connection)
        redis.enter(passwords)
        yield redis


def _connected(known: Mapping[str, str]) -> socket.socket:
    port = int(known.get("tls-port") or known.get("port", 6379))
    try:
        plain = socket.create_connection(("127.0.0.1", port), _PATIENCE_SECONDS)
        if "tls-port" not in known:
            return plain
        trusted = ssl.create_default_context(cafile=known["tls-ca-cert-file"])
        return trusted.wrap_socket(plain, server_hostname="localhost")
    except OSError as problem:
        raise RedisError(f"it does not answer on port {port}: {problem}") from problem
