"""`steward doctor`: what is there, what is wrong, and the command that mends it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.errors import InputError
from orchestrator.settings import load_settings

if TYPE_CHECKING:
    from orchestrator.toolchain.doctor import DoctorReport


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Check every part Steward stands on; exit code 2 when a needed one is missing or wrong.

    Example: steward doctor
    """
    from orchestrator.toolchain.doctor import examine

    report = examine(load_settings())
    if as_json:
        print(report.model_dump_json(by_alias=True))
    else:
        print(table(report))
    if not report.ok:
        raise typer.Exit(InputError.exit_code)


def table(report: DoctorReport) -> str:
    """The report as aligned lines, what to do about a part below it."""
    names = max(len(part.name) for part in report.parts)
    versions = max(len(part.version) for part in report.parts)
    lines = []
    for part in report.parts:
        sign = "FAIL" if part.problem else "ok" if part.found else "-"
        lines.append(f"{sign:4}  {part.name:{names}}  {part.version:{versions}}  {part.where}".rstrip())
        if part.problem:
            lines += [f"      {'':{names}}  {part.problem}", f"      {'':{names}}  mend: {part.mend}"]
    broken = sum(1 for part in report.parts if part.problem)
    lines.append(f"{broken} of {len(report.parts)} parts need attention" if broken else "every part is fine")
    return "\n".join(lines)
