"""Records and policy reports for tests of tables, without a chain around them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator.evidence.documents import Read
from orchestrator.evidence.record import Kind, Line

RULE = {"id": "network.ssh", "severity": "high", "kind": "resource", "types": ["server"]}
HOST_RULE = {"id": "ssh.root", "severity": "low", "kind": "host_facts", "types": ["host"]}
SERVER = {"id": "urn:web", "kind": "resource", "type": "server"}
SERVICE = {"id": "urn:shop", "kind": "resource", "type": "service"}
HOST = {"id": "host:web-1", "kind": "host_facts", "type": "host"}
OTHER_HOST = {"id": "host:web-2", "kind": "host_facts", "type": "host"}


def line(
    number: int, at: str, verb: str = "up", exit_code: int = 0, *, kind: Kind = Kind.RUN, kept: str = ""
) -> Line:
    """A record as the tables read it; `kept`: name of a document that lies beside it."""
    payloads = [dict.fromkeys(("media_type", "sha256", "commitment"), "") | {"name": kept, "size": 1}]
    body = {"run": f"R{number}"} | ({"verb": verb, "exit_code": exit_code} if kind is Kind.RUN else {})
    record = {
        "number": number, "ended_at": at, "kind": kind.value, "body": body, "actor": "ann",
        "payloads": payloads if kept else [],
    }  # fmt: skip
    return Line(raw=b"", record=record, sha256="", signature="")


def report(
    of: Line,
    phase: str,
    matrix: Mapping[str, str],
    subjects: Sequence[Mapping[str, object]],
    failing: Mapping[tuple[str, int], str] | None = None,
    not_checked: Sequence[str] = (),
) -> Read:
    """A policy report of that record; `failing`: (rule, place of the subject) -> the property at fault."""
    results = [
        {"rule": rule, "on": [place], "state": "fail", "path": path}
        for (rule, place), path in (failing or {}).items()
    ]
    found: dict[str, Any] = {
        "schema": "steward.policy-report/1", "phase": phase, "matrix": dict(matrix),
        "rules": [each for each in (RULE, HOST_RULE) if each["id"] in matrix],
        "subjects": [*subjects], "results": results,
        "not_checked": [{"what": each, "why": "nobody asked"} for each in not_checked],
    }  # fmt: skip
    return Read(of, found)
