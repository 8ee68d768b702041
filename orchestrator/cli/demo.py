"""`make demo`: the two example fleets, the vault first, then one screen that says what there is.

Run as `python -P -m orchestrator.cli.demo`. The only place that names a fleet by itself.
"""

from __future__ import annotations

import sys
from pathlib import Path

from orchestrator.cli.main import run
from orchestrator.settings import code_root

FLEETS = ("vault.yaml", "demo.yaml")


def main() -> int:
    """Bring up both; the second only when the first is well. Returns the worst exit code."""
    folder = code_root() / "stacks" / "fleets"
    for name in FLEETS:
        code = run(["up", "--fleet", str(_short(folder / name))])
        if code:
            return code
    return 0


def _short(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


if __name__ == "__main__":
    sys.exit(main())
