"""The policy reference of this installation, found, checked and made ready for whoever judges.

A reference out of Git is written into STEWARD_HOME, once a commit, so that `steward` and a bare `pulumi` read
the same files; a process keeps to the version that it began with.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from math import inf
from pathlib import Path, PurePosixPath
from typing import Final

from orchestrator.baseline_history import History
from orchestrator.baseline_ratchet import Ratchet
from orchestrator.errors import InputError
from orchestrator.file_lock import file_lock
from orchestrator.git_folder import HEAD, named_commit, write_folder
from orchestrator.git_places import GitPlace, git_places, repository_at
from orchestrator.private_file import write_private
from orchestrator.settings import Settings, find_project
from orchestrator.signatures import proposal_verdict, waiver_verdicts
from policies.baseline import Baseline
from policies.facts import Unknown
from policies.governed import Seen
from policies.model import PackError
from policies.reference import VARIABLE as FOLDER_VARIABLE
from policies.reference import Reference, load_reference
from policies.signers import Verdict
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
    """The top of its working tree, or a bare repository."""
    inside: str = ""
    """The folder in the repository."""
    ref: str = ""
    """The full name of what was asked for, as refs/heads/main, or a commit."""
    commit: str = ""


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
    judged: Sequence[Path] = (),
) -> Policy:
    """What judges now, with the verdicts on its signatures; raises InputError that names the file at fault.

    `clock_suspect`: time stands before what was recorded last. `earlier_baseline`: of the last recorded run;
    without it, that of the history of the reference, and the smallest one that was read here. `judged`: the
    fleet files, which may lie elsewhere than the project.
    """
    place = place_of(settings, judged)
    if place is None:
        return Policy(_load(None, "", settings), Seen(now, clock_suspect=clock_suspect))
    holding = _load(place.folder, place.name, settings)
    suspect = clock_suspect or _set_back(settings, now)
    waivers = waiver_verdicts(place.folder, holding, now, clock_suspect=suspect)
    earlier = earlier_baseline or _ratchet(place, settings).earlier(holding, now, clock_suspect=suspect)
    seen = Seen(now, clock_suspect=suspect, waivers=waivers, earlier_baseline=earlier)
    policy = Policy(holding, seen)
    for top in _tops(place, _grounds(settings, judged)):
        policy = _with_proposal(policy, place, top / place.inside, settings)
        if policy.proposed is not None:
            break
    return policy


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


def place_of(settings: Settings, judged: Sequence[Path] = ()) -> Place | None:
    """Where the reference of these settings lies, written out of Git where it is there; raises InputError.

    It lies in no working tree that holds a fleet: `judged`, the project, and that of the working folder.
    """
    if not settings.policy_reference:
        return None
    grounds = _grounds(settings, judged)
    folder = Path(settings.policy_reference).expanduser().absolute()
    if folder.is_dir():
        _refuse_among(folder, grounds)
    place = _place(settings.policy_reference, settings.home)
    if place.ref == HEAD and _tops(place, grounds):
        raise InputError(
            "STEWARD_POLICY_REFERENCE", "is the commit whose fleets it judges", got=settings.policy_reference,
            rule="the judged does not choose the judge",
            next_step=f"Name a protected branch of it: {place.repository}@main:{place.inside}",
        )  # fmt: skip
    return place


@dataclass(frozen=True)
class _Ground:
    """A folder that holds what is judged, and the working trees that it lies in, the innermost first."""

    folder: Path
    trees: Sequence[GitPlace]

    def tops(self, common: Path) -> Sequence[Path]:
        """The top of each working tree of one repository."""
        return [tree.top for tree in self.trees if tree.common == common and tree.top]


def _grounds(settings: Settings, judged: Sequence[Path]) -> Sequence[_Ground]:
    """Every folder whose fleets may be judged, those of the files that were named first."""
    folders = [path.expanduser().absolute().parent for path in judged]
    with suppress(OSError):  # the working folder was deleted
        folders += [found for found in [find_project(Path.cwd())] if found]
    found = dict.fromkeys(folder.resolve() for folder in (*folders, settings.project))
    return [_Ground(folder, git_places(folder)) for folder in found]


def _refuse_among(folder: Path, grounds: Sequence[_Ground]) -> None:
    """Whoever may change a fleet there could change what judges it, in each working tree of it."""
    real, around = folder.resolve(), next(iter(git_places(folder)), None)
    for ground in grounds:
        alike = [around.top] if around and around.top and ground.tops(around.common) else []
        own = [tree.top for tree in ground.trees[:1] if tree.top]
        tops = [top for top in (*alike, *own, ground.folder) if real.is_relative_to(top)]
        if tops:
            inside = real.relative_to(tops[0])
            named = "" if inside == Path() else inside.as_posix()
            raise InputError(
                "STEWARD_POLICY_REFERENCE", "lies among the fleets that it judges", place=str(folder),
                rule="the judged does not choose the judge",
                next_step=f"Name a protected branch of it: {tops[0]}@main:{named}",
            )  # fmt: skip


def _tops(place: Place, grounds: Sequence[_Ground]) -> Sequence[Path]:
    """The working trees of the reference's repository that fleets lie in."""
    around = repository_at(place.repository) if place.repository else None
    return (
        list(dict.fromkeys(top for ground in grounds for top in ground.tops(around.common))) if around else []
    )


