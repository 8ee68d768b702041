"""What Podman has of a stack is listed by label, under the names that the fleet gave."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any

import pytest

from orchestrator.errors import ToolError
from orchestrator.process import CommandResult
from orchestrator.provisioning import local_listing
from policies.subjects.population import read_listing

INPUTS = base64.b64encode(json.dumps({"name": "web-1"}).encode()).decode()
OWN = {"steward.kind": "server", "steward.inputs": INPUTS, "steward.incarnation": "25" * 16}


def listed(monkeypatch: pytest.MonkeyPatch, **answers: object) -> list[dict[str, str]]:
    asked: list[Sequence[str]] = []

    def run(argv: Sequence[str], **_: Any) -> CommandResult:
        asked.append(argv)
        text = answers.get(argv[1], [])
        return CommandResult(tuple(argv), 0, text if isinstance(text, str) else json.dumps(text), "", 0.1)

    monkeypatch.setattr(local_listing, "run", run)
    document = local_listing.PodmanListing().listing("ed" * 16)
    assert all(f"label=steward.stack-id={'ed' * 16}" in argv for argv in asked)
    assert read_listing(document) is not None
    return list(document["entries"])


def test_a_server_has_its_name_and_its_incarnation(monkeypatch: pytest.MonkeyPatch) -> None:
    (one,) = listed(monkeypatch, ps=[{"Names": ["steward-web-1-ab"], "Labels": OWN}])
    assert one == {"type": "server", "name": "web-1", "identity": "25" * 16}


def test_what_somebody_made_by_hand_has_podmans_name(monkeypatch: pytest.MonkeyPatch) -> None:
    found = listed(
        monkeypatch,
        ps=[{"Names": ["stray"], "Labels": {}}, {"Names": ["odd"], "Labels": {**OWN, "steward.inputs": "%"}}],
        volume=[{"Name": "lost", "Labels": None}],
        network=[{"name": "old", "labels": {}}],
    )
    assert [(each["type"], each["name"]) for each in found] == [
        ("server", "stray"),
        ("server", "odd"),
        ("network", "old"),
        ("volume", "lost"),
    ]


def test_half_a_list_is_an_error_and_no_short_list(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ToolError, match="no whole list"):
        listed(monkeypatch, ps='[{"Names": ["we')
    assert listed(monkeypatch, ps="null") == []
