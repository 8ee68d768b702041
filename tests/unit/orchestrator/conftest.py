"""The bench for tests of pipelines."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from socket import create_server, socket

import pytest

from orchestrator.ports.provisioning import Preview, Provisioned
from tests.fakes import FakeProvisioner
from tests.unit.orchestrator.bench import CHANGE, Bench, bench_of
from tests.unit.orchestrator.samples import outputs, server


@pytest.fixture
def bench() -> Iterator[Bench]:
    """Servers listen on a real port each, because the gate knocks at it."""
    with ExitStack() as stack:
        listeners: dict[str, socket] = {
            name: stack.enter_context(closing(create_server(("127.0.0.1", 0))))
            for name in ("web-1", "web-2", "db-1")
        }
        made = outputs(*(server(name, ssh_port=each.getsockname()[1]) for name, each in listeners.items()))
        yield bench_of(FakeProvisioner(made, Preview([CHANGE], 0, ()), Provisioned([CHANGE], 0)))
