"""A repository behind a token: git's own server over TLS on loopback."""

from __future__ import annotations

import base64
import os
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import quote

from orchestrator.supplies.authority import StackAuthority
from tests.loopback import serving as on_loopback

TOKEN = f"glpat-planted/in+a:url-{secrets.token_hex(4)}"
QUOTED = quote(TOKEN, safe="")


class Backend(BaseHTTPRequestHandler):
    """`git http-backend` for one folder, for whoever knows the token."""

    folder: Path

    def do_GET(self) -> None:
        self.answer(b"")

    def do_POST(self) -> None:
        self.answer(self.rfile.read(int(self.headers["Content-Length"])))

    def answer(self, body: bytes) -> None:
        wanted = base64.b64encode(f"ci:{TOKEN}".encode()).decode()
        if self.headers.get("Authorization") != f"Basic {wanted}":
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        path, _, query = self.path.partition("?")
        env = {
            "PATH": os.environ["PATH"], "GIT_PROJECT_ROOT": str(self.folder), "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": path, "QUERY_STRING": query, "REQUEST_METHOD": self.command, "REMOTE_USER": "ci",
            "CONTENT_TYPE": self.headers.get("Content-Type", ""), "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }  # fmt: skip
        done = subprocess.run(["git", "http-backend"], input=body, env=env, capture_output=True, check=True)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        self.send_response(200)
        for line in head.decode().splitlines():
            self.send_header(*line.split(": ", 1))
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_arguments: object) -> None:
        pass


@contextmanager
def serving(folder: Path, keys: Path) -> Iterator[tuple[str, Path]]:
    """Host and port of a server for the bare repositories in `folder`, and the authority to trust."""
    made = StackAuthority(keys, "git").certificate("localhost", ["localhost"], datetime.now(UTC))
    (keys / "server.pem").write_text(made.certificate + made.key)
    (keys / "authority.pem").write_text(made.authority)
    handler = type("Served", (Backend,), {"folder": folder})
    with on_loopback(handler, (keys / "server.pem",)) as port:
        yield f"localhost:{port}", keys / "authority.pem"
