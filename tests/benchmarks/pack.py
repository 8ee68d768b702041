"""What the rules cost: a preview with all of them against one with an empty pack, and one engine policy a rule.

    .venv/bin/python -m tests.benchmarks.pack [--servers 50] [--rounds 5]

First, `pulumi preview` of a fleet that is not there yet, about four resources a server, with our pack, with a pack
that holds no rule, and with none. Second, the same rules over 1,000 of these resources: by us, and by the engine's
policy library with one policy a rule, each in a process of its own and asked by the engine's protocol.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from orchestrator.settings import load_settings
from orchestrator.toolchain.environment import load_toolchain
from tests.benchmarks.noop import quiet
from tests.benchmarks.pairs import in_turn, seconds
from tests.benchmarks.provision import STEWARD, Size, fleet_text

PACK = Path(__file__).parents[2] / "policies"
HEAD = """\
import sys
sys.path.insert(0, {root!r})
from policies.pack import load_pack
pack = load_pack(None)
"""
EMPTY = HEAD + "from policies.crossguard import Analyzer, serve\nserve(Analyzer([], pack.profiles, None))\n"
ONE_POLICY_A_RULE = (
    HEAD
    + """
from pulumi_policy import EnforcementLevel, PolicyPack, ResourceValidationPolicy
from policies.evaluate import evaluate
from policies.model import Kind, Scope
from policies.subjects.resources import resource_subject


def policy(rule):
    def validate(args, report):
        properties = {{key: args.props[key] for key in args.props}}
        subject = resource_subject(
            args.resource_type, args.urn, args.name, properties, is_component=args.provider is None
        )
        for result in evaluate([subject], pack.profiles, rules=[rule]):
            if result.blocks:
                report(result.message, args.urn)

    return ResourceValidationPolicy(rule.id, rule.title, validate, EnforcementLevel.MANDATORY)


judged = [rule for rule in pack.rules if rule.kind is Kind.RESOURCE and rule.scope is Scope.SUBJECT]
PolicyPack("steward", [policy(rule) for rule in judged])
"""
)
PREVIEW_BOUND = "<= 1.10"
LIBRARY_BOUND = ">= 5.00"


def main() -> None:
    """Print both ratios; exit code 1 when one misses its bound."""
    options = argparse.ArgumentParser()
    options.add_argument("--servers", type=int, default=50)
    options.add_argument("--rounds", type=int, default=5)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        empty = write_pack(folder / "empty", EMPTY)
        library = write_pack(folder / "library", ONE_POLICY_A_RULE)
        with stack(folder, chosen.servers) as (environment, argv):
            shown = json.loads(quiet([*argv, "--json"], {**environment, "PULUMI_OPTION_POLICY_PACK": ""}))
            resources = [step["newState"] for step in shown["steps"]]

            def preview(pack: Path | None) -> Callable[[], float]:
                named = {**environment, "PULUMI_OPTION_POLICY_PACK": str(pack or "")}
                return lambda: seconds(lambda: quiet(argv, named))

            preview(PACK)()
            pair = in_turn(
                f"preview, {len(resources)} resources", chosen.rounds, preview(PACK), preview(empty)
            )
            bare = in_turn("empty pack against none", chosen.rounds, preview(empty), preview(None))
        many = [resources[number % len(resources)] for number in range(1000)]
        other = in_turn("1,000 resources", 3, analysed(PACK, many), analysed(library, many))
    print(pair.line(PREVIEW_BOUND))
    print(bare.line("none"))
    print(other.line(LIBRARY_BOUND, inverse=True))
    sys.exit(pair.ratio > 1.10 or 1 / other.ratio < 5)


def write_pack(folder: Path, program: str) -> Path:
    """A pack folder with this program."""
    folder.mkdir()
    (folder / "PulumiPolicy.yaml").write_text("runtime: python\nversion: 0.1.0\n")
    (folder / "__main__.py").write_text(program.format(root=str(PACK.parent)))
    return folder


@contextmanager
def stack(folder: Path, servers: int) -> Iterator[tuple[dict[str, str], list[str]]]:
    """The environment and command of a preview of a stack that exists in name only."""
    name = "pack"
    fleet = folder / "fleet.yaml"
    fleet.write_text(fleet_text(Size(servers, 10, 16), name))
    settings = load_settings()
    home = {**os.environ, "STEWARD_HOME": str(folder / "home")}
    told = json.loads(quiet([STEWARD, "env", "--fleet", str(fleet), "--json"], home))
    pulumi = str(load_toolchain(settings).pulumi)
    try:
        yield {**home, **told["environment"]}, [pulumi, "preview", "--non-interactive"]
    finally:
        (settings.project / "stacks" / "config" / f"Pulumi.bench-{name}.yaml").unlink(missing_ok=True)


def analysed(pack: Path, resources: list[Mapping[str, Any]]) -> Callable[[], float]:
    """Seconds to have every resource judged by a pack that serves already."""
    from google.protobuf import json_format, struct_pb2
    from pulumi.runtime.proto import analyzer_pb2 as wire

    requests = [
        wire.AnalyzeRequest(
            type=each["type"],
            urn=each["urn"],
            name=each["urn"].rsplit("::", 1)[-1],
            properties=json_format.ParseDict(each.get("inputs") or {}, struct_pb2.Struct()),
            provider=wire.AnalyzerProviderResource(type="p", name="p") if each.get("custom") else None,
        )
        for each in resources
    ]

    def act() -> float:
        with served(pack) as stub:
            stub.Analyze(requests[0])
            return seconds(lambda: [stub.Analyze(each) for each in requests])

    return act


@contextmanager
def served(pack: Path) -> Iterator[Any]:
    """The pack as a process, and the engine's client of it."""
    import grpc
    from pulumi.runtime.proto import analyzer_pb2_grpc

    argv = [sys.executable, "-u", "-m", "pulumi.policy", "127.0.0.1:1", str(pack)]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, cwd=pack)
    try:
        assert process.stdout is not None
        with grpc.insecure_channel(f"127.0.0.1:{int(process.stdout.readline())}") as channel:
            yield analyzer_pb2_grpc.AnalyzerStub(channel)
    finally:
        process.kill()
        process.communicate()


if __name__ == "__main__":
    main()
