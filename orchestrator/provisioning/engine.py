"""Pulumi's engine through its Automation API: the only importer of pulumi.automation.

The SDK takes longer to load than most verbs take to work, so this module is loaded when an engine starts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
)

from orchestrator import command_lines
from orchestrator.provisioning.failures import explain
from orchestrator.provisioning.interruption import pulumi_ends_with_us

_PARALLEL = 16
_NO_PROMPT = "--non-interactive"

Log = Callable[[EngineEvent], object]


class ToldCommand(PulumiCommand):
    """The Pulumi CLI as the SDK starts it, its command lines told as those of all other programs."""

    def run(self, args: list[str], *rest: Any, **named: Any) -> CommandResult:
        """As the SDK does, which adds that word where it is not there, after it could be told."""
        words = args if _NO_PROMPT in args else [_NO_PROMPT, *args]
        command_lines.tell([self.command, *words])
        return super().run(words, *rest, **named)


class Engine:
    """The engine of one stack; each piece of work returns the failure that it ended in, if any."""

    def __init__(self, toolchain: Path, project: Path, stack: str, environment: Mapping[str, str]) -> None:
        command = ToldCommand(root=str(toolchain), skip_version_check=True)
        options = LocalWorkspaceOptions(work_dir=str(project), env_vars=environment, pulumi_command=command)
        try:
            self._stack = Stack.select(stack, LocalWorkspace(**vars(options)))
        except CommandError as problem:
            raise explain(stack, "stack select", str(problem)) from problem

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
