"""What every test may ask for; tests marked `real` run where the real parts are, else say what is missing."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from functools import cache

import pytest

from orchestrator.errors import InputError
from orchestrator.settings import load_settings
from orchestrator.toolchain.environment import load_toolchain


@cache
def missing_part() -> str:
    """What tests marked `real` lack on this machine and how to get it, '' when all is there."""
    try:
        load_toolchain(load_settings())
    except InputError as problem:
        return f"the toolchain is missing: {problem}"
    if shutil.which("podman") is None:
        return "podman is missing. Run `steward setup`: it says how to install it."
    return ""


def pytest_configure() -> None:
    """Tests that start tools themselves find the toolchain as those under `steward env` do."""
    with suppress(InputError):
        os.environ.setdefault("STEWARD_TOOLCHAIN_ROOT", str(load_toolchain(load_settings()).root))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a `real` test that lacks a part, or fail it where the real parts must be there."""
    if item.get_closest_marker("real") is None or not missing_part():
        return
    if os.environ.get("STEWARD_REQUIRE_REAL") == "1":
        pytest.fail(f"{missing_part()} (STEWARD_REQUIRE_REAL=1)", pytrace=False)
    pytest.skip(missing_part())
