"""What every part of a report has in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """Base of all parts of a report: frozen, no unknown keys, times in UTC, durations in seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")
