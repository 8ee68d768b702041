"""What the ends of the chains tell whoever judges: the head that a report follows, whether time went back."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from orchestrator.errors import ToolError
from orchestrator.evidence.chain import ChainFile
from orchestrator.evidence.folder import EvidenceFolder, found_in


def head_of(folder: EvidenceFolder) -> str:
    """SHA-256 of the newest record; '' where there is none, or none that can be read."""
    try:
        last = ChainFile(folder.chain).tail().last
    except ToolError:
        return ""
    return last.sha256 if last else ""


def clock_went_back(home: Path, now: datetime) -> bool:
    """Whether a chain ends later than now, or in something that is no record: then nobody knows the time."""
    try:
        ends = [ChainFile(folder.chain).tail().last for folder in found_in(home)]
    except ToolError:
        return True
    return any(last is not None and now < last.ended_at() for last in ends)
