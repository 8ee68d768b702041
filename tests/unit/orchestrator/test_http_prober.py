"""One request against real servers on the loopback."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from threading import Thread

import pytest

from orchestrator.http_prober import HttpProber
from tests.loopback import serving


class Site(BaseHTTPRequestHandler):
    def do_GET(self) -> None:  # the library's name
        self.send_response(302 if self.path == "/moved" else 204)
        self.send_header("Location", "http://127.0.0.1:1/elsewhere")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def site() -> Iterator[str]:
    with serving(Site) as port:
        yield f"http://127.0.0.1:{port}"


def test_the_status_is_the_answer_and_redirects_are_not_followed(site: str) -> None:
    assert HttpProber().ask(f"{site}/").status == 204
    assert HttpProber().ask(f"{site}/moved").status == 302


def test_a_refused_connection_is_an_answer_with_its_reason() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        answer = HttpProber().ask(f"http://127.0.0.1:{unused.getsockname()[1]}/")
    assert answer.status is None
    assert "refused" in answer.message


def test_what_does_not_speak_http_is_an_answer_too() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = Thread(target=lambda: server.accept()[0].sendall(b"220 mail\r\n\r\n"))
        thread.start()
        answer = HttpProber().ask(f"http://127.0.0.1:{server.getsockname()[1]}/")
        thread.join()
    assert answer.status is None
    assert answer.message
