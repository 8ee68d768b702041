"""A room's module, out of its file by path, so that its name meets no other."""

from __future__ import annotations

import importlib.util
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType, TracebackType

from policies.model import PackError


class _FromSource(SourceFileLoader):
    """Compiles what stands in the file: a compiled one beside it may be of a text that nobody signed."""

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        code: CodeType = self.source_to_code(self.get_data(path), path)
        return code


def load_module(room: str, path: Path) -> ModuleType:
    """The module; raises PackError that names its file and line, whatever it raises but Ctrl-C."""
    name = f"steward_own_rules_{room.replace('-', '_')}"
    spec = importlib.util.spec_from_file_location(name, path, loader=_FromSource(name, str(path)))
    if spec is None or spec.loader is None:
        raise PackError(f"rules/{path.name}: is no Python file that can be loaded")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    # Somebody's own code: whatever it raises while it loads, SystemExit too, must become a refusal that names
    # the file.
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        line = error.lineno if isinstance(error, SyntaxError) else _last_line(error.__traceback__, path)
        at = f" line {line}" if line else ""
        raise PackError(
            f"rules/{path.name}:{at} cannot be loaded: {type(error).__name__}: {error}"
        ) from error
    return module


def _last_line(trace: TracebackType | None, path: Path) -> int | None:
    """The last line of the file that an error went through."""
    line = None
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
