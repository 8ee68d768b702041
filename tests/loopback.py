"""A real HTTP server on a free port of the loopback, gone at the end."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

LOOKS_SECONDS = 0.05
"""How often a server looks whether it should end."""


@contextmanager
def serving(
    handler: Callable[..., BaseHTTPRequestHandler], tls: tuple[Path, Path] | tuple[Path] | None = None
) -> Iterator[int]:
    """The port at which it answers; `tls`: certificate and key, in one file or two."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = Thread(target=server.serve_forever, args=(LOOKS_SECONDS,))
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()
