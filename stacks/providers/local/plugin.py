"""The plugin process: `pulumi-resource-local [ENGINE]` prints its port and serves while the engine lives."""

from __future__ import annotations

import importlib.machinery
import os
import signal
import sys
import threading
import types
from concurrent import futures
from pathlib import Path

WORKERS = 32
MESSAGE_BYTES = 400 << 20
"""The engine's own limit for one message."""
GRACE_SECONDS = 4.0
"""The engine kills us 5 s after it asked us to stop."""


def main() -> None:
    """Serve until stopped; the engine's address may be the first argument."""
    _spare_the_sdk()
    serve(next((argument for argument in sys.argv[1:] if not argument.startswith("-")), ""))


def serve(engine: str) -> None:
    """Listen on a free loopback port, tell it on stdout, and end with the process that started us."""
    import grpc
    from pulumi.runtime.proto import provider_pb2_grpc

    from stacks.providers.local.engine_log import EngineLog
    from stacks.providers.local.machine import Machine
    from stacks.providers.local.servicer import Provider

    machine = Machine(EngineLog(engine).note if engine else None)
    sizes = [
        ("grpc.max_receive_message_length", MESSAGE_BYTES),
        ("grpc.max_send_message_length", MESSAGE_BYTES),
    ]
    server = grpc.server(futures.ThreadPoolExecutor(WORKERS), options=sizes)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Provider(machine), server)
    port = server.add_insecure_port("127.0.0.1:0")
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    parent = os.getppid()
    server.start()
    print(port, flush=True)
    # An engine killed with -9 sends no Cancel; nobody would ever read our answers.
    while not ended.wait(1.0) and os.getppid() == parent:
        pass
    machine.stop.set()
    server.stop(GRACE_SECONDS).wait()


def _spare_the_sdk() -> None:
    """Let only the generated gRPC modules of the SDK load: its packages' `__init__` cost 0.4 s."""
    spec = importlib.machinery.PathFinder.find_spec("pulumi")
    for location in (spec.submodule_search_locations if spec else None) or ():
        for name in ("pulumi", "pulumi.runtime", "pulumi.runtime.proto"):
            package = types.ModuleType(name)
            package.__path__ = [str(Path(location, *name.split(".")[1:]))]
            sys.modules[name] = package
        return


if __name__ == "__main__":
    main()
