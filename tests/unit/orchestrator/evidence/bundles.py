"""What tests of the auditor's bundle share: documents to put in, and its own script to verify it."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import tarfile
from datetime import datetime, timedelta
from pathlib import Path

from orchestrator.evidence.bundle import Bundle
from orchestrator.evidence.period import read_period
from orchestrator.evidence.writer import Attachment, RunEnd
from tests.unit.orchestrator.evidence.chains import REPORT, Bench

TOOLS = (
    "awk", "basename", "cat", "cmp", "cut", "dirname", "find", "fold", "grep", "head", "mkdir", "mktemp",
    "rm", "sed", "sha256sum", "sort", "split", "ssh-keygen", "tail", "tr", "wc", "xargs",
)  # fmt: skip
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


def unpacked(bundle: Bundle, folder: Path) -> Path:
    with tarfile.open(fileobj=io.BytesIO(bundle.content)) as tar:
        tar.extractall(folder, filter="data")
    return next(folder.iterdir())


def verified(folder: Path, *words: str) -> tuple[int, str]:
    """What verify.sh says, in dash, with a PATH of nothing but what it may need."""
    tools = folder.parent.parent / "tools"
    tools.mkdir(exist_ok=True)
    for name in TOOLS:
        found = shutil.which(name)
        assert found, name
        if not (tools / name).exists():
            (tools / name).symlink_to(found)
    done = subprocess.run(
        ["/bin/dash", str(folder / "verify.sh"), *words], env={"PATH": str(tools)}, cwd="/",
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr
