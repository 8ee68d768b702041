"""The rules as the engine starts them, for `steward` and for a bare `pulumi`; serves until it is ended."""

import sys
from pathlib import Path

if __name__ == "__main__":
    here = Path(__file__).resolve().parent
    # Started by path: the engine's launcher puts the pack folder itself first, where its short module names
    # could stand in for others'. The rules of this folder must win over any installed ones.
    sys.path[:] = [str(here.parent)] + [entry for entry in sys.path if Path(entry or ".").resolve() != here]

    from policies.protocol import spare_the_sdk

    spare_the_sdk()
    from policies.crossguard import Analyzer, serve
    from policies.exceptions import standing_exceptions
    from policies.limits import memory_limit
    from policies.model import PackError
    from policies.own import own_folder
    from policies.record import from_environment
    from policies.reference import load_reference, reference_folder

    try:
        reference = load_reference(reference_folder(), own_rules=own_folder())
        excuse = standing_exceptions(reference)
    except PackError as problem:
        raise SystemExit(f"steward: the rules cannot be loaded, so nothing is judged: {problem}") from problem
    with memory_limit():
        serve(Analyzer(reference.pack.rules, reference.pack.profiles, from_environment(), excuse))
