"""Pulumi: its engine for what changes or plans, its command line for what the state says."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from orchestrator.errors import InputError, ToolError
from orchestrator.host_keys import HostKeyPin, with_pins
from orchestrator.ports.provisioning import Preview, Provisioned, StateResource
from orchestrator.ports.run import Say, Target
from orchestrator.private_file import write_private
from orchestrator.process import run
from orchestrator.provisioning.changes import resource_kind, resource_name, size_text
from orchestrator.provisioning.events import EventLog
from orchestrator.provisioning.failures import explain, killed, protected_urns, read_instant
from orchestrator.provisioning.policy_results import VARIABLE, read_policy_results
from orchestrator.provisioning.refresh import RefreshLog
from orchestrator.provisioning.registry import making_marker, stacks_in
from orchestrator.provisioning.stack_config import PROJECT
from orchestrator.provisioning.stale_lock import break_dead_locks
from orchestrator.provisioning.state_file import last_deployment
from orchestrator.reporting.drift import DriftSubject
from orchestrator.reporting.model import Change
from orchestrator.settings import Settings
from orchestrator.toolchain.environment import Toolchain, inherited_environment
from orchestrator.toolchain.prepared_image import VARIABLE as PREPARED
from stacks.fleet.mistakes import nearest
from stacks.outputs import OUTPUT_NAME, FleetOutputs, OutputsInvalid, read_outputs

if TYPE_CHECKING:
    from orchestrator.provisioning.engine import Engine

_CLI_SECONDS = 120.0

Pins = Callable[[str], Sequence[HostKeyPin]]
"""Stack id -> host keys that people pinned since, oldest first."""


class PulumiProvisioner:
    """Implements `ports.provisioning.Provisioner`; drives the on-disk program that people run, too."""

    def __init__(
        self,
        settings: Settings,
        toolchain: Toolchain,
        results: Path,
        say: Say,
        pins: Pins = lambda _: (),
        images: Path | None = None,
    ) -> None:
        self._settings = settings
        self._toolchain = toolchain
        self._results = results
        self._say = say
        self._pins = pins
        self._images = images
        self._state: dict[str, Mapping[str, Any]] = {}
        self._reading = Lock()

    def preview(self, target: Target, *, refresh: bool = False) -> Preview:
        """Plan and judge; never changes anything."""
        self._results.unlink(missing_ok=True)
        engine = self._engine(target.stack.name, {VARIABLE: str(self._results)})
        log = EventLog()
        failed = engine.preview(log, refresh=refresh)
        refusal = (log.failure() or str(failed)) if failed else ""
        policies = read_policy_results(self._results)
        found = Preview(
            tuple(log.changes.values()), log.unchanged, tuple(policies), refusal, log.differs,
            before=log.before, after=log.after, steps=tuple(log.steps),
            state_at=self._state_at(target.stack.name),
        )  # fmt: skip
        if not refusal or found.blocked:
            return found
        refused = self._refused(target, refusal, log)
        protected = protected_urns(refusal)
        if not protected:
            raise refused
        kept = self._kept(target.stack.name, protected - set(log.changes))
        return replace(found, changes=(*found.changes, *kept), refused=refused)

    def _kept(self, stack: str, urns: Collection[str]) -> list[Change]:
        """Protected resources that a refused plan would delete and that Pulumi stopped before it told of."""
        return [
            Change(
                op="delete",
                kind=resource_kind(each.type),
                name=resource_name(each.urn),
                urn=each.urn,
                detail=size_text(each.inputs),
                server=str((each.inputs.get("tags") or {}).get("server", "")),
                protected=True,
            )
            for each in (self.resources(stack) if urns else ())
            if each.urn in urns
        ]

    def _state_at(self, stack: str) -> datetime | None:
        """When the state was written, as far as it was read in this run; nothing is asked for this alone."""
        with self._reading:
            written = self._state.get(stack, {}).get("manifest", {}).get("time", "")
        return read_instant(written)

    def up(self, target: Target, *, refresh: bool = False) -> Provisioned:
        """Make it so; half-made resources are in the state and told in `failure`."""
        self._forget(target.stack.name)
        self._results.unlink(missing_ok=True)
        images = {PREPARED: str(self._images)} if self._images else {}
        engine = self._engine(target.stack.name, {VARIABLE: str(self._results), **images})
        log = EventLog()
        failure = ""
        try:
            failed = engine.up(log, refresh=refresh)
        finally:
            self._forget(target.stack.name)
        if failed:
            ended = killed(str(failed))
            failure = "\n".join(filter(None, (ended, log.failure()))) or str(failed)
            if not log.failed and not log.changes:
                raise explain(target.stack.name, "up", str(failed)) from failed
        changes = [change for urn, change in log.changes.items() if urn not in log.failed]
        policies = read_policy_results(self._results)
        return Provisioned(tuple(changes), log.unchanged, tuple(policies), failure)

    def drifted(self, stack: str) -> Sequence[DriftSubject]:
        """Ask for every resource what it really is; writes nothing, also not to the state."""
        log = RefreshLog()
        failed = self._engine(stack).preview_refresh(log)
        if failed and not log.all():
            raise explain(stack, "refresh", "\n".join(log.errors) or str(failed)) from failed
        return log.all()

    def resources(self, stack: str) -> Sequence[StateResource]:
        """Everything in the stack's state, in order."""
        return [_state_resource(raw) for raw in self._deployment(stack).get("resources", [])]

    def outputs(self, stack: str) -> FleetOutputs:
        """What the stack exports; raises ToolError that names a missing output."""
        exported: Mapping[str, Any] = {}
        for resource in self.resources(stack):
            if resource.type == "pulumi:pulumi:Stack":
                exported = resource.outputs
        try:
            found = read_outputs(stack, exported.get(OUTPUT_NAME))
            return with_pins(found, self._pins(found.stack_id))
        except OutputsInvalid as problem:
            raise ToolError(
                stack, f"the stack's outputs are incomplete: {'; '.join(problem.problems)}",
                next_step="Run steward up for that stack again.",
            ) from problem  # fmt: skip

    def unprotect(self, stack: str, urns: Sequence[str]) -> None:
        """Allow these resources to be deleted."""
        self._pulumi(stack, "state", "unprotect", *urns, "--yes")
        self._forget(stack)

    def destroy(self, stack: str) -> Sequence[Change]:
        """Delete every resource of the stack and then the stack itself."""
        self._forget(stack)
        log = EventLog()
        if failed := self._engine(stack).destroy(log):
            raise explain(stack, "destroy", log.failure() or str(failed)) from failed
        write_private(making_marker(self._settings, stack), "")
        self._pulumi(stack, "stack", "rm", stack, "--yes")
        return tuple(log.changes.values())

    def _refused(self, target: Target, refusal: str, log: EventLog) -> InputError | ToolError:
        known = explain(target.stack.name, "preview", refusal)
        if isinstance(known, InputError):
            return known
        if log.errors:
            return InputError(
                target.stack.name,
                "Pulumi refused the plan; nothing was changed:\n  " + "\n  ".join(log.errors),
            )
        return ToolError(target.stack.name, known.message)

    def _engine(self, name: str, extra: Mapping[str, str] | None = None) -> Engine:
        from orchestrator.provisioning.engine import Engine  # with the SDK behind it, which is heavy

        for told in break_dead_locks(self._settings.home / "pulumi", PROJECT, name):
            self._say(f"{name}: {told}")
        environment = {**inherited_environment(self._settings, name), **(extra or {})}
        return Engine(self._toolchain.root, self._settings.project, name, environment)

    def _forget(self, stack: str) -> None:
        """What was read of the state no longer holds; waits for a reading that is under way."""
        with self._reading:
            self._state.pop(stack, None)

    def _deployment(self, stack: str) -> Mapping[str, Any]:
        with self._reading:
            if stack not in self._state:
                found = last_deployment(self._settings.home, stack)
                if found is None:
                    exported = self._pulumi(stack, "stack", "export", "--stack", stack)
                    found = json.loads(exported)["deployment"]
                self._state[stack] = found
            return self._state[stack]

    def _pulumi(self, stack: str, *words: str) -> str:
        environment = inherited_environment(self._settings, stack)
        argv = [str(self._toolchain.pulumi), *words, "--non-interactive"]
        done = run(argv, timeout=_CLI_SECONDS, env=environment, cwd=self._settings.project, check=False)
        if done.returncode != 0:
            if "no stack named" in done.stderr:
                raise InputError(
                    stack, "there is no such stack here", place=f"{PROJECT} in STEWARD_HOME",
                    rule=nearest(stack, stacks_in(self._settings.home)),
                    next_step="Run steward up for its fleet first.",
                )  # fmt: skip
            raise explain(stack, " ".join(words[:2]), done.stderr or done.stdout)
        return done.stdout


def _state_resource(raw: Mapping[str, Any]) -> StateResource:
    return StateResource(
        urn=raw["urn"],
        type=raw["type"],
        id=raw.get("id", ""),
        inputs=raw.get("inputs") or {},
        outputs=raw.get("outputs") or {},
        protect=bool(raw.get("protect", False)),
        edges={key: tuple(urns) for key, urns in (raw.get("propertyDependencies") or {}).items()},
        created_at=read_instant(str(raw.get("created") or "")),
    )
