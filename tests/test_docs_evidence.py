"""The docs say which verify.sh an auditor should have."""

from __future__ import annotations

import hashlib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_digest_of_the_auditors_script_is_that_of_the_docs() -> None:
    script = (ROOT / "orchestrator" / "evidence" / "auditor" / "verify.sh").read_bytes()
    line = f"{hashlib.sha256(script).hexdigest()}  verify.sh"
    assert line in (ROOT / "docs" / "evidence.md").read_text(), f"write this line there: {line}"
