"""Pulumi's engine through its Automation API: the only importer of pulumi.automation.

The SDK takes longer to load than most verbs take to work, so this module is loaded when an engine starts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pulumi.automation import (
    CommandError,
    CommandResult,
    EngineEvent,
    LocalWorkspace,
    LocalWorkspaceOptions,
    PulumiCommand,
    Stack,
    UpdateSummary,
)
from pulumi.automation._stack import StackInitMode  # a parameter of Stack, and not among the public names
from semver import VersionInfo

from orchestrator import command_lines
from orchestrator.provisioning.interruption import pulumi_ends_with_us
from orchestrator.toolchain import recipe

_PARALLEL = 16
_NO_PROMPT = "--non-interactive"

Log = Callable[[EngineEvent], object]


class ToldCommand(PulumiCommand):
    """The Pulumi CLI as the SDK starts it, its command lines told as those of all other programs."""

    def __init__(self, toolchain: Path) -> None:
        """Without the SDK's own, which starts the CLI to ask its version: set-up has made sure of that."""
        self.command = str(toolchain / "bin" / "pulumi")
        self.version = VersionInfo(*recipe.PULUMI_LOWEST)

    def run(self, args: list[str], *rest: Any, **named: Any) -> CommandResult:
        """As the SDK does, which adds that word where it is not there, after it could be told."""
        words = args if _NO_PROMPT in args else [_NO_PROMPT, *args]
        command_lines.tell([self.command, *words])
        return super().run(words, *rest, **named)


class _Project(LocalWorkspace):
    """A project in which every command names its stack."""

    def select_stack(self, stack_name: str) -> None:
        """Start no CLI to have it selected; the registry has looked whether it is there."""


class _Stack(Stack):
    """A stack of which the SDK asks nothing after its work: what came of it is in the log of events."""

    def outputs(self) -> dict[str, Any]:
        """Nothing, where the SDK starts the CLI twice."""
        return {}

    def info(self, show_secrets: bool = True) -> UpdateSummary:  # noqa: ARG002
        """An empty summary, where the SDK starts the CLI; it looks only whether there is one."""
        return UpdateSummary("update", datetime.now(UTC), "", {}, {}, "succeeded")


class Engine:
    """The engine of one stack; each piece of work returns the failure that it ended in, if any."""

    def __init__(self, toolchain: Path, project: Path, stack: str, environment: Mapping[str, str]) -> None:
        command = ToldCommand(toolchain)
        options = LocalWorkspaceOptions(work_dir=str(project), env_vars=environment, pulumi_command=command)
        self._stack = _Stack(stack, _Project(**vars(options)), StackInitMode.SELECT)

    def preview(self, log: Log, *, refresh: bool) -> Exception | None:
        """Tell what `up` would do."""
        return _failure(self._stack.preview, log, refresh=refresh)

    def up(self, log: Log, *, refresh: bool) -> Exception | None:
        """Make it so, and go on with all else where one resource fails."""
        return _failure(self._stack.up, log, refresh=refresh, continue_on_error=True)

    def preview_refresh(self, log: Log) -> Exception | None:
        """Tell what of the state is no longer so."""
        return _failure(self._stack.preview_refresh, log)

    def destroy(self, log: Log) -> Exception | None:
        """Delete every resource."""
        return _failure(self._stack.destroy, log)


def _failure(work: Callable[..., object], log: Log, **options: bool) -> Exception | None:
    try:
        with pulumi_ends_with_us():
            work(on_event=log, parallel=_PARALLEL, color="never", **options)
    except CommandError as problem:
        return problem
    return None
