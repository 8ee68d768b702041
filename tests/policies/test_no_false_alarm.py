"""The demo fleet and its vault: nothing blocks, and whatever is no pass is listed with its reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.policies.test_seeded import ROOT, SEEDED, check, named

PREVIEWS = Path(__file__).parent / "previews"
EXPLAINED: dict[str, list[dict[str, Any]]] = yaml.safe_load((SEEDED / "explained.yaml").read_text("utf-8"))


@pytest.mark.parametrize("name", ["demo", "vault"])
def test_what_is_no_pass_is_explained(name: str) -> None:
    code, report = check(
        *("--from", PREVIEWS / f"{name}.json", "--from", ROOT / "playbooks"),
        *("--from", ROOT / "stacks" / "fleets" / f"{name}.yaml"),
    )

    explained = {
        (row["state"], rule, subject)
        for row in (*EXPLAINED["both"], *EXPLAINED[name])
        for subject in row.get("subjects", [row.get("subject")])
        for rule in row["rules"]
    }
    assert all(row["because"] for rows in EXPLAINED.values() for row in rows)
    open_ = {
        (result["state"], result["rule"], _subject(report["subjects"][place], name))
        for result in report["results"]
        if result["state"] not in ("pass", "not_applicable")
        for place in result["on"]
    }
    assert open_ - explained == set(), "came up and nobody explained it"
    assert explained - open_ == set(), "is explained and did not come up"
    assert (code, report["verdict"]["blocking"]) == (0, 0)


def _subject(subject: dict[str, Any], name: str) -> str:
    return named(subject).removeprefix(f"playbook_task:acme-{name}/")
