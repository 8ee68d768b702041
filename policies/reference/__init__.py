"""The policy reference: what judges, out of a folder that those who are judged cannot change.

It says the minimum profile of each client and environment, and may bring further profiles, rules, waivers, a
baseline, budget ceilings and the keys that may sign. Without one, what comes with Steward holds.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from policies.baseline import Baseline, read_baseline
from policies.model import PackError
from policies.pack import Pack, load_pack
from policies.reference.budget import Ceilings, read_ceilings
from policies.reference.manifest import code_digests, digest, manifest
from policies.signers import Signers, read_signers
from policies.waivers import Waiver, read_waivers

VARIABLE: Final = "STEWARD_POLICY_FOLDER"
"""The folder where it lies by now; people name it by STEWARD_POLICY_REFERENCE, also as a Git ref."""
BUILT_IN: Final = "built-in"


@dataclass(frozen=True)
class Reference:
    """One version of the policy, whole and checked."""

    name: str
    """As people call it: a folder, or REPO@REF:FOLDER."""
    digest: str
    pack: Pack
    waivers: tuple[Waiver, ...] = ()
    baseline: Baseline = field(default_factory=Baseline)
    ceilings: Ceilings = field(default_factory=lambda: Ceilings({}))
    signers: Signers = field(default_factory=Signers)
    code: Mapping[str, str] = field(default_factory=dict)
    """Digest of each Python file of its rules, by name."""


def load_reference(
    folder: Path | None, *, name: str = "", own_rules: Path | None = None, run_rules: bool = True
) -> Reference:
    """The reference in a folder, or what comes with Steward; raises PackError that names the file.

    `own_rules`: those of the fleets' repository, which may add. Without `run_rules` its own rules are read as
    data, and no code of it runs: so a change that nobody has approved can be compared with what holds.
    """
    if folder is None:
        return Reference(BUILT_IN, BUILT_IN, load_pack(own_rules))
    listed = manifest(folder)
    return Reference(
        name=name or str(folder),
        digest=digest(listed),
        pack=load_pack(own_rules, folder, run_rules=run_rules),
        waivers=read_waivers(folder),
        baseline=read_baseline(folder),
        ceilings=read_ceilings(folder),
        signers=read_signers(folder),
        code=code_digests(listed),
    )


def reference_folder() -> Path | None:
    """The folder that the environment names, if any; raises PackError where there is no such folder."""
    named = os.environ.get(VARIABLE)
    if not named:
        return None
    if not Path(named).is_dir():
        raise PackError(f'{VARIABLE}: no folder {named!r}; run: eval "$(steward env --fleet FILE)"')
    return Path(named)
