"""Pulumi's Python language host, for a CLI that came without one: `python -P -m
orchestrator.toolchain.language_host`.

The engine starts this process, reads a port from its first line of output and speaks
`pulumirpc.LanguageRuntime` to it.
Programs run inside this process (one Python start instead of three); policy packs run in child processes.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent import futures
from importlib import import_module, metadata
from pathlib import Path
from types import FrameType
from typing import Any, Final, NoReturn

import grpc

from orchestrator import process
from orchestrator.toolchain import language_wire as wire

VERSION: Final = "0.1.0"
MESSAGE_LIMIT_BYTES: Final = 400 << 20
OUR_PACK: Final = Path(__file__).resolve().parents[2] / "policies"
_END_GRACE_SECONDS: Final = 0.5
_PARENT_POLL_SECONDS: Final = 1.0


class LanguageHost:
    """Answers the engine; requests and answers are bytes, so that the SDK is needed by `run` alone."""

    def run(self, raw: bytes, _context: grpc.ServicerContext) -> bytes:
        """Run the program in this process; a program's own failure is part of the answer."""
        from pulumi.automation._server import LanguageServer
        from pulumi.runtime.proto import language_pb2

        request = language_pb2.RunRequest.FromString(raw)
        answer = LanguageServer(program=_program(request.info, request.pwd)).Run(request, None)
        result: bytes = answer.SerializeToString()
        return result

    def run_plugin(self, raw: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        """Run a policy pack, or another plugin written in Python, and stream what it prints."""
        # The engine calls Run once the policy pack has come up: loading the SDK fits into the wait. A host
        # that is only asked what it is, as one is before each preview, does without.
        threading.Thread(target=import_module, args=("pulumi.automation._server",), daemon=True).start()
        request = wire.decode("RunPluginRequest", raw)
        child = process.start(plugin_argv(request), env=plugin_environment(request), cwd=request.pwd or None)
        # The engine ends a plugin by cancelling this call.
        context.add_callback(lambda: child.end(_END_GRACE_SECONDS))
        for stream, piece in child.pieces():
            yield wire.encode("RunPluginResponse", **{stream: piece})
        yield wire.encode("RunPluginResponse", exitcode=child.wait())

    def plugin_version(self, _raw: bytes, _context: grpc.ServicerContext) -> bytes:
        """Version of this host."""
        return wire.encode("PluginInfo", version=VERSION)

    def about(self, _raw: bytes, _context: grpc.ServicerContext) -> bytes:
        """The Python that programs run on."""
        return wire.encode(
            "AboutResponse", executable=sys.executable, version=".".join(map(str, sys.version_info[:3]))
        )

    def program_dependencies(self, _raw: bytes, _context: grpc.ServicerContext) -> bytes:
        """Every distribution that the program can import; direct and transitive ones are locked alike."""
        found = {dist.name: dist.version for dist in metadata.distributions()}
        return wire.encode(
            "GetProgramDependenciesResponse",
            dependencies=[wire.dependency(name, version) for name, version in sorted(found.items())],
        )

    def install_dependencies(self, _raw: bytes, _context: grpc.ServicerContext) -> Iterator[bytes]:
        """Install nothing: the lock file is what decides, and set-up has followed it."""
        yield wire.encode(
            "InstallDependenciesResponse", stdout=b"Dependencies come from the lock file: `make setup`.\n"
        )

    def nothing(self, _raw: bytes, _context: grpc.ServicerContext) -> bytes:
        """The empty answer, for calls that only ask whether there is more to say."""
        return b""


def plugin_argv(request: Any) -> list[str]:
    """Command line of a plugin; a policy pack goes through the SDK's loader, which sets the stack up before
    it runs the pack. Our own needs no stack, and so nothing of the SDK but the protocol.
    """
    program = request.info.program_directory or request.program
    if request.kind == "analyzer" and Path(program).resolve() != OUR_PACK:
        return [sys.executable, "-u", "-m", "pulumi.policy", *request.args, program]
    return [sys.executable, "-u", program, *request.args]


def plugin_environment(request: Any) -> dict[str, str]:
    """The engine sends the whole environment; without one the plugin gets ours."""
    if not request.env:
        return dict(os.environ)
    return dict(entry.split("=", 1) for entry in request.env if "=" in entry)


def _program(info: Any, working_directory: str) -> Callable[[], None]:
    """The function that runs the user's program as `python program` would: its folder first on the path,
    and as cwd.
    """
    folder = info.program_directory or working_directory
    entry = Path(folder) / (info.entry_point or ".")

    def program() -> None:
        import pulumi
        from pulumi.runtime.settings import SETTINGS

        # Run resets the settings without this one, which `pulumi.get_root_directory` needs.
        SETTINGS.root_directory = info.root_directory
        os.chdir(folder)
        if folder not in sys.path:
            sys.path.insert(0, folder)
        try:
            runpy.run_path(str(entry), run_name="__main__")
        except SystemExit as stop:
            if stop.code not in (None, 0):
                raise pulumi.RunError(f"the program ended with {stop.code!r}") from stop

    return program


def handlers(host: LanguageHost) -> grpc.GenericRpcHandler:
    """Calls by name; without serialisers gRPC hands the bytes through."""
    unary = {
        "Run": host.run,
        "About": host.about,
        "GetPluginInfo": host.plugin_version,
        "GetProgramDependencies": host.program_dependencies,
        "Handshake": host.nothing,
        "GetRequiredPlugins": host.nothing,
        "GetRequiredPackages": host.nothing,
        "RuntimeOptionsPrompts": host.nothing,
        "Cancel": host.nothing,
    }
    streams = {"RunPlugin": host.run_plugin, "InstallDependencies": host.install_dependencies}
    return grpc.method_handlers_generic_handler(
        wire.SERVICE,
        {name: grpc.unary_unary_rpc_method_handler(call) for name, call in unary.items()}
        | {name: grpc.unary_stream_rpc_method_handler(call) for name, call in streams.items()},
    )


def leave(_number: int = 0, _frame: FrameType | None = None) -> NoReturn:
    """End the children and be gone at once: after a refused preview `Run` never returns, and the engine
    waits for us.
    """
    process.end_children(_END_GRACE_SECONDS)
    os._exit(0)


def _leave_with(parent: int) -> NoReturn:
    """Do not outlive an engine that was killed; its children would keep the program running for nobody."""
    while os.getppid() == parent:
        time.sleep(_PARENT_POLL_SECONDS)
    leave()


def main() -> None:
    """Serve until the engine says stop or dies."""
    signal.signal(signal.SIGINT, leave)
    signal.signal(signal.SIGTERM, leave)
    threading.Thread(target=_leave_with, args=(os.getppid(),), daemon=True).start()
    limits = [(f"grpc.max_{way}_message_length", MESSAGE_LIMIT_BYTES) for way in ("receive", "send")]
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=16), options=limits)
    server.add_generic_rpc_handlers((handlers(LanguageHost()),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    main()