@cache
def _place(named: str, home: Path) -> Place:
    folder = Path(named).expanduser().absolute()
    if folder.is_dir():
        return Place(folder, str(folder))
    found = _GIT.fullmatch(named)
    given = Path(found["repository"]).expanduser().absolute() if found else folder
    around = repository_at(given) if given.is_dir() else None
    inside = PurePosixPath(found["folder"].strip("/")) if found else PurePosixPath()
    if found is None or around is None or ".." in inside.parts or "\n" in str(inside):
        raise InputError(
            "STEWARD_POLICY_REFERENCE", "is neither a folder nor REPO@REF:FOLDER", got=named,
            next_step="Name the folder that holds minimum.yaml, or a Git ref: /srv/policy@main:reference",
        )  # fmt: skip
    repository = around.top or around.common
    ref, commit = named_commit(repository, found["ref"])
    below = "" if inside == PurePosixPath() else inside.as_posix()
    written = _written(home, repository, commit, below)
    return Place(written, f"{named} ({commit[:12]})", repository, below, ref, commit)


def _written(home: Path, repository: Path, commit: str, inside: str) -> Path:
    """The folder of a commit in STEWARD_HOME: whole or not there, and made anew where it was changed."""
    key = hashlib.sha256(f"{repository}\0{inside}".encode()).hexdigest()[:12]
    target = home / _ROOM / f"{commit}-{key}"
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with file_lock(target.parent / "lock", inf), tempfile.TemporaryDirectory(dir=target.parent) as room:
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


def _ratchet(place: Place, settings: Settings) -> Ratchet:
    """Known by where it lies, not by how that is written: each spelling would begin anew."""
    around = repository_at(place.repository) if place.repository else None
    identity = f"{around.common}\0{place.ref}\0{place.inside}" if around else str(place.folder.resolve())
    history = History(place.repository, place.commit, place.inside) if place.repository else None
    return Ratchet(settings.home / _ROOM, identity, settings.policy_reference, place.folder, history)


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
    found = Verdicts(policy.holding.digest, now, policy.seen.waivers, _believed(policy).fingerprints)
    write_private(path, verdicts_text(found))
    return path


def _believed(policy: Policy) -> Baseline:
    """What of the baseline may excuse: all where nothing earlier is known."""
    now, earlier = policy.holding.baseline, policy.seen.earlier_baseline
    if earlier is None:
        return now
    return Baseline() if isinstance(earlier, Unknown) else now.within(earlier)
