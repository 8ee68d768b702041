"""What every test may ask for; tests marked `real` run where the real parts are, else say what is missing."""

from __future__ import annotations

import gc
import os
import shutil
from contextlib import suppress
from functools import cache

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from orchestrator.errors import InputError
from orchestrator.settings import load_settings
from orchestrator.toolchain.environment import load_toolchain
from tests.left_behind import claim

os.environ.setdefault("GOGC", "400")  # as Steward sets it for what it starts
# Where gRPC is in use, a fork begins its threads anew; pexpect closes what they need, and they end the child.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
gc.disable()  # until all is collected: what is imported and collected stays, so there is no garbage in it


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
    if item.get_closest_marker("real") is None:
        return
    if not missing_part():
        claim()
        return
    if os.environ.get("STEWARD_REQUIRE_REAL") == "1":
        pytest.fail(f"{missing_part()} (STEWARD_REQUIRE_REAL=1)", pytrace=False)
    pytest.skip(missing_part())


ROOMS = {
    "demo": ("tests/e2e/",),
    "faults": ("tests/faults/",),
    "catalogue": ("tests/e2e/test_h_catalogue.py", "tests/e2e/test_h_wheel.py"),
    "by hand": ("tests/by_hand/",),
    "converged": ("tests/playbooks/",),
    "hardened": ("tests/playbooks/hardened/",),
    "provider": ("tests/stacks/provider/",),
    "small": ("tests/small/",),
    "tutorial": ("tests/e2e/test_k_docs.py",),
    "pages": ("tests/pages/",),
    "contract": ("tests/stacks/contract/",),
}
"""Tests that share servers, longest first; the last name that fits holds. Rooms run side by side: each has
networks and a client of its own."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest rooms begin first; within a room the order of its files stays."""
    order = [*ROOMS, ""]
    items.sort(key=lambda item: order.index(_room(item.nodeid)))


def pytest_collection_finish() -> None:
    """What was imported and collected stays to the end; looking through it for garbage takes seconds.

    Without it, Python would look for garbage the more often, since the rest is small.
    """
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
    gc.enable()


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling | None:
    """With `--dist loadscope`, one worker a room, and else a file."""
    return RoomScheduling(config, log) if config.getvalue("dist") == "loadscope" else None


class RoomScheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist comes without types
    """Deals out whole rooms."""

    def _split_scope(self, nodeid: str) -> str:
        return _room(nodeid) or nodeid.split("::", 1)[0]


def _room(nodeid: str) -> str:
    return next((name for name in reversed(ROOMS) if nodeid.startswith(ROOMS[name])), "")
