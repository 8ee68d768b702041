"""A draft of the policy judges planned resources by the word of the engine, and asks anew what it changes."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from orchestrator.judging.rows import report_rows
from orchestrator.judging.run import judged
from orchestrator.policy_reference import Policy
from orchestrator.ports.policies import Known
from orchestrator.reporting.model import PolicyResult
from policies.governed import Seen
from policies.model import Phase
from policies.reference import load_reference
from tests.policies.references import RULE, network, write

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
PROFILE = """\
name: demo
description: d
enforcement: {default: mandatory, rules: {network.private-range: mandatory}, phases: {}}
params: {network.private-range: {widest_prefix_ipv4: 16}}
phase_params: {}
"""
ADVISORY = PROFILE.replace("private-range: mandatory", "private-range: advisory")
NARROW = PROFILE.replace("widest_prefix_ipv4: 16", "widest_prefix_ipv4: 20")
WIDE = network(cidr="10.0.0.0/18")


def said(state: str, enforcement: str = "mandatory") -> PolicyResult:
    """The engine's row about WIDE."""
    return PolicyResult(
        rule=RULE, severity="high", state=state, enforcement=enforcement, subject=WIDE.name,
        kind="local:index:Network", urn=WIDE.urn, profile="demo",
    )  # fmt: skip


def policy(tmp_path: Path, held: str, draft: str | None) -> Policy:
    old = load_reference(write(tmp_path / "old", {"profiles/demo.yaml": held}))
    if draft is None:
        return Policy(old, Seen(NOW))
    new = write(tmp_path / "new", {"profiles/demo.yaml": draft})
    return Policy(old, Seen(NOW), proposed=load_reference(new, name="draft", run_rules=False))


def rows(judges: Policy, engine: PolicyResult) -> list[tuple[str, str]]:
    """State and enforcement of each row of RULE that a run tells beyond the engine's."""
    found = judged(Known(engine=[engine]), [WIDE], [], judges, Phase.PREVIEW)
    told = report_rows(found.assessment, {WIDE.urn}, (), found.beyond)
    assert sum(found.assessment.counts().values()) == len(found.assessment.rules) * len(
        found.assessment.subjects
    )
    return [(row.state, row.enforcement) for row in told if row.rule == RULE]


@pytest.mark.parametrize(
    ("held", "draft", "engine", "told"),
    [
        (PROFILE, None, said("pass"), []),
        (PROFILE, PROFILE.replace("d\n", "other\n", 1), said("pass"), []),
        (PROFILE, NARROW, said("pass"), [("fail", "mandatory")]),  # asked anew
        (ADVISORY, PROFILE, said("fail", "advisory"), [("fail", "mandatory")]),  # the engine's word, stricter
        (ADVISORY, PROFILE, said("pass"), []),  # the engine knows more than a run: it counts
        (ADVISORY, PROFILE, said("unknown", "advisory"), [("unknown", "mandatory")]),
        (ADVISORY, PROFILE, said("waived", "advisory"), [("fail", "mandatory")]),  # no waiver in the draft
        (NARROW, PROFILE, said("fail"), []),  # milder: the policy that holds counts, and has told
    ],
)
def test_the_stricter_of_both_counts(
    tmp_path: Path, held: str, draft: str | None, engine: PolicyResult, told: list[tuple[str, str]]
) -> None:
    assert rows(policy(tmp_path, held, draft), engine) == told


def test_a_draft_that_is_milder_is_a_finding(tmp_path: Path) -> None:
    found = judged(
        Known(engine=[said("fail")]), [WIDE], [], policy(tmp_path, PROFILE, ADVISORY), Phase.PREVIEW
    )
    told = report_rows(found.assessment, {WIDE.urn}, (), found.beyond)
    assert {row.rule for row in told if row.blocks} == {"governance.enforcement-not-lowered"}
    assert RULE not in {row.rule for row in told}
