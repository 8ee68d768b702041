"""The control machine as a place to look from: runs the probing program here."""

from __future__ import annotations

import sys

from orchestrator.phases.network import program
from orchestrator.process import run


def probe_from_here(request: str, seconds: float) -> str:
    """What the program printed; raises ToolError when it fails."""
    return run([sys.executable, "-I", "-c", program()], timeout=seconds, stdin=request).stdout
