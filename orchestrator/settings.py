"""Where this installation keeps its state, caches and code, read once from the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from platformdirs import user_cache_path, user_state_path
from pydantic import BaseModel, ConfigDict

ToolchainSource = Literal["auto", "path", "official", "modules"]


class Settings(BaseModel):
    """Paths and switches; nothing here is secret and nothing is read twice."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    home: Path
    """State: Pulumi backend, ledger, runs, keys, evidence. Mode 0700, never inside the checkout."""
    cache: Path
    """Per machine and re-creatable: toolchain, base image, collections."""
    project: Path
    """The folder with Pulumi.yaml; fleet paths in stack configuration are relative to it."""
    toolchain: ToolchainSource = "auto"
    verbose: int = 0

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
    """Read STEWARD_HOME, STEWARD_CACHE, STEWARD_PROJECT and STEWARD_TOOLCHAIN."""
    env = os.environ if environ is None else environ
    return Settings(
        home=Path(env.get("STEWARD_HOME") or user_state_path("steward")).expanduser().absolute(),
        cache=Path(env.get("STEWARD_CACHE") or user_cache_path("steward")).expanduser().absolute(),
        project=Path(env.get("STEWARD_PROJECT") or project_root()).expanduser().absolute(),
        toolchain=env.get("STEWARD_TOOLCHAIN", "auto"),
    )
