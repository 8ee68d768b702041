"""The pack as a process that speaks the engine's protocol."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from orchestrator.toolchain.language_host import plugin_argv

PACK = Path(__file__).parents[2] / "policies"


@pytest.fixture
def start_pack() -> Iterator[Callable[..., Any]]:
    """Starts a pack folder as the language host would, and gives the engine's client stub for it."""
    import grpc
    from pulumi.runtime.proto import analyzer_pb2_grpc

    started: list[subprocess.Popen[bytes]] = []
    channels: list[grpc.Channel] = []

    def start(
        folder: Path = PACK, env: Mapping[str, str] | None = None, argv: Sequence[str] | None = None
    ) -> Any:
        info = SimpleNamespace(program_directory=str(folder))
        asked = SimpleNamespace(info=info, kind="analyzer", args=["127.0.0.1:1"])
        process = subprocess.Popen(
            argv or plugin_argv(asked),
            stdout=subprocess.PIPE,
            cwd=folder,
            env=dict(env or {}),
        )
        started.append(process)
        assert process.stdout is not None
        port = int(process.stdout.readline())
        channels.append(grpc.insecure_channel(f"127.0.0.1:{port}"))
        return analyzer_pb2_grpc.AnalyzerStub(channels[-1])

    yield start
    for channel in channels:
        channel.close()
    for process in started:
        process.kill()
        process.communicate()
