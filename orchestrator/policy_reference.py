"""The policy reference of this installation, found, checked and made ready for whoever judges.

A reference out of Git is written into STEWARD_HOME, once a commit, so that `steward` and a bare `pulumi` read
the same files; a process keeps to the version that it began with.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Final

from orchestrator.errors import InputError
from orchestrator.git_folder import commit_of, write_folder
from orchestrator.private_file import write_private
from orchestrator.settings import Settings
from orchestrator.signatures import proposal_verdict, waiver_verdicts
from policies.baseline import Baseline, as_text, parse_baseline
from policies.governed import Seen
from policies.model import PackError
from policies.reference import VARIABLE as FOLDER_VARIABLE
from policies.reference import Reference, load_reference
from policies.signers import Standing, Verdict
from policies.verdicts import VARIABLE as VERDICTS_VARIABLE
from policies.verdicts import Verdicts, parse_verdicts, verdicts_text

_GIT: Final = re.compile(r"(?P<repository>.+)@(?P<ref>[^@:\s-][^@:\s]*):(?P<folder>[^:]*)")
_ROOM: Final = "policy"


@dataclass(frozen=True)
class Place:
    """Where the reference lies, and the repository that it came from, if it came from one."""

    folder: Path
    name: str
    repository: Path | None = None
    inside: str = ""
    """The folder in the repository."""


@dataclass(frozen=True)
class Policy:
    """All that `policies.governed` needs: what holds, what would follow it, and what signatures are worth."""

    holding: Reference
    seen: Seen
    proposed: Reference | None = None
    proposed_waivers: Mapping[str, Verdict] = field(default_factory=dict)


def open_policy(
    settings: Settings,
    now: datetime,
    *,
    clock_suspect: bool = False,
    earlier_baseline: Baseline | None = None,
) -> Policy:
    """What judges now, with the verdicts on its signatures; raises InputError that names the file at fault.

    `clock_suspect`: time stands before what was recorded last. `earlier_baseline`: of the last recorded run;
    without it, the smallest one that was read here.
    """
    place = place_of(settings)
    if place is None:
        return Policy(_load(None, "", settings), Seen(now, clock_suspect=clock_suspect))
    holding = _load(place.folder, place.name, settings)
    suspect = clock_suspect or _set_back(settings, now)
    waivers = waiver_verdicts(place.folder, holding, now, clock_suspect=suspect)
    earlier = earlier_baseline or _remembered(place, holding, settings, now, suspect=suspect)
    seen = Seen(now, clock_suspect=suspect, waivers=waivers, earlier_baseline=earlier)
    policy = Policy(holding, seen)
    draft = _draft(place, settings)
    return _with_proposal(policy, place, draft, settings) if draft else policy


def _with_proposal(policy: Policy, place: Place, draft: Path, settings: Settings) -> Policy:
    """The policy beside a draft of the next one; nothing of the draft runs before an owner has signed it."""
    seen = policy.seen
    proposed = _load(draft, f"{place.name} as changed here", settings, run_rules=False)
    if proposed.digest == policy.holding.digest:
        return policy
    told = proposal_verdict(
        draft, place.folder, policy.holding.signers, seen.now, clock_suspect=seen.clock_suspect
    )
    waivers = waiver_verdicts(draft, proposed, seen.now, clock_suspect=seen.clock_suspect)
    return replace(policy, seen=replace(seen, proposal=told), proposed=proposed, proposed_waivers=waivers)


@cache
def policy_environment(settings: Settings) -> Mapping[str, str]:
    """What the policy pack needs to judge alike, also under a bare `pulumi`; holds no secret."""
    place = place_of(settings)
    if place is None:
        return {}
    return {FOLDER_VARIABLE: str(place.folder), VERDICTS_VARIABLE: str(_verdict_file(settings))}


def place_of(settings: Settings) -> Place | None:
    """Where the reference of these settings lies, written out of Git where it is there; raises InputError."""
    return (
        _place(settings.policy_reference, settings.home, settings.project)
        if settings.policy_reference
        else None
    )


@cache
def _place(named: str, home: Path, project: Path) -> Place:
    folder = Path(named).expanduser().absolute()
    if folder.is_dir():
        # Whoever may change a fleet there could change what judges it.
        if folder.resolve().is_relative_to(project.resolve()):
            raise InputError(
                "STEWARD_POLICY_REFERENCE", "lies among the fleets that it judges", place=str(folder),
                rule="the judged does not choose the judge",
                next_step=f"Name a protected branch of it: {project}@main:{folder.name}",
            )  # fmt: skip
        return Place(folder, str(folder))
    found = _GIT.fullmatch(named)
    repository = Path(found["repository"]).expanduser().absolute() if found else folder
    inside = found["folder"].strip("/") if found else ""
    if found is None or not repository.is_dir() or ".." in Path(inside).parts:
        raise InputError(
            "STEWARD_POLICY_REFERENCE", "is neither a folder nor REPO@REF:FOLDER", got=named,
            next_step="Name the folder that holds minimum.yaml, or a Git ref: /srv/policy@main:reference",
        )  # fmt: skip
    commit = commit_of(repository, found["ref"])
    return Place(_written(home, repository, commit, inside), f"{named} ({commit[:12]})", repository, inside)


def _written(home: Path, repository: Path, commit: str, inside: str) -> Path:
    """The folder of a commit in STEWARD_HOME: whole or not there, and made anew where it was changed."""
    from filelock import FileLock  # brings asyncio along, which a reference in a folder does not need

    key = hashlib.sha256(f"{repository}\0{inside}".encode()).hexdigest()[:12]
    target = home / _ROOM / f"{commit}-{key}"
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with FileLock(target.parent / "lock", mode=0o600), tempfile.TemporaryDirectory(dir=target.parent) as room:
        draft = Path(room) / "draft"
        draft.mkdir(mode=0o700)
        write_folder(repository, commit, inside, draft)
        if target.is_dir() and _same(draft, target):
            return target
        # Mostly there is none yet; one that cannot be removed fails the next line with its place.
        shutil.rmtree(target, ignore_errors=True)
        return draft.rename(target)


def _same(one: Path, other: Path) -> bool:
    return _contents(one) == _contents(other)


def _contents(folder: Path) -> Mapping[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else b""
        for path in folder.rglob("*")
        if "__pycache__" not in path.parts
    }


def _remembered(
    place: Place, holding: Reference, settings: Settings, now: datetime, *, suspect: bool
) -> Baseline | None:
    """The last baseline of this reference that had not grown; a larger one is remembered once an owner of the
    policy has signed the folder that holds it.
    """
    key = hashlib.sha256(settings.policy_reference.encode()).hexdigest()[:12]
    path = settings.home / _ROOM / f"baseline-{key}.json"
    try:
        earlier = parse_baseline(path.read_bytes(), path.name) if path.exists() else None
    except (OSError, PackError) as problem:
        raise InputError(
            "policy reference", f"the baseline that was read last cannot be read: {problem}", place=str(path),
            next_step="Restore the file from your backup of STEWARD_HOME.",
        ) from problem  # fmt: skip
    if earlier is not None and holding.baseline.since(earlier):
        told = proposal_verdict(place.folder, place.folder, holding.signers, now, clock_suspect=suspect)
        if told.standing is not Standing.GOOD:
            return earlier
    if earlier != holding.baseline:
        write_private(path, as_text(holding.baseline))
    return holding.baseline if earlier is not None else None


def _draft(place: Place, settings: Settings) -> Path | None:
    """The same folder as it stands in the fleets' working tree, where the reference is of that repository."""
    if place.repository is None or place.repository.resolve() != settings.project.resolve():
        return None
    return settings.project / place.inside


