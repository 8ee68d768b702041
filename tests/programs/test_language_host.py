"""The language host as the engine sees it: a real process, spoken to with the SDK's own messages."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import language_pb2, language_pb2_grpc

from orchestrator import process
from orchestrator.toolchain.language_host import OUR_PACK, plugin_argv


@dataclass
class Host:
    """A started host and a stub that speaks to it."""

    child: process.Child
    stub: Any


@pytest.fixture
def host() -> Iterator[Host]:
    child = process.start(
        [sys.executable, "-P", "-u", "-m", "orchestrator.toolchain.language_host", "engine:1"]
    )
    port = int(next(child.pieces(time.monotonic() + 30))[1])
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield Host(child, language_pb2_grpc.LanguageRuntimeStub(channel))
    child.end()


def running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until_ended(pid: int) -> bool:
    deadline = time.monotonic() + 5
    while running(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not running(pid)


def analyzer(folder: Path, code: str, **fields: Any) -> language_pb2.RunPluginRequest:
    """A request to run `code` as a plugin; the kind "plugin" skips the SDK's loader of policy packs."""
    (folder / "__main__.py").write_text(code)
    info = language_pb2.ProgramInfo(
        root_directory=str(folder), program_directory=str(folder), entry_point="."
    )
    return language_pb2.RunPluginRequest(**({"pwd": str(folder), "info": info, "kind": "plugin"} | fields))


def test_the_small_questions(host: Host) -> None:
    empty = empty_pb2.Empty()
    greeting = host.stub.Handshake(language_pb2.LanguageHandshakeRequest())
    assert greeting == language_pb2.LanguageHandshakeResponse()
    assert host.stub.GetPluginInfo(empty).version == "0.1.0"
    assert host.stub.About(language_pb2.AboutRequest()).executable == sys.executable
    assert not host.stub.GetRequiredPackages(language_pb2.GetRequiredPackagesRequest()).packages
    assert not host.stub.RuntimeOptionsPrompts(language_pb2.RuntimeOptionsRequest()).prompts
    assert host.stub.Cancel(empty) == empty
    found = host.stub.GetProgramDependencies(language_pb2.GetProgramDependenciesRequest()).dependencies
    assert "pulumi" in {entry.name for entry in found}
    said = list(host.stub.InstallDependencies(language_pb2.InstallDependenciesRequest()))
    assert b"make setup" in said[0].stdout


def test_a_plugin_gets_arguments_folder_and_environment_and_its_code_comes_back(
    host: Host, tmp_path: Path
) -> None:
    code = (
        "import os, sys\n"
        "print(os.getcwd(), sys.argv[1:], os.environ['KEY'])\n"
        "print('to stderr', file=sys.stderr)\n"
        "sys.exit(7)\n"
    )
    answers = list(
        host.stub.RunPlugin(analyzer(tmp_path, code, args=["engine"], env=["KEY=a=b", "PATH=/bin"]))
    )
    out = b"".join(answer.stdout for answer in answers).decode()
    assert out == f"{tmp_path} ['engine'] a=b\n"
    assert b"".join(answer.stderr for answer in answers) == b"to stderr\n"
    assert answers[-1].WhichOneof("output") == "exitcode"
    assert answers[-1].exitcode == 7


def test_a_plugins_output_comes_while_it_runs(host: Host, tmp_path: Path) -> None:
    call = host.stub.RunPlugin(analyzer(tmp_path, "import time\nprint('port', flush=True)\ntime.sleep(60)\n"))
    assert next(call).stdout.strip() == b"port"
    call.cancel()


def test_a_policy_pack_is_run_by_the_sdks_loader(host: Host, tmp_path: Path) -> None:
    code = "import pulumi, sys\nprint(pulumi.get_stack(), __file__, flush=True)\n"
    env = [f"PATH={os.environ['PATH']}", "PULUMI_STACK=dev", "PULUMI_PROJECT=p", "PULUMI_DRY_RUN=true"]
    answers = list(
        host.stub.RunPlugin(analyzer(tmp_path, code, kind="analyzer", args=["127.0.0.1:1"], env=env))
    )
    out = b"".join(answer.stdout for answer in answers).decode()
    assert out == f"dev {tmp_path}/__main__.py\n"
    assert answers[-1].exitcode == 0


def test_our_own_pack_comes_up_without_the_sdk() -> None:
    info = language_pb2.ProgramInfo(program_directory=str(OUR_PACK))
    argv = plugin_argv(language_pb2.RunPluginRequest(info=info, kind="analyzer", args=["127.0.0.1:1"]))
    pack = subprocess.Popen([argv[0], "-X", "importtime", *argv[1:]], stdout=-1, stderr=-1, text=True)
    assert pack.stdout is not None
    assert int(pack.stdout.readline())
    pack.kill()
    loaded = {line.rpartition("|")[2].strip() for line in pack.communicate()[1].splitlines()}
    assert "pulumi.runtime.proto.analyzer_pb2" in loaded
    assert not loaded & {"pulumi", "pulumi.runtime", "pulumi.resource"}


def test_cancelling_the_call_ends_the_plugin(host: Host, tmp_path: Path) -> None:
    code = "import os, time\nprint(os.getpid(), flush=True)\ntime.sleep(60)\n"
    call = host.stub.RunPlugin(analyzer(tmp_path, code))
    pid = int(next(call).stdout)
    call.cancel()
    assert wait_until_ended(pid)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_host_at_once_and_leaves_no_child(
    host: Host, tmp_path: Path, number: signal.Signals
) -> None:
    code = "import os, time\nprint(os.getpid(), flush=True)\ntime.sleep(60)\n"
    pid = int(next(host.stub.RunPlugin(analyzer(tmp_path, code))).stdout)
    began = time.monotonic()
    os.kill(host.child.pid, number)
    assert host.child.wait(began + 5) == 0
    assert time.monotonic() - began < 1.5
    assert wait_until_ended(pid)


def test_the_host_does_not_outlive_its_engine() -> None:
    script = (
        "import subprocess, sys\n"
        "child = subprocess.Popen(sys.argv[1:])\n"
        "print(child.pid, flush=True)\n"
        "child.wait()\n"
    )
    host = [sys.executable, "-P", "-u", "-m", "orchestrator.toolchain.language_host", "engine:1"]
    engine = process.start([sys.executable, "-c", script, *host])
    said = b""
    pieces = engine.pieces(time.monotonic() + 30)
    while said.count(b"\n") < 2:
        said += next(pieces)[1]
    pid = int(said.split()[0])
    os.kill(engine.pid, signal.SIGKILL)
    engine.wait(time.monotonic() + 5)
    assert wait_until_ended(pid)
