"""Signatures of OpenSSH over waivers and policy references: `ssh-keygen -Y` decides, we say why not."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from orchestrator import process
from policies.model import PackError
from policies.reference import Reference
from policies.reference.manifest import SIGNATURE, manifest
from policies.signers import FILE, NO_SIGNATURE, POLICY, REVOKED_FILE, WAIVERS, Signers, Standing, Verdict
from policies.waivers import ENDING, FOLDER, SIGNATURE_ENDING
from policies.yamlfile import read_bytes

_SECONDS: Final = 20.0
_AT_ONCE: Final = 4
_GOOD: Final = re.compile(r'Good ".*" signature with \S+ key (SHA256:[A-Za-z0-9+/]{43})')


def waiver_verdicts(
    folder: Path, reference: Reference, now: datetime, *, clock_suspect: bool = False
) -> Mapping[str, Verdict]:
    """Id of each waiver of a reference -> what its signature is worth, by the keys of that reference."""
    room = folder / FOLDER

    def verdict(name: str) -> Verdict:
        file = room / f"{name}{ENDING}"
        signature = file.with_name(file.name + SIGNATURE_ENDING)
        return _verdict(
            read_bytes(file), signature, WAIVERS, folder, reference.signers, now, clock_suspect=clock_suspect
        )

    names = [waiver.id for waiver in reference.waivers]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return dict(zip(names, pool.map(verdict, names), strict=True))


def proposal_verdict(
    proposed: Path, holding: Path, signers: Signers, now: datetime, *, clock_suspect: bool = False
) -> Verdict:
    """What the signature over a new reference is worth, by the keys of the one that holds: a change that lets
    somebody in to sign cannot be signed by them.
    """
    content = manifest(proposed).encode()
    signature = proposed / SIGNATURE
    return _verdict(content, signature, POLICY, holding, signers, now, clock_suspect=clock_suspect)


def _verdict(
    content: bytes,
    signature: Path,
    namespace: str,
    folder: Path,
    signers: Signers,
    now: datetime,
    *,
    clock_suspect: bool,
) -> Verdict:
    """First by whom it is, then whether they may: of a forged signature nobody is named."""
    if not signature.exists():
        return NO_SIGNATURE
    try:
        read_bytes(signature)
    except PackError as problem:
        return Verdict(Standing.BROKEN, said=str(problem))
    about = ["-n", namespace, "-s", str(signature)]
    made = _keygen(["check-novalidate", *about], content)
    found = _GOOD.search(made.stdout)
    if made.returncode != 0 or found is None:
        return Verdict(Standing.BROKEN, said=_said(made))
    verdict = signers.judge(found[1], namespace, now, clock_suspect=clock_suspect)
    if verdict.standing is not Standing.GOOD:
        return verdict
    moment = now.astimezone(UTC).strftime("%Y%m%d%H%M%S")
    who = ["-I", verdict.principal, "-f", str(folder / FILE), "-O", f"verify-time={moment}"]
    revoked = ["-r", str(folder / REVOKED_FILE)] if (folder / REVOKED_FILE).exists() else []
    judged = _keygen(["verify", *about, *who, *revoked], content)
    if judged.returncode != 0:
        return Verdict(Standing.BROKEN, verdict.principal, verdict.key, _said(judged))
    return Verdict(Standing.GOOD, verdict.principal, verdict.key, _said(judged))


def _keygen(words: list[str], content: bytes) -> process.CommandResult:
    # Days in allowed_signers without a zone are those of this machine; here they are UTC.
    env = {**os.environ, "TZ": "UTC", "LC_ALL": "C"}
    return process.run(["ssh-keygen", "-Y", *words], timeout=_SECONDS, env=env, stdin=content, check=False)


def _said(done: process.CommandResult) -> str:
    return " ".join((done.stderr.strip() or done.stdout.strip()).split())[:300]
