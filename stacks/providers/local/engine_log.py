"""Notes to the person at the engine, shown beside the resource they concern."""

from __future__ import annotations

import sys

import grpc
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc


class EngineLog:
    """The engine's log service at the address it gave us."""

    def __init__(self, address: str) -> None:
        self._engine = engine_pb2_grpc.EngineStub(grpc.insecure_channel(address))

    def note(self, text: str, urn: str) -> None:
        """Tell something that is no error; when the engine does not listen, stderr gets it."""
        try:
            self._engine.Log(
                engine_pb2.LogRequest(severity=engine_pb2.LogSeverity.INFO, message=text, urn=urn),
                timeout=2.0,
            )
        except grpc.RpcError:
            sys.stderr.write(f"{urn}: {text}\n")
