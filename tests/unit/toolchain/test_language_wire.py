"""Our messages against those of the SDK: same numbers, same types, same bytes."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import language_pb2, plugin_pb2

from orchestrator.toolchain import language_wire as wire


def of_the_sdk(name: str) -> Any:
    for module in (language_pb2, plugin_pb2, empty_pb2):
        if hasattr(module, name):
            return getattr(module, name)
    raise AssertionError(name)


@pytest.mark.parametrize("name", sorted(wire.MESSAGES))
def test_every_field_is_the_sdks(name: str) -> None:
    theirs = of_the_sdk(name).DESCRIPTOR.fields_by_name
    ours = type(wire.decode(name, b"")).DESCRIPTOR.fields_by_name
    for field in ours.values():
        same = theirs[field.name]
        assert (field.number, field.type, field.label) == (same.number, same.type, same.label)


def test_a_request_of_the_engine_is_read() -> None:
    raw = language_pb2.RunPluginRequest(
        pwd="/p",
        args=["a"],
        env=["A=1"],
        kind="analyzer",
        info=language_pb2.ProgramInfo(program_directory="/d"),
    ).SerializeToString()
    read = wire.decode("RunPluginRequest", raw)
    assert (read.pwd, list(read.args), list(read.env), read.kind) == ("/p", ["a"], ["A=1"], "analyzer")
    assert read.info.program_directory == "/d"


def test_an_exit_code_of_zero_is_still_said() -> None:
    raw = wire.encode("RunPluginResponse", exitcode=0)
    assert language_pb2.RunPluginResponse.FromString(raw).WhichOneof("output") == "exitcode"
