"""Options that several verbs share, so that they read the same everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from orchestrator.cli import completion

FleetFile = Annotated[
    Path,
    typer.Option(
        "--fleet", metavar="FILE", help="The fleet file; no verb has a default one.", show_default=False
    ),
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Exactly one JSON document on stdout; progress goes to stderr.")
]
Hosts = Annotated[
    list[str] | None,
    typer.Option(
        "--host",
        metavar="SERVER",
        help="Only this server; may be repeated.",
        show_default=False,
        autocompletion=completion.servers,
    ),
]
Refresh = Annotated[
    bool, typer.Option("--refresh", help="Hold the state against what is really there first.")
]