def _load(folder: Path | None, name: str, settings: Settings, *, run_rules: bool = True) -> Reference:
    try:
        return load_reference(folder, name=name, own_rules=settings.own_rules, run_rules=run_rules)
    except PackError as problem:
        raise InputError(
            "policy reference" if folder else "rules", str(problem).removeprefix("policy reference: "),
            place=str(folder or settings.own_rules),
            next_step="Mend it there; nothing is judged by half of a policy.",
        ) from problem  # fmt: skip


def _verdict_path(settings: Settings) -> Path:
    return settings.home / _ROOM / "verdicts.json"


def _set_back(settings: Settings, now: datetime) -> bool:
    """Whether time stands before the last verdicts that were given here."""
    try:
        told = parse_verdicts(_verdict_path(settings).read_bytes(), "verdicts.json")
    except (OSError, PackError):
        return False
    return now < told.judged_at


def _verdict_file(settings: Settings) -> Path:
    """The verdicts of now in STEWARD_HOME; the moment in it never goes back."""
    now = datetime.now(UTC)
    policy, path = open_policy(settings, now), _verdict_path(settings)
    if policy.seen.clock_suspect:
        now = parse_verdicts(path.read_bytes(), path.name).judged_at
    write_private(path, verdicts_text(Verdicts(policy.holding.digest, now, policy.seen.waivers)))
    return path
