"""Append results as JSON lines, so that the whole population survives whatever the engine drops."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable

from policies.model import CheckResult

RESULTS_VARIABLE = "STEWARD_POLICY_RESULTS"


class ResultFile:
    """One open file; each batch is one write in append mode, so that parallel writers never mix lines."""

    def __init__(self, path: str) -> None:
        """Opens at once: a pack that cannot keep its evidence must not start. Raises OSError."""
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def append(self, results: Iterable[CheckResult]) -> None:
        """Write one line a result; raises OSError, also on a disk that took only part of the batch."""
        lines = [json.dumps(result.as_row(), sort_keys=True) + "\n" for result in results]
        batch = "".join(lines).encode()
        written = os.write(self._descriptor, batch)
        if written != len(batch):
            raise OSError(f"policy results: wrote {written} of {len(batch)} bytes")

    def close(self) -> None:
        """Give the file back."""
        os.close(self._descriptor)


def from_environment() -> ResultFile | None:
    """The file that the environment asks for, if any."""
    path = os.environ.get(RESULTS_VARIABLE)
    return ResultFile(path) if path else None
