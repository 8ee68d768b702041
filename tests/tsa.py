"""A time stamp authority (RFC 3161) of its own, by `openssl ts`, on loopback."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from tests.loopback import serving

CONFIG = """\
[tsa]
default_tsa = ours
[ours]
dir = {folder}
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
certs = {folder}/ca.pem
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ess_cert_id_alg = sha256
"""
PURPOSE = """\
basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=critical,timeStamping
"""


def openssl(*words: str | Path) -> None:
    """As given; raises where it fails."""
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True, timeout=60)


def make_authority(folder: Path) -> Path:
    """Keys, certificates and configuration; returns the root certificate."""
    folder.mkdir(parents=True)
    root = folder / "ca.pem"
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    openssl(
        "req", "-x509", *key, "-keyout", folder / "ca.key", "-out", root, "-days", "30", "-subj", "/CN=root"
    )
    openssl("req", *key, "-keyout", folder / "tsa.key", "-out", folder / "tsa.csr", "-subj", "/CN=tsa")
    (folder / "purpose").write_text(PURPOSE)
    openssl(
        "x509", "-req", "-in", folder / "tsa.csr", "-CA", root, "-CAkey", folder / "ca.key", "-days", "30",
        "-extfile", folder / "purpose", "-out", folder / "tsa.pem",
    )  # fmt: skip
    (folder / "serial").write_text("01\n")
    (folder / "tsa.cnf").write_text(CONFIG.format(folder=folder))
    return root


class Answering(BaseHTTPRequestHandler):
    """Stamps what is asked, or says something else."""

    folder: Path
    instead: tuple[str, bytes] | None = None

    def do_POST(self) -> None:
        asked = self.rfile.read(int(self.headers["Content-Length"]))
        kind, body = self.instead or ("application/timestamp-reply", self.stamp(asked))
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def stamp(self, asked: bytes) -> bytes:
        (self.folder / "query").write_bytes(asked)
        openssl(
            "ts", "-reply", "-config", self.folder / "tsa.cnf", "-queryfile", self.folder / "query",
            "-out", self.folder / "reply",
        )  # fmt: skip
        return (self.folder / "reply").read_bytes()

    def log_message(self, *_arguments: object) -> None:
        """Tests need no log."""


@contextmanager
def authority(folder: Path, instead: tuple[str, bytes] | None = None) -> Iterator[str]:
    """The address at which it answers."""
    handler = type("Handler", (Answering,), {"folder": folder, "instead": instead})
    with serving(handler) as port:
        yield f"http://127.0.0.1:{port}/tsr"
