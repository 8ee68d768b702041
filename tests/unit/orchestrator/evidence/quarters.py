"""A quarter of a stack with all that an auditor asks for, and its bundle unpacked."""

from __future__ import annotations

import json
import subprocess
from datetime import datetime, timedelta
from pathlib import Path

from orchestrator.evidence.bundle import Bundle
from orchestrator.evidence.period import read_period
from orchestrator.evidence.record import Kind
from orchestrator.evidence.review import Review, accepted_review, statement_of
from orchestrator.evidence.sshsig import REVIEW, make_key, sign
from orchestrator.evidence.standing import erasable
from orchestrator.evidence.writer import Attachment, RunEnd
from tests.unit.orchestrator.evidence.chains import REPORT, Bench, bench_at

Q4 = read_period("2026-Q4")


def policy(phase: str, letters: str, failed: bool) -> Attachment:
    """A report of one rule on two subjects."""
    result = {"rule": "network.ssh", "on": [0], "state": "fail", "path": "port"}
    document = {
        "schema": "steward.policy-report/1", "phase": phase,
        "rules": [{"id": "network.ssh", "severity": "high"}],
        "subjects": [{"id": "urn:web"}, {"id": "urn:db"}], "matrix": {"network.ssh": letters},
        "results": [result] if failed else [],
    }  # fmt: skip
    return Attachment("policy-report.json", "application/json", json.dumps(document).encode())


def facts(at: datetime, *keys: str) -> Attachment:
    document = {
        "schema": "steward.host-facts/1", "host": "web-1", "collected_at": at.isoformat(),
        "accounts": [{"name": "root", "shell": "/bin/bash"}, {"name": "www", "shell": "/usr/sbin/nologin"}],
        "authorized_keys": [{"account": "root", "fingerprint": f"SHA256:{k}", "comment": k} for k in keys],
    }  # fmt: skip
    return Attachment("facts/web-1.json", "application/json", json.dumps(document).encode())


def run(bench: Bench, name: str, *attachments: Attachment) -> str:
    bench.clock.move(timedelta(days=1))
    with bench.writer() as writer:
        end = RunEnd(name * 26, "up", 0, bench.clock.moment(), attachments=(REPORT, *attachments))
        return str(writer.append_run(end).body["run"])


def quarter(room: Path) -> Bench:
    """A failure that is fixed after two days, a key that goes, an erasure, a rotation, a review."""
    made = bench_at(room / "home")
    run(made, "a", policy("up", "fp", True), facts(made.clock.now(), "ann", "=cmd()"))
    erased = run(made, "b", policy("up", "fp", True))
    with made.writer() as writer:
        writer.rotate("quarterly")
        writer.erase(erasable(writer.standing().of_run(erased), writer.standing())[:1], "request", "asked")
        writer.append_killed(["k" * 26], "c" * 26)
    read = run(made, "c", policy("up", "pu", False), facts(made.clock.now(), "ann"))
    key = make_key(room / "reviewer")
    with made.writer() as writer:
        runs = writer.standing().runs
        statement = statement_of(runs[read], "ann@acme.example", "accepted", 'all "good"')
        review = Review(statement, sign(room / "reviewer", REVIEW, statement))
        body = accepted_review(review, runs, f"ann@acme.example {key}\n")
        writer.append(Kind.REVIEW, body)
    return made


def unpacked(bundle: Bundle, folder: Path) -> Path:
    """Its folder, as an auditor unpacks it."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["tar", "--extract", "--directory", folder], input=bundle.content, check=True)
    return next(folder.iterdir())
