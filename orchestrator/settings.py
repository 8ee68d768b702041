"""Where this installation keeps its state, caches and code, read once from the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast, get_args

from orchestrator.errors import InputError

ToolchainSource = Literal["auto", "path", "official", "modules"]


@dataclass(frozen=True)
class Settings:
    """Paths and switches; nothing is secret, nothing read twice. A plain dataclass: `--help` loads it too."""

    home: Path
    """State: Pulumi backend, ledger, runs, keys, evidence. Mode 0700, never inside the checkout."""
    cache: Path
    """Per machine and re-creatable: toolchain, base image, collections."""
    project: Path
    """The folder with Pulumi.yaml; fleet paths in stack configuration are relative to it."""
    toolchain: ToolchainSource = "auto"

    def stack_keys(self, stack: str) -> Path:
        """Folder of one stack's passphrase, admin key and repository credentials."""
        return self.home / "keys" / stack

    def run_folder(self, run: str) -> Path:
        """Folder of one run's record, logs and reports."""
        return self.home / "runs" / run


def project_root() -> Path:
    """The checkout or installed package root: the folder that holds Pulumi.yaml."""
    return Path(__file__).resolve().parent.parent


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read STEWARD_HOME, STEWARD_CACHE, STEWARD_PROJECT and STEWARD_TOOLCHAIN; raises InputError."""
    env = os.environ if environ is None else environ
    source = env.get("STEWARD_TOOLCHAIN") or "auto"
    if source not in get_args(ToolchainSource):
        raise InputError(
            "STEWARD_TOOLCHAIN", f"is not one of {', '.join(get_args(ToolchainSource))}", got=source,
            next_step="Unset it to let steward choose.",
        )  # fmt: skip
    return Settings(
        home=_folder(env.get("STEWARD_HOME"), "state"),
        cache=_folder(env.get("STEWARD_CACHE"), "cache"),
        project=Path(env.get("STEWARD_PROJECT") or project_root()).expanduser().absolute(),
        toolchain=cast("ToolchainSource", source),
    )


def _folder(named: str | None, kind: Literal["state", "cache"]) -> Path:
    if named:
        return Path(named).expanduser().absolute()
    from platformdirs import user_cache_path, user_state_path

    return (user_state_path if kind == "state" else user_cache_path)("steward").absolute()
