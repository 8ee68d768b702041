"""The pack as the engine starts it: the only place that constructs the PolicyPack, which serves for ever."""

import sys
from pathlib import Path

if __name__ == "__main__":
    here = Path(__file__).resolve().parent
    # Started by path: the engine's launcher puts the pack folder itself first, where its short module names
    # could stand in for others'. The rules of this folder must win over any installed ones.
    sys.path[:] = [str(here.parent)] + [entry for entry in sys.path if Path(entry or ".").resolve() != here]

    from pulumi_policy import EnforcementLevel, PolicyPack

    from policies.crossguard import engine_policies
    from policies.model import PackError
    from policies.own import own_folder
    from policies.pack import load_pack
    from policies.record import from_environment

    try:
        pack = load_pack(own_folder())
    except PackError as problem:
        raise SystemExit(f"steward: the rules cannot be loaded, so nothing is judged: {problem}") from problem
    PolicyPack(
        "steward",
        engine_policies(pack.rules, pack.profiles, from_environment()),
        EnforcementLevel.MANDATORY,
        description="Rules over networks, storage, backups and ownership",
    )
