"""Twenty kinds of secrets, planted wherever a program could tell one: none leaves in any format.

What only real servers can show (process lists, files on hosts, state) is in tests/e2e/test_j_secrets.py.
"""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from orchestrator import redaction
from orchestrator.app import hidden
from orchestrator.redaction import HIDDEN, forms, guarded, know
from orchestrator.reporting.html import to_html
from orchestrator.reporting.json import to_json
from orchestrator.reporting.markdown import to_markdown
from orchestrator.reporting.model import Check, Finding, Host, Report, Step, StepState, Verdict
from orchestrator.reporting.terminal import findings, summary
from tests.unit.reporting.sample import demo

PEM = """\
-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ
QyNTUxOQAAACBpbnZlbnRlZEtleUZvckFUZXN0T25seQ
-----END OPENSSH PRIVATE KEY-----
"""
KINDS = {
    "stack passphrase": "vQ3-hM8xkq2LZr0uYw7sTbNcGdPeJfAi",
    "admin SSH key": PEM,
    "server's host key": PEM.replace("b3Blbn", "aG9zdG"),
    "repository password": "Zt9_repository-Pw.8sKq",
    "repository HTTP password": "Hq7_http-Pw.1mVx",
    "basic authorisation": "user:Hs82-basic-auth-pw",
    "database password": "p@ss'word\"with\\quotes",
    "database URL": "postgresql://shop:S3cr%2Fet@db-1:5432/shop",
    "token in a URL": "https://ci:glpat-Xy12Zw34Ab56@git.example/repo.git",
    "token": "ghp_0123456789abcdefABCDEF0123456789abcd",
    "JSON web token": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJlLW9mLWE",
    "cloud access key": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    "TLS key": PEM.replace("OPENSSH ", "").replace("QyNTUx", "VExTS0"),
    "document in JSON": '{"type": "service_account", "private_key_id": "90ab12cd34ef"}',
    "lines of an environment file": "API_KEY=ek_live_51Habcdefgh\nSIGNING=sg_live_0987654321zy",
    "words with spaces": "correct horse battery staple",
    "not only ASCII": "pässwörd-ünïcode-✓-987",
    "markup": "<b>&amp;secret</b>-77",
    "a template": "{{ lookup('env', 'X') }}-s3cr3t",
    "a shell's own signs": "$(touch /tmp/x)`id`;&|s3cr3t",
}


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "_known", redaction._Known())
    know(*KINDS.values())


def test_there_are_twenty_kinds() -> None:
    assert len(KINDS) == len(set(KINDS.values())) == 20


def leaks(text: str) -> list[str]:
    """Kinds of which anything is left in a text, in whatever form."""
    return [kind for kind, secret in KINDS.items() if any(form in text for form in forms(secret))]


def told() -> Report:
    """A report in which a host, a check, a step and a finding tell each secret in several forms."""
    texts = [f"it said: {form}" for secret in KINDS.values() for form in sorted(forms(secret))]
    now, bad = datetime(2026, 11, 25, tzinfo=UTC), StepState.FAILED
    step = Step(name="s", phase="up", state=bad, started_at=now, duration_seconds=1)
    host = Host(name="web-1", ok=1, changed=0, failed=1, unreachable=False)
    check = Check(server="web-1", check="c", title="t", verdict=Verdict.FAIL)
    finding = Finding(source="check", severity="high", blocking=True, subject="web-1", title="t")
    return demo().model_copy(
        update={
            "problem": " ".join(texts),
            "steps": [step.model_copy(update={"message": text}) for text in texts],
            "hosts": [host.model_copy(update={"message": text}) for text in texts],
            "checks": [check.model_copy(update={"title": text, "observed": text}) for text in texts],
            "findings": [finding.model_copy(update={"title": text, "fix": text}) for text in texts],
        }
    )


@pytest.mark.parametrize("format_", ["json", "html", "markdown", "summary", "findings"])
def test_reports_tell_no_secret(format_: str) -> None:
    made = hidden(told())
    text = {
        "json": lambda: to_json(made),
        "html": lambda: to_html(made),
        "markdown": lambda: to_markdown(made),
        "summary": lambda: summary(made, Path("report.html")),
        "findings": lambda: findings(made),
    }[format_]()
    assert leaks(text) == []
    assert "redacted" in text or format_ == "summary"


def test_a_report_without_secrets_stays_as_it_is() -> None:
    assert hidden(demo()).model_dump_json() == demo().model_dump_json()


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_that_is_printed_tells_a_secret(kind: str) -> None:
    stream = io.StringIO()
    out = guarded(stream)
    print(f"a line with {KINDS[kind]} in it", json.dumps({"value": KINDS[kind]}), file=out)
    assert leaks(stream.getvalue()) == []
    assert HIDDEN in stream.getvalue()
