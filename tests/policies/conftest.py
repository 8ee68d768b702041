"""Cases as files, and the pack as a process that speaks the engine's protocol."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from policies.facts import UNKNOWN
from policies.model import Subject
from policies.subjects.resources import resource_subject

CASES = Path(__file__).parent / "cases"
PACK = Path(__file__).parents[2] / "policies"
STACK = "acme-demo"
TAGS = {
    "client": "acme",
    "environment": "demo",
    "owner": "platform@acme.example",
    "profile": "demo",
    "stackId": "ab" * 16,
}


class CaseLoader(yaml.SafeLoader):
    """YAML with `!unknown` for a value that exists only after the change."""


CaseLoader.add_constructor("!unknown", lambda loader, node: UNKNOWN)


def urn_of(token: str, name: str, stack: str = STACK) -> str:
    return f"urn:pulumi:{stack}::steward::{token}::{name}"


def subject_of(entry: Mapping[str, Any], types: Mapping[str, str]) -> Subject:
    """A subject of a case; tags and name are filled in where the case does not care."""
    token, name, properties = entry["type"], entry["name"], entry["properties"]
    if properties is not UNKNOWN:
        properties = {"name": name, "tags": TAGS} | properties
    depends_on = {
        key: tuple(urn_of(types[source], source) for source in sources)
        for key, sources in entry.get("depends_on", {}).items()
    }
    return resource_subject(
        token,
        urn_of(token, name),
        name,
        properties,
        is_component=token.startswith("steward:"),
        protect=entry.get("protect", False),
        depends_on=depends_on,
    )


@pytest.fixture
def load_case() -> Callable[[Path], tuple[dict[str, Any], list[Subject]]]:
    """Reads a case file into itself and its subjects."""

    def load(path: Path) -> tuple[dict[str, Any], list[Subject]]:
        case = yaml.load(path.read_text(encoding="utf-8"), Loader=CaseLoader)  # noqa: S506
        types = {entry["name"]: entry["type"] for entry in case["subjects"]}
        return case, [subject_of(entry, types) for entry in case["subjects"]]

    return load


@pytest.fixture
def start_pack() -> Iterator[Callable[..., Any]]:
    """Starts a pack folder as the language host would, and gives the engine's client stub for it."""
    import grpc
    from pulumi.runtime.proto import analyzer_pb2_grpc

    started: list[subprocess.Popen[bytes]] = []
    channels: list[grpc.Channel] = []

    def start(folder: Path = PACK, env: Mapping[str, str] | None = None) -> Any:
        process = subprocess.Popen(
            [sys.executable, "-u", "-m", "pulumi.policy", "127.0.0.1:1", str(folder)],
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
