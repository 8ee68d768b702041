"""Asks services over HTTP from the control machine, the outside witness of whether they answer."""

from __future__ import annotations

from time import monotonic
from urllib.parse import urlsplit

from orchestrator.ports.probes import HttpAnswer

_SECONDS = 5.0


class HttpProber:
    """Implements `ports.probes.ServiceProber`; the answer's body is never read: nobody needs it."""

    def ask(self, url: str) -> HttpAnswer:
        """One GET, redirects not followed; no answer in good time is an answer too."""
        from http.client import HTTPConnection, HTTPException  # half the email package comes with it

        target = urlsplit(url)
        began = monotonic()
        connection = HTTPConnection(target.hostname or "", target.port, timeout=_SECONDS)
        try:
            connection.request("GET", target.path or "/", headers={"User-Agent": "steward"})
            status, message = connection.getresponse().status, ""
        except (OSError, HTTPException) as problem:
            status, message = None, str(problem) or type(problem).__name__
        finally:
            connection.close()
        return HttpAnswer(status, round(monotonic() - began, 3), message)
