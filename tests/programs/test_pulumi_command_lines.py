"""The command lines of the Pulumi CLI are told like those of all other programs, though the SDK starts it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from orchestrator import command_lines
from orchestrator.provisioning.engine import ToldCommand
from orchestrator.settings import load_settings
from orchestrator.toolchain.environment import load_toolchain

pytestmark = pytest.mark.real


def test_what_the_sdk_starts_is_told(tmp_path: Path) -> None:
    heard: list[str] = []
    command = ToldCommand(load_toolchain(load_settings()).root)
    command_lines.tell_to(heard.append)
    try:
        done = command.run(["about", "--json"], str(tmp_path), {"PULUMI_HOME": str(tmp_path), **os.environ})
    finally:
        command_lines.tell_to(None)
    assert done.code == 0
    assert '"cliAbout"' in done.stdout
    assert heard == [f"{command.command} --non-interactive about --json"]
