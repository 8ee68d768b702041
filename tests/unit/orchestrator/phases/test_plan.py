"""Which plans are refused."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from orchestrator.errors import FindingsError
from orchestrator.phases.judge import refuse_if_blocked
from orchestrator.phases.plan import summary
from orchestrator.ports.policies import Judgement
from orchestrator.ports.provisioning import Preview
from orchestrator.reporting.model import Change, PolicyResult
from policies.model import Phase
from tests.fake_judge import report

NOTHING = Judgement((), report(Phase.PREVIEW))
BLOCKING = {"fail", "unknown", "error"}
STATES = get_args(PolicyResult.model_fields["state"].annotation)


def judged(state: Any, enforcement: str, rule: str = "network.x", subject: str = "app") -> PolicyResult:
    return PolicyResult(
        rule=rule, severity="high", state=state, enforcement=enforcement, subject=subject, kind="network"
    )


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("enforcement", ["mandatory", "advisory", "deferred", "disabled"])
def test_only_a_mandatory_rule_that_did_not_pass_blocks(state: str, enforcement: str) -> None:
    preview = Preview((), 0, [judged("pass", "mandatory"), judged(state, enforcement)])
    assert preview.blocked == (state in BLOCKING and enforcement == "mandatory")
    if not preview.blocked:
        refuse_if_blocked("acme-demo", preview, NOTHING)


def test_a_refusal_names_every_rule_and_subject_once() -> None:
    results = [
        judged("fail", "mandatory"),
        judged("fail", "mandatory"),
        judged("error", "mandatory", "b.y", "web-1"),
    ]
    with pytest.raises(FindingsError) as caught:
        refuse_if_blocked(
            "acme-demo", Preview((), 0, results[:2]), Judgement(results[2:], report(Phase.PREVIEW))
        )
    assert str(caught.value) == (
        "acme-demo: 3 blocking findings; nothing was changed: b.y (web-1), network.x (app). "
        "Mend the fleet, or read: steward policy explain network.x"
    )


def test_summary() -> None:
    changes = [Change(op="create", kind="x", name=n, urn=n) for n in "ab"] + [
        Change(op="delete", kind="x", name="c", urn="c")
    ]
    assert summary(Preview(changes, 4, [])).startswith("2 to create, 1 to delete, 4 unchanged")
    assert summary(Preview((), 4, [])).startswith("no change, 4 unchanged")
