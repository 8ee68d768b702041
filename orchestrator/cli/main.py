"""`steward`: parse, call a phase, render, return an exit code. The only place that exits."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable
from copy import copy
from functools import cache
from typing import NoReturn

import typer

from orchestrator.cli import (
    backup,
    configure,
    destroy,
    doctor,
    drift,
    env,
    evidence,
    init,
    patch,
    plan,
    policy,
    repin,
    report,
    rotate,
    runs,
    setup,
    up,
    validate,
    verify,
)

HELP = """One YAML file says what a fleet is; steward makes it real, backs it up, judges it and proves it.

Exit codes: 0 done, nothing found · 1 findings · 2 bad input or environment, nothing touched · 3 a tool or
host failed · 130 interrupted."""

app = typer.Typer(
    help=HELP,
    rich_markup_mode=None,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for verb in (
    setup.setup, doctor.doctor, env.env, init.init, validate.validate,
    plan.plan, up.up, configure.configure, patch.patch, drift.drift, verify.verify,
    report.report, runs.runs, destroy.destroy, repin.repin,
):  # fmt: skip
    app.command()(verb)
app.add_typer(backup.app, name="backup")
app.add_typer(policy.app, name="policy")
app.add_typer(rotate.app, name="rotate")
app.add_typer(evidence.app, name="evidence")


def say_version(wanted: bool) -> None:
    """Print the version and end, before a verb is missed."""
    if wanted:
        from importlib.metadata import version

        print(f"steward {version('steward-iac')}")
        raise typer.Exit


@app.callback()
def options(
    verbose: int = typer.Option(
        0,
        "-v",
        "--verbose",
        count=True,
        show_default=False,
        metavar="",
        help="Say each command line that is run; twice (-vv), also show the trace of an unexpected error.",
    ),
    _version: bool = typer.Option(
        False, "--version", help="Say which version this is.", is_eager=True, callback=say_version
    ),
) -> None:
    """Options of every verb."""
    from orchestrator.cli.output import note_command
    from orchestrator.command_lines import tell_to

    global _show_trace  # noqa: PLW0603  # read once, by main, when something unexpected happens
    _show_trace = verbose > 1
    tell_to(note_command if verbose else None)


_show_trace = False
_EXIT_BY = ("typer", "click")
"""The packages that end a verb which came to its end, or was asked for wrongly."""


def main() -> NoReturn:
    """Run the verb that the command line names, and exit."""
    from orchestrator.settings import forget_foreign

    # Modules and models stay to the end: to look through them for garbage every 700 objects takes up to a
    # tenth of a command.
    gc.set_threshold(50_000)
    forget_foreign(os.environ)  # here and not for each child: the Automation API adds our own to all of them
    # No plugin of pydantic is a part of Steward; to look for them it reads about every installed package.
    os.environ["PYDANTIC_DISABLE_PLUGINS"] = "__all__"
    sys.exit(run(sys.argv[1:]))


@cache
def command(verb: str = "") -> Callable[..., object]:
    """The verb, or all of them where none is named so: to make all takes longer than most take to run."""
    groups = [each for each in app.registered_groups if each.name == verb]
    verbs = [each for each in app.registered_commands if each.callback and each.callback.__name__ == verb]
    if not (groups or verbs):
        return typer.main.get_command(app)
    alone = copy(app)
    alone.registered_groups, alone.registered_commands = groups, verbs
    return typer.main.get_command(alone)


def run(words: list[str]) -> int:
    """Exit code of one command line; every error becomes a message."""
    from orchestrator.cli.output import emit_error, note, tell_error, tell_mistakes
    from orchestrator.errors import InputError, StewardError, StoppedError
    from orchestrator.process import end_children, stop_on_signals
    from orchestrator.redaction import guarded
    from stacks.fleet.mistakes import FleetInvalid  # light: no model behind it

    stop_on_signals()
    sys.stdout, sys.stderr = guarded(sys.stdout), guarded(sys.stderr)
    code = 0
    try:
        command(words[0] if words else "")(words, prog_name="steward")
    except SystemExit as ended:
        code = exit_code(ended)
    except FleetInvalid as problem:
        tell_mistakes(problem)
        code = InputError.exit_code
        if "--json" in words:
            emit_error(problem)
    except StewardError as problem:
        tell_error(problem)
        code = problem.exit_code
        if "--json" in words:
            emit_error(problem)
    except KeyboardInterrupt:
        note("steward: stopped by the keyboard")
        code = StoppedError.exit_code
    except BrokenPipeError:
        code = 0  # the reader of our output went away, which is its right
    except Exception as problem:  # noqa: BLE001
        # The last line of defence: a person gets a sentence, never a traceback, unless it was asked for.
        code = tell_unforeseen(problem, with_trace=_show_trace)
    finally:
        end_children()
    return code


def exit_code(ended: SystemExit) -> int:
    """Typer's own code; where anything else ended the verb it did not come to its end, which is never 0."""
    from orchestrator.cli.output import note
    from orchestrator.errors import ToolError

    trace, module = ended.__traceback__, ""
    while trace is not None:
        module, trace = trace.tb_frame.f_globals.get("__name__", ""), trace.tb_next
    if module.partition(".")[0] in _EXIT_BY:
        return ended.code if isinstance(ended.code, int) else 0
    note(f"steward: {module or 'something'} ended it before its end, by SystemExit({ended.code!r}).")
    note("This is a defect; nothing that it said counts as done.")
    return ended.code if isinstance(ended.code, int) and ended.code else ToolError.exit_code


def tell_unforeseen(problem: Exception, *, with_trace: bool) -> int:
    """One sentence for what no room made an error of its own, and its exit code."""
    from orchestrator.cli.output import note, tell_error
    from orchestrator.errors import ToolError
    from orchestrator.reporting.escape import visible
    from orchestrator.room import full, is_full

    if with_trace:
        import traceback

        note(visible("".join(traceback.format_exception(problem)), keep_newlines=True))
    if isinstance(problem, OSError) and is_full(problem):
        tell_error(full(problem))
    else:
        said = f"steward: unexpected {type(problem).__name__}: {visible(str(problem))}. This is a defect"
        note(f"{said}." if with_trace else f"{said}; `steward -vv …` shows the trace.")
    return ToolError.exit_code


if __name__ == "__main__":
    main()
