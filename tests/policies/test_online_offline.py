"""The engine's analyzer and a saved preview give the same results, byte for byte."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format, struct_pb2
from pulumi.runtime.proto import analyzer_pb2 as wire

from policies.evaluate import evaluate
from policies.exceptions import standing_exceptions
from policies.model import Kind, Phase
from policies.reference import load_reference
from policies.subjects.plan import preview_subjects

PREVIEWS = Path(__file__).parent / "previews"
ENDED = ("delete", "delete-replaced")


def asked(state: dict[str, Any]) -> Any:
    """What the engine asks about a resource of the preview before it makes it."""
    provider = wire.AnalyzerProviderResource(type="pulumi:providers:local", name="default")
    return wire.AnalyzeRequest(
        type=state["type"],
        urn=state["urn"],
        name=state["urn"].rsplit("::", 1)[-1],
        properties=json_format.ParseDict(state.get("inputs", {}), struct_pb2.Struct()),
        options=wire.AnalyzerResourceOptions(protect=state.get("protect", False)),
        provider=provider if "provider" in state else None,
    )


def in_stack(state: dict[str, Any]) -> Any:
    """The same resource as the engine shows it at the end of a preview."""
    edges = state.get("propertyDependencies", {})
    return wire.AnalyzerResource(
        type=state["type"],
        urn=state["urn"],
        name=state["urn"].rsplit("::", 1)[-1],
        properties=struct_pb2.Struct(),
        propertyDependencies={
            key: wire.AnalyzerPropertyDependencies(urns=urns) for key, urns in edges.items()
        },
        provider=asked(state).provider if "provider" in state else None,
    )


@pytest.mark.parametrize("name", ["demo", "vault", "local"])
def test_both_ways_give_the_same_results(name: str, start_pack: Callable[..., Any], tmp_path: Path) -> None:
    body = json.loads((PREVIEWS / f"{name}.json").read_text(encoding="utf-8"))
    states = {step["urn"]: step["newState"] for step in body["steps"] if step["op"] not in ENDED}
    file = tmp_path / "results.jsonl"
    pack = start_pack(env={"STEWARD_POLICY_RESULTS": str(file)})
    for state in states.values():
        pack.Analyze(asked(state))
    pack.AnalyzeStack(wire.AnalyzeStackRequest(resources=[in_stack(state) for state in states.values()]))
    online = file.read_text(encoding="utf-8").splitlines()

    reference = load_reference(None, own_rules=None)
    rules = [rule for rule in reference.pack.rules if rule.kind is Kind.RESOURCE]
    subjects = preview_subjects(body, name=f"{name}.json")
    resources = [subject for subject in subjects if subject.kind is Kind.RESOURCE]
    judged = evaluate(resources, reference.pack.profiles.at(Phase.PREVIEW, Phase.UP), rules=rules)
    offline = [
        json.dumps(result.as_row(), sort_keys=True) for result in standing_exceptions(reference)(judged)
    ]

    assert sorted(set(online) ^ set(offline)) == []
    assert sorted(online) == sorted(offline)
