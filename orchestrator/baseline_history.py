"""What the Git history of a policy reference lets its baseline hold: entries only go, unless an owner signed.

A machine that has never seen the reference, as each job of a pipeline is, learns from the history what a
machine that is kept remembers.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from orchestrator.errors import InputError
from orchestrator.git_folder import git, tracked_files, tracked_text, write_folder
from orchestrator.signatures import proposal_verdict
from policies.baseline import FILE, Baseline, parse_baseline
from policies.facts import Unknown
from policies.model import PackError
from policies.reference.manifest import MINIMUM, SIGNATURE
from policies.signers import FILE as SIGNERS
from policies.signers import REVOKED_FILE, Signers, Standing, read_signers

_MOST_CHANGES: Final = 5_000
_AT_ONCE: Final = 100


@dataclass(frozen=True)
class History:
    """The line of first parents that leads to one commit, as far as it changed the baseline of a folder."""

    repository: Path
    """The top of a working tree, or a bare repository."""
    commit: str
    inside: str

    def has(self, commit: str) -> bool:
        """Whether a commit is this one, or one that it was made from."""
        said = git(self.repository, "merge-base", "--is-ancestor", commit, self.commit, check=False)
        return said.returncode == 0

    def settled(self, signers: Signers, now: datetime, *, clock_suspect: bool) -> Baseline | Unknown | None:
        """The entries that were there from the first or came in signed; None where the reference begins here.

        `signers`: of the commit itself, whose revoked keys are void for all that they signed. An entry that
        was taken out does not come back unsigned, and what grew unsigned in one commit stays so in the next.
        """
        if git(self.repository, "rev-parse", "--is-shallow-repository").stdout.strip() != "false":
            return Unknown("the clone has a part of the history only; fetch the whole of it (fetch-depth: 0)")
        commits = self._changes()
        if len(commits) > _MOST_CHANGES:
            return Unknown(f"more than {_MOST_CHANGES} commits changed it")
        allowed: Baseline | None = None
        for commit, version in self._versions(commits):
            within = version if allowed is None else version.within(allowed)
            grown = within != version
            signed = grown and self._is_signed(commit, signers, now, clock_suspect=clock_suspect)
            allowed = version if signed else within
        return allowed

    def _changes(self) -> list[str]:
        """The commits that touched the baseline, or a signature that may be over it, the oldest first."""
        paths = [self._path(name) for name in (MINIMUM, FILE, SIGNATURE)]
        words = ("rev-list", "--first-parent", "--reverse", self.commit, "--", *paths)
        return git(self.repository, *words).stdout.split()

    def _versions(self, commits: Sequence[str]) -> Iterator[tuple[str, Baseline]]:
        """The baseline at each commit where the reference is, or was before; one that nobody could read is
        left out, since nothing was judged by it.
        """
        began = False
        for place in range(0, len(commits), _AT_ONCE):
            some = commits[place : place + _AT_ONCE]
            there = self._files(some, MINIMUM)
            for commit, is_there, content in zip(some, there, self._files(some, FILE), strict=True):
                began = began or is_there is not None
                try:
                    version = parse_baseline(content, FILE) if content else Baseline()
                except PackError:
                    continue
                if began:
                    yield commit, version

    def _files(self, commits: Sequence[str], name: str) -> list[bytes | None]:
        """The file at each commit; None where it is not there."""
        asked = {f"{commit}:{self._path(name)}": f"{name} in {commit[:12]}" for commit in commits}
        return tracked_files(self.repository, asked)

    def _is_signed(self, commit: str, signers: Signers, now: datetime, *, clock_suspect: bool) -> bool:
        """By an owner of the policy whom the version before knew: nobody vouches for their own coming in."""
        parent = git(self.repository, "rev-parse", "--verify", "--quiet", f"{commit}^1").stdout.strip()
        with tempfile.TemporaryDirectory() as scratch:
            changed, before = Path(scratch) / "changed", Path(scratch) / "before"
            changed.mkdir()
            before.mkdir()
            try:
                write_folder(self.repository, commit, self.inside, changed)
                for name in (SIGNERS, REVOKED_FILE):
                    text = tracked_text(self.repository, parent, self._path(name)) if parent else None
                    (before / name).write_text(text or "", encoding="utf-8", newline="")
                known = read_signers(before)
                told = proposal_verdict(changed, before, known, now, clock_suspect=clock_suspect)
            except (InputError, PackError):  # a version that nobody could read was signed by nobody
                return False
        return told.standing is Standing.GOOD and told.key not in signers.revoked

    def _path(self, name: str) -> str:
        return f"{self.inside}/{name}" if self.inside else name
