"""Waivers and baselines written into a policy reference, for others to sign; nothing is signed here."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from orchestrator.app_policy import Asked, assess_files
from orchestrator.errors import InputError
from orchestrator.private_file import write_private
from orchestrator.settings import Settings
from policies.baseline import FILE, Entry, absent, as_text, read_baseline, shrink, taken
from policies.model import PackError, Rule
from policies.people import same_person
from policies.reference import load_reference
from policies.signers import FILE as SIGNERS
from policies.signers import WAIVERS as NAMESPACE
from policies.waivers import ENDING, FOLDER, Waiver, parse_waivers
from policies.waivers import as_text as waiver_text

_MODE: Final = 0o644


@dataclass(frozen=True)
class Written:
    """A baseline that was written: entries now, and how many there were before.

    `absent`: those that stayed because the given files do not have their subjects.
    """

    path: Path
    entries: int
    before: int
    absent: tuple[Entry, ...] = ()


def folder_of(settings: Settings, named: Path | None) -> Path:
    """The folder of the policy reference that can be written to; raises InputError where it lies in Git."""
    folder = named or (Path(settings.policy_reference).expanduser() if settings.policy_reference else None)
    if folder is None or not folder.is_dir():
        raise InputError(
            "policy reference", "is no folder that can be written to",
            got=str(folder) if folder else "no STEWARD_POLICY_REFERENCE",
            next_step="Name the folder in your checkout of it: --reference policy",
        )  # fmt: skip
    return folder


def write_waiver(settings: Settings, folder: Path, wanted: Waiver) -> Path:
    """The file of a waiver that nobody has signed yet; raises InputError for one that could never hold."""
    text = waiver_text(wanted)
    path = folder / FOLDER / f"{wanted.id}{ENDING}"
    try:
        parse_waivers([(path.name, text.encode())])
        reference = load_reference(folder, own_rules=settings.own_rules, run_rules=False)
    except PackError as problem:
        raise InputError("waiver", str(problem), next_step="See: steward policy waive --help") from problem
    _refuse_void(wanted, {rule.id: rule for rule in reference.pack.rules})
    if path.exists() or path.is_symlink():
        raise InputError(
            "waiver",
            "is there already",
            place=str(path),
            next_step="Choose another --id, or remove it.",
        )
    _write(path, text)
    return path


def signing_commands(folder: Path, waiver: Waiver, path: Path) -> Sequence[str]:
    """What the approver runs to sign, and anybody to check; both are OpenSSH's own."""
    file, signers = shlex.quote(str(path)), shlex.quote(str(folder / SIGNERS))
    who = shlex.quote(waiver.approver)
    return (
        f"ssh-keygen -Y sign -f KEY -n {NAMESPACE} {file}",
        f"ssh-keygen -Y verify -f {signers} -I {who} -n {NAMESPACE} -s {file}.sig < {file}",
    )


def write_baseline(settings: Settings, folder: Path, asked: Asked, *, smaller: bool) -> Written:
    """Begin a baseline with every failure there is, or take out of one what was mended. Raises InputError."""
    path = folder / FILE
    try:
        before = read_baseline(folder)
    except PackError as problem:
        raise InputError("baseline", str(problem), place=str(path)) from problem
    if path.exists() and not smaller:
        raise InputError(
            "baseline", "is there already, and a baseline only gets smaller", place=str(path),
            got=f"{len(before.entries)} entries",
            next_step="Take out what was mended with --shrink; mend or waive what is new.",
        )  # fmt: skip
    if smaller and not path.exists():
        raise InputError("baseline", "is not there, so nothing can be taken out of it", place=str(path))
    found = assess_files(settings, asked)
    made = shrink(before, found) if smaller else taken(found)
    if not smaller or made != before:
        _write(path, as_text(made))
    stayed = absent(made, found) if smaller else ()
    return Written(path, len(made.entries), len(before.entries), stayed)


def _refuse_void(wanted: Waiver, rules: dict[str, Rule]) -> None:
    """What could never hold is told before an approver reads it."""
    rule = rules.get(wanted.rule)
    if rule is None:
        raise InputError("waiver", f"no rule named '{wanted.rule}'", next_step="See: steward policy list")
    if not rule.waivable:
        raise InputError("waiver", f"{rule.id} can be waived by nobody", next_step=rule.remediation)
    if same_person(wanted.owner, wanted.approver):
        raise InputError(
            "waiver", "owner and approver are one person", got=wanted.owner,
            rule="somebody else approves", next_step="Name another --approver.",
        )  # fmt: skip


def _write(path: Path, text: str) -> None:
    """Whole or not at all, and for everybody to read: it is reviewed like code."""
    try:
        path.parent.mkdir(exist_ok=True)
        write_private(path, text)
        path.chmod(_MODE)
    except OSError as problem:
        raise InputError(
            "policy reference", f"cannot be written: {problem.strerror}", place=str(path)
        ) from problem
