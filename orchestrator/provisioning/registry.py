"""Opening a stack: ledger, state and configuration must agree, and only an explicit verb starts a new one."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

from orchestrator.errors import InputError
from orchestrator.ports.ledger import Ledger
from orchestrator.ports.run import Clock, StackRecord, Target
from orchestrator.private_file import write_private
from orchestrator.process import run
from orchestrator.provisioning.credentials import ensure_admin_key, ensure_passphrase
from orchestrator.provisioning.stack_config import (
    PROJECT,
    StackConfig,
    check_agreement,
    config_path,
    fleet_reference,
    read_config,
    stacks_folder,
)
from orchestrator.settings import Settings
from orchestrator.toolchain.environment import Toolchain, inherited_environment
from stacks.fleet.loader import LoadedFleet

_CLI_SECONDS = 60.0
_STATES = (".json", ".json.gz", ".json.zst")


def making_marker(settings: Settings, stack: str) -> Path:
    """A file that says that a stack is being made or removed, so that a stop there is told from a loss."""
    return settings.stack_keys(stack) / ".making"


class StackRegistry:
    """Knows which stacks exist, and makes new ones."""

    def __init__(self, settings: Settings, toolchain: Toolchain, ledger: Ledger, clock: Clock) -> None:
        self._settings = settings
        self._toolchain = toolchain
        self._ledger = ledger
        self._clock = clock

    def open(self, loaded: LoadedFleet, *, create: bool) -> Target:
        """The stack of a fleet; a new one only when `create`. Raises InputError when records disagree."""
        name = loaded.fleet.stack
        record = self._ledger.stack(name)
        path = config_path(self._settings.project, name)
        config = read_config(path)
        check_agreement(name, self._settings.project, config, record, loaded.path)
        has_state = self.has_state(name)
        self._refuse_half_known(name, record, has_state)
        if record is None:
            if not create:
                raise InputError(
                    name,
                    "there is no such stack yet",
                    next_step=f"Run: steward up --fleet {shlex.quote(str(loaded.path))}",
                )
            if not self._begun(name):  # a name that is used again inherits neither passphrase nor key
                shutil.rmtree(self._settings.stack_keys(name), ignore_errors=True)
            self._begin(name)
            record = self._ledger.create_stack(name, loaded.fleet.client, self._clock.now())
        self._complete(record, loaded, config, has_state)
        return Target(record, loaded)

    def record_key(self, target: Target) -> None:
        """Write the admin key in use into the stack's configuration."""
        config = read_config(config_path(self._settings.project, target.stack.name))
        self._complete(target.stack, target.loaded, config, has_state=True)

    def has_state(self, stack: str) -> bool:
        """Whether the file backend holds the stack."""
        return stack in stacks_in(self._settings.home)

    def _refuse_half_known(self, name: str, record: StackRecord | None, has_state: bool) -> None:
        home = self._settings.home
        if record is not None and not has_state and not self._begun(name):
            raise InputError(
                name,
                f"the ledger knows it since {record.created_at:%Y-%m-%d %H:%M} UTC, but its state is gone",
                place=str(home / "pulumi"), next_step="Restore that folder from your backup of STEWARD_HOME.",
            )  # fmt: skip
        if record is None and has_state:
            raise InputError(
                name, "Pulumi has state of this stack that the ledger does not know",
                place=str(home / "steward.db"),
                next_step="Restore that file from your backup of STEWARD_HOME.",
            )  # fmt: skip

    def _complete(
        self, record: StackRecord, loaded: LoadedFleet, config: StackConfig, has_state: bool
    ) -> None:
        """Finish whatever part of the making is still missing; every part can be repeated."""
        keys = self._settings.stack_keys(record.name)
        if not has_state:
            self._begin(record.name)
            ensure_passphrase(keys)
        key = ensure_admin_key(keys, record.name).public_text()
        wanted = StackConfig(
            fleet_reference(self._settings.project, loaded.path), record.client_id, record.id, key
        )
        if not has_state:
            self._pulumi(record.name, "stack", "init", record.name)
        if config != wanted:
            self._configure(record.name, wanted)
        making_marker(self._settings, record.name).unlink(missing_ok=True)

    def _configure(self, stack: str, wanted: StackConfig) -> None:
        values = {
            "fleet": wanted.fleet,
            "clientId": wanted.client_id,
            "stackId": wanted.stack_id,
            "adminKey": wanted.admin_key,
        }
        pairs = [
            part for key, value in values.items() for part in ("--plaintext", f"{PROJECT}:{key}={value}")
        ]
        config_path(self._settings.project, stack).parent.mkdir(parents=True, exist_ok=True)
        self._pulumi(stack, "config", "set-all", *pairs)

    def _pulumi(self, stack: str, *words: str) -> None:
        environment = inherited_environment(self._settings, stack)
        if words[:2] == ("stack", "init"):  # the stack that PULUMI_STACK names does not exist yet
            environment = {key: value for key, value in environment.items() if key != "PULUMI_STACK"}
        argv = [str(self._toolchain.pulumi), *words, "--non-interactive"]
        run(argv, timeout=_CLI_SECONDS, env=environment, cwd=self._settings.project)

    def _begin(self, stack: str) -> None:
        """Remember that the making began, before anything else knows, so that a stop is told from a loss."""
        write_private(making_marker(self._settings, stack), "")

    def _begun(self, stack: str) -> bool:
        """Whether the making of the stack was interrupted before its state existed."""
        return making_marker(self._settings, stack).exists()


def stacks_in(home: Path) -> frozenset[str]:
    """The stacks that the file backend in STEWARD_HOME holds."""
    folder = stacks_folder(home)
    found = folder.iterdir() if folder.is_dir() else ()
    return frozenset(path.name.partition(".json")[0] for path in found if path.name.endswith(_STATES))
