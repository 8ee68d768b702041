"""What a baseline is compared with: the history of its reference, and what was read here last."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from orchestrator.baseline_history import History
from orchestrator.errors import InputError
from orchestrator.private_file import write_private
from orchestrator.signatures import proposal_verdict
from policies.baseline import Baseline, as_text, parse_baseline
from policies.facts import Unknown
from policies.model import PackError
from policies.reference import Reference
from policies.signers import FILE as SIGNERS
from policies.signers import REVOKED_FILE, Standing, read_signers

_COMMIT: Final = "commit"


@dataclass(frozen=True)
class Ratchet:
    """Compares the baseline of one reference, wherever and however it is named.

    What is remembered: the last baseline that had not grown, and who could sign the policy then.
    """

    room: Path
    """Where it is remembered, in STEWARD_HOME."""
    identity: str
    """Of the place that the reference lies in, however it is written."""
    spelling: str
    """As it is written: earlier versions remembered by that."""
    folder: Path
    history: History | None

    def earlier(self, holding: Reference, now: datetime, *, clock_suspect: bool) -> Baseline | Unknown | None:
        """What the baseline may hold at most; None where nothing earlier is known of it. Raises InputError.

        Unknown where the history that would tell is not there. What grew, or is unknown, is not remembered.
        """
        known, told = self._remembered(), self._by_history(holding, now, clock_suspect=clock_suspect)
        if isinstance(told, Baseline) and holding.baseline.since(told):
            return told
        if isinstance(told, Unknown) and known is None:
            return told
        follows = isinstance(told, Baseline) and self._follows()
        grown = known is not None and not follows and holding.baseline.since(known)
        if grown and not self._is_signed(holding, now, clock_suspect=clock_suspect):
            return known
        self._remember(holding, known)
        return holding.baseline if known is not None or told is not None else None

    def _by_history(
        self, holding: Reference, now: datetime, *, clock_suspect: bool
    ) -> Baseline | Unknown | None:
        if self.history is None:
            return None
        if not holding.baseline.entries:
            return holding.baseline  # whatever was there before, nothing came in
        return self.history.settled(holding.signers, now, clock_suspect=clock_suspect)

    def _follows(self) -> bool:
        """Whether the history goes on from what was remembered; one that was rewritten does not."""
        path = self._known / _COMMIT
        return not path.exists() or (
            self.history is not None and self.history.has(path.read_text(encoding="ascii").strip())
        )

    def _is_signed(self, holding: Reference, now: datetime, *, clock_suspect: bool) -> bool:
        """By an owner of the policy who could sign it when it was read last."""
        # Versions before this one did not remember who could.
        before = self._known if self._known.is_dir() else self.folder
        told = proposal_verdict(self.folder, before, read_signers(before), now, clock_suspect=clock_suspect)
        return told.standing is Standing.GOOD and told.key not in holding.signers.revoked

    @property
    def _path(self) -> Path:
        return self._named(self.identity)

    @property
    def _known(self) -> Path:
        """Folder of who could sign, and of the commit."""
        return self._path.with_suffix("")

    def _named(self, text: str) -> Path:
        return self.room / f"baseline-{hashlib.sha256(text.encode()).hexdigest()[:12]}.json"

    def _remembered(self) -> Baseline | None:
        path = self._path if self._path.exists() else self._named(self.spelling)
        try:
            return parse_baseline(path.read_bytes(), path.name) if path.exists() else None
        except (OSError, PackError) as problem:
            raise InputError(
                "policy reference", f"the baseline that was read last cannot be read: {problem}",
                place=str(path), next_step="Restore the file from your backup of STEWARD_HOME.",
            ) from problem  # fmt: skip

    def _remember(self, holding: Reference, known: Baseline | None) -> None:
        """The signers first: so a baseline that grew never stands beside older ones."""
        for name in (SIGNERS, REVOKED_FILE):
            source = self.folder / name
            _keep(self._known / name, source.read_text(encoding="utf-8") if source.exists() else "")
        if self.history is not None:
            _keep(self._known / _COMMIT, self.history.commit)
        if known != holding.baseline or not self._path.exists():
            write_private(self._path, as_text(holding.baseline))


def _keep(path: Path, text: str) -> None:
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        write_private(path, text)
