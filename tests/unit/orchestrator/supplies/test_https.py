"""A tarball by https, from a server whose certificate the machine trusts; only what was asked for is kept."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path

import pytest

from orchestrator.errors import InputError, ToolError
from orchestrator.supplies.sources import SourceStore
from tests.loopback import serving

DIGEST = hashlib.sha256(b"code").hexdigest()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def published(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Address of a tarball, and the file that is served there."""
    folder = tmp_path / "served"
    folder.mkdir()
    certificate, key = tmp_path / "server.crt", tmp_path / "server.key"
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    told = [
        "-subj",
        "/CN=localhost",
        "-addext",
        "subjectAltName=DNS:localhost",
        "-keyout",
        str(key),
        "-out",
        str(certificate),
    ]
    subprocess.run([*made, *told], check=True, capture_output=True)
    with serving(partial(Quiet, directory=str(folder)), (certificate, key)) as port:
        yield f"https://localhost:{port}/shop-1.2.tar.gz", folder / "shop-1.2.tar.gz"


def test_a_tarball_is_fetched_once(
    tmp_path: Path, published: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "server.crt"))
    url, served = published
    served.write_bytes(b"code")
    store = SourceStore(tmp_path / "cache")
    made = store.fetch({"archive": url, "sha256": DIGEST}, tmp_path)
    assert (made.release, made.path.read_bytes()) == (f"shop-1.2-{DIGEST[:8]}", b"code")
    served.unlink()
    assert store.fetch({"archive": url, "sha256": DIGEST}, tmp_path) == made


def test_another_tarball_is_refused_and_not_kept(
    tmp_path: Path, published: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "server.crt"))
    url, served = published
    served.write_bytes(b"other")
    store = SourceStore(tmp_path / "cache")
    with pytest.raises(InputError, match="not the tarball"):
        store.fetch({"archive": url, "sha256": DIGEST}, tmp_path)
    assert list((tmp_path / "cache").iterdir()) == []
    served.write_bytes(b"code")  # the publisher mends it
    assert store.fetch({"archive": url, "sha256": DIGEST}, tmp_path).path.read_bytes() == b"code"


def test_a_server_that_nobody_vouches_for_is_not_asked(tmp_path: Path, published: tuple[str, Path]) -> None:
    with pytest.raises(ToolError, match=r"cannot be fetched: .*certificate verify failed"):
        SourceStore(tmp_path / "cache").fetch({"archive": published[0], "sha256": DIGEST}, tmp_path)
