"""`steward init`: a user's own repository of fleets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.options import AsJson

if TYPE_CHECKING:
    from orchestrator.starter.write import FileDone

_CLIENT = r"[a-z][a-z0-9-]{0,28}[a-z0-9]"


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of the repository.")],
    client: Annotated[
        str | None,
        typer.Option(
            "--client", metavar="NAME", help="Name of the first client; the folder's own otherwise."
        ),
    ] = None,
    upgrade: Annotated[
        bool, typer.Option("--upgrade", help="Bring a repository to this version; what you changed stays.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write a working repository: fleets, a rule and a role of your own, the Pulumi program, CI files.

    With --upgrade, exit code 1 when a file was changed both by you and by the new version.

    Example: steward init fleets-of-globex --client globex

    Example: steward init --upgrade .
    """
    from orchestrator.cli.output import as_document, emit

    done = _upgrade(folder, client) if upgrade else _new(folder, client)
    if as_json:
        rows = [{"path": each.path, "done": each.done, "difference": each.difference} for each in done]
        emit(as_document("steward.init-result/1", folder=str(folder), files=rows))
    else:
        emit(told(folder, done, upgrade=upgrade))
    if any(each.difference for each in done):
        raise typer.Exit(1)


def _new(folder: Path, client: str | None) -> Sequence[FileDone]:
    from importlib.metadata import version

    from orchestrator.starter.templates import starter_files
    from orchestrator.starter.write import write_new

    name, ours = _client(folder, client), version("steward-iac")
    return write_new(folder, starter_files(name, ours), ours, name)


def _upgrade(folder: Path, client: str | None) -> Sequence[FileDone]:
    from importlib.metadata import version

    from orchestrator.errors import InputError
    from orchestrator.starter.templates import starter_files
    from orchestrator.starter.write import read_record, upgrade

    if client is not None:
        raise InputError("init", "--client is for a new repository", next_step="Leave it out with --upgrade.")
    record, ours = read_record(folder), version("steward-iac")
    return upgrade(folder, starter_files(record.client, ours), ours, record)


def _client(folder: Path, named: str | None) -> str:
    import re

    from orchestrator.errors import InputError

    name = folder.resolve().name.lower() if named is None else named
    if not re.fullmatch(_CLIENT, name):
        raise InputError(
            "init", "a client's name has lower-case letters, digits and dashes, and starts with a letter",
            got=name, next_step="Say it: steward init DIR --client NAME",
        )  # fmt: skip
    return name


def told(folder: Path, done: Sequence[FileDone], *, upgrade: bool) -> str:
    """One line a file that matters, the differences, and what to do next."""
    lines = [f"{each.done:<8} {each.path}" for each in done if not upgrade or each.done != "same"]
    for each in done:
        if each.difference:
            lines += ["", each.difference, "", f"put both together in {each.path}: yours was kept as it is"]
    if not upgrade:
        lines += ["", f"next: cd {folder} && steward validate --all && steward up --fleet fleets/vault.yaml"]
    elif len(lines) == 0:
        lines = ["every file is as this version writes it"]
    return "\n".join(lines)
