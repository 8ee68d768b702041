"""The parts as one program: each stays a module of its own on the host, under the name it has here."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from typing import Final

_ROOT: Final = "orchestrator.host_facts.parts"
_PARTS: Final = ("reading", "machine", "sshd", "accounts", "trees", "services", "packages", "document")
"""In the order in which they import each other."""
_LOADER: Final = """\
import sys, types
for name in ("orchestrator", "orchestrator.host_facts", {root!r}):
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = []
for name, source in {sources!r}:
    module = types.ModuleType({root!r} + "." + name)
    sys.modules[module.__name__] = module
    setattr(sys.modules[{root!r}], name, module)
    exec(compile(source, name, "exec"), module.__dict__)
module.main()
"""


@cache
def program() -> str:
    """What a host runs from standard input."""
    folder = files(_ROOT)
    sources = [(name, folder.joinpath(f"{name}.py").read_text(encoding="utf-8")) for name in _PARTS]
    return _LOADER.format(root=_ROOT, sources=sources)


@cache
def digest() -> str:
    """Which program it was: kept in every document."""
    return hashlib.sha256(program().encode()).hexdigest()
