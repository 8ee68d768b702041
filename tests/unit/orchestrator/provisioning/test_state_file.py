"""A stack's state is read from its file where that has the form that we know; else Pulumi is asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from orchestrator.provisioning.state_file import last_deployment

LATEST = {"manifest": {"version": "v3"}, "resources": [{"urn": "urn:pulumi:x"}]}


def read(home: Path, text: str) -> Any:
    folder = home / "pulumi" / ".pulumi" / "stacks" / "steward"
    folder.mkdir(parents=True)
    (folder / "acme-shop.json").write_text(text)
    return last_deployment(home, "acme-shop")


def test_the_last_deployment_is_read(tmp_path: Path) -> None:
    state = {"version": 3, "checkpoint": {"stack": "organization/steward/acme-shop", "latest": LATEST}}
    assert read(tmp_path, json.dumps(state)) == LATEST
    assert last_deployment(tmp_path, "acme-other") is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        '{"version": 3, "checkpoint": {"latest": {"resour',
        "[" * 99_999,
        "[]",
        json.dumps({"version": 4, "features": ["views"], "checkpoint": {"latest": LATEST}}),
        json.dumps({"version": True, "checkpoint": {"latest": LATEST}}),
        json.dumps({"checkpoint": {"latest": LATEST}}),
        json.dumps({"version": 3, "checkpoint": {"latest": None}}),
        json.dumps({"version": 3, "checkpoint": {"latest": {"manifest": {}}}}),
        json.dumps({"version": 3, "checkpoint": {"latest": {"resources": {}}}}),
        json.dumps({"version": 3, "deployment": LATEST}),
    ],
)
def test_another_form_is_left_to_pulumi(text: str, tmp_path: Path) -> None:
    assert read(tmp_path, text) is None
