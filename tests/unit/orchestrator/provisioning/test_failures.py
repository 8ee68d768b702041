"""Pulumi's texts, read into errors with a next step."""

from __future__ import annotations

import pytest

from orchestrator.errors import InputError, ToolError
from orchestrator.provisioning.failures import explain, killed


@pytest.mark.parametrize(
    "text", ["error: incorrect passphrase", "passphrase must be set with PULUMI_CONFIG_PASSPHRASE"]
)
def test_a_wrong_passphrase_says_where_it_lies(text: str) -> None:
    problem = explain("acme-demo", "up", text)
    assert isinstance(problem, InputError)
    assert problem.place == "keys/acme-demo/passphrase in STEWARD_HOME"


def test_an_engine_that_was_killed_is_told_as_that_without_its_record() -> None:
    text = " \n code: -9\n stdout: Updating (acme-demo):\n  @ updating....\n stderr: "
    assert killed(text) == "pulumi was killed by signal 9 in the middle of its work"
    assert str(explain("acme-demo", "up", text)).startswith("acme-demo: pulumi was killed by signal 9")
    assert killed(" \n code: 255\n stdout: x\n stderr: y") == ""


def test_a_locked_stack_says_by_whom() -> None:
    text = "error: the stack is currently locked by 1 lock(s).\n  file:///x: created by root@host (pid 7)"
    problem = explain("acme-demo", "up", text)
    assert isinstance(problem, InputError)
    assert "root@host (pid 7)" in problem.got
    assert "pulumi cancel" in problem.next_step


def test_anything_else_is_a_failed_tool_with_its_last_lines() -> None:
    problem = explain("acme-demo", "preview", "\n".join(f"line {n}" for n in range(50)) + "x" * 9999)
    assert isinstance(problem, ToolError)
    assert "line 43" not in problem.message
    assert "line 45" in problem.message
    assert len(problem.message) < 1600


def test_a_protected_resource_is_named_with_the_way_to_lose_it() -> None:
    urn = "urn:pulumi:acme-demo::steward::steward:index:Volume$local:index:Volume::db-1-data"
    text = f'error: resource "{urn}" cannot be deleted\nbecause it is protected. To unprotect the resource, …'
    found = explain("acme-demo", "preview", text)
    assert isinstance(found, InputError)
    assert "'db-1-data' bears data" in found.message
    assert f"pulumi state unprotect '{urn}'" in found.next_step


def test_a_full_disk_here_is_told_as_such() -> None:
    text = "error: failed to save snapshot: write /home/x/.pulumi/stacks/a.json: no space left on device"
    problem = explain("acme-demo", "up", text)
    assert problem.exit_code == 3
    assert str(problem).startswith("this machine: STEWARD_HOME: its disk is full")
    assert "Free space there" in str(problem)
