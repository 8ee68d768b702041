"""What a shell offers at TAB: servers and plans of the fleet that the line names, rules, runs, stacks.

Whatever goes wrong here offers nothing: a half-typed line is no place for an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from orchestrator.errors import StewardError
from stacks.fleet.mistakes import FleetInvalid

if TYPE_CHECKING:
    from stacks.fleet.model import Fleet

_RUNS = 20


def servers(context: typer.Context, incomplete: str) -> list[str]:
    """Servers of the fleet after `--fleet`."""
    return _offered(lambda: _servers(context), incomplete)


def plans(context: typer.Context, incomplete: str) -> list[str]:
    """Backup plans of the fleet after `--fleet`."""
    return _offered(lambda: _fleet(context).backups, incomplete)


def rules(incomplete: str) -> list[str]:
    """Ids of the rules, the project's own among them."""
    return _offered(_rules, incomplete)


def runs(incomplete: str) -> list[str]:
    """The newest runs."""
    return _offered(lambda: _column("id"), incomplete)


def stacks(incomplete: str) -> list[str]:
    """Stacks that had a run lately."""
    return _offered(lambda: dict.fromkeys(_column("stack")), incomplete)


def _offered(known: Callable[[], Iterable[str]], incomplete: str) -> list[str]:
    with suppress(StewardError, FleetInvalid, OSError):
        return [name for name in known() if name.startswith(incomplete)]
    return []


def _fleet(context: typer.Context) -> Fleet:
    from stacks.fleet.loader import load

    return load(Path(str(context.params.get("fleet")))).fleet


def _servers(context: typer.Context) -> Iterator[str]:
    for group, spec in _fleet(context).servers.items():
        yield from spec.names(group)


def _rules() -> list[str]:
    from orchestrator.policy_pack import open_pack
    from orchestrator.settings import load_settings

    return [rule.id for rule in open_pack(load_settings()).rules]


def _column(name: str) -> list[str]:
    from orchestrator.evidence.ledger import open_ledger
    from orchestrator.settings import load_settings

    return [str(row[name]) for row in open_ledger(load_settings()).last_runs(None, _RUNS)]
