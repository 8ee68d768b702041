"""The generated code of the engine's protocol, without the SDK that it is a part of."""

from __future__ import annotations

import importlib.machinery
import sys
import types
from pathlib import Path


def spare_the_sdk() -> None:
    """Let `pulumi.runtime.proto` be imported alone: the `__init__` of its packages load all of the SDK, which
    takes longer than all of our rules. Nothing where it is loaded already, as by its own loader.

    The local provider does the same: rules share no code with what they judge.
    """
    spec = None if "pulumi" in sys.modules else importlib.machinery.PathFinder.find_spec("pulumi")
    for location in (spec.submodule_search_locations if spec else None) or ():
        for name in ("pulumi", "pulumi.runtime", "pulumi.runtime.proto"):
            package = types.ModuleType(name)
            package.__path__ = [str(Path(location, *name.split(".")[1:]))]
            sys.modules[name] = package
        return
