"""The plan in its three forms: says what matters, fits its schema and the window, and lets nothing act."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from orchestrator.reporting.columns import columns
from orchestrator.reporting.json import from_json
from orchestrator.reporting.json import to_json as report_json
from orchestrator.reporting.model import Change, Report
from orchestrator.reporting.plan import SCHEMA_FILE, plan_of, plan_schema, to_json
from orchestrator.reporting.plan_markdown import to_markdown
from orchestrator.reporting.plan_text import changes_text
from orchestrator.reporting.planning import (
    Cost,
    CostLine,
    DataLoss,
    HostPlan,
    Interruption,
    PropertyChange,
    TaskPlan,
)
from tests.fakes import NOON
from tests.unit.reporting import sample
from tests.unit.reporting.test_hostile import ACTING, CORPUS, poisoned

CHANGES = (
    Change(op="create", kind="server", name="web-3", urn="a", detail="1 CPU, 1 GiB memory"),
    Change(
        op="update", kind="server", name="db-1", urn="b",
        properties=[PropertyChange(path="memoryGib", how="change", old="2", new="4")],
    ),
    Change(
        op="replace", kind="server", name="web-1", urn="c", server="web-1",
        properties=[PropertyChange(path="cidr", how="change", old="10.1.0.0/24", new="10.2.0.0/24",
                                   replaces=True)],
        reasons=["cidr cannot be changed in place"],
        interrupts=[Interruption(service="shop", window="Sun 02:00-04:00 UTC")],
    ),
    Change(
        op="delete", kind="volume", name="db-1-old", urn="d", detail="10 GiB", server="db-1",
        loses=DataLoss(subject="db-1-old", saved_seconds=10_800.0), protected=True,
    ),
    Change(
        op="delete", kind="volume", name="db-1-new", urn="e", detail="10 GiB", server="db-1",
        loses=DataLoss(subject="db-1-new", note="no snapshot of its server is known in the vault"),
    ),
)  # fmt: skip
COST = Cost(
    currency="EUR", book="rates", before=Decimal("38.20"), after=Decimal("44.90"), unpriced=1,
    lines=[
        CostLine(urn="b", kind="server", name="db-1", existed=True, exists=True,
                 before=Decimal("10.00"), after=Decimal("16.70")),
        CostLine(urn="f", kind="firewall", name="db-1", existed=False, exists=True),
    ],
    budget=Decimal("250.00"), budget_currency="EUR", used_percent=17, verdict="unknown",
)  # fmt: skip
HOSTS = (
    HostPlan(name="web-1", state="clean"),
    HostPlan(name="web-3", state="unknown", reason="not yet there"),
    HostPlan(
        name="db-1", state="change", changes=1, unknown=1, restarts=["restart of postgresql@15-main.service"],
        tasks=[
            TaskPlan(role="postgresql", task="Write settings", state="change", diff="-a\n+b"),
            TaskPlan(role="postgresql", task="Fill", state="unknown", note="does not run in check mode"),
        ],
    ),
)  # fmt: skip


def report(**more: Any) -> Report:
    known = {"planned": CHANGES, "cost": COST, "host_plans": HOSTS, "state_at": NOON}
    return sample.planned().model_copy(update={**known, **more})


def test_the_text_says_how_each_change_is_made_and_what_it_costs_others() -> None:
    text = changes_text(plan_of(report()), 120)
    for line in (
        "+ server    web-3            1 CPU, 1 GiB memory",
        "~ server    db-1             memory 2 → 4 GiB    in place",
        "replaced: cidr cannot be changed in place",
        "interrupts shop (window Sun 02:00-04:00 UTC)",
        "DATA LOSS: newest snapshot of db-1 in the vault 3h ago",
        "DATA LOSS: no snapshot of its server is known in the vault",
        "protected: Pulumi refuses to delete it",
        "38.20 → 44.90 EUR/month (+6.70) · 1 unpriced · budget 250.00: at least 17 %",
        "firewall db-1                – → unpriced",
        "unknown: not yet there",
        "1 task would change something, 1 cannot be checked, restart of postgresql@15-main.service",
        "from state 2026-11-22 12:00 UTC",
    ):
        assert line in text, text
    assert "± server    web-1" in text
    assert "- volume    db-1-old" in text


def test_no_change_and_no_price_say_so() -> None:
    bare = Cost(currency="", book="", before=Decimal(0), after=Decimal(0), lines=COST.lines, unpriced=2)
    text = changes_text(plan_of(report(planned=(), cost=bare, host_plans=(), state_at=None)), 80)
    assert "no change" in text
    assert "unpriced: no price book names these 2 resources" in text
    assert "0.00" not in text
    assert "from nothing" in text


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_text_fits_the_window(width: int) -> None:
    assert max(columns(line) for line in changes_text(plan_of(report()), width).splitlines()) <= width


def test_the_committed_schema_is_the_models_and_plans_fit_it() -> None:
    committed = Path(__file__).parents[3] / "docs" / "schemas" / SCHEMA_FILE
    assert committed.read_text() == plan_schema()
    document = json.loads(to_json(plan_of(report())))
    jsonschema.Draft202012Validator(json.loads(plan_schema())).validate(document)
    assert document["cost"]["after"] == "44.90"  # text: no reader rounds it


def test_a_report_with_a_plan_survives_its_own_json() -> None:
    first = report_json(report())
    assert report_json(from_json(first)) == first


@pytest.mark.parametrize("poison", CORPUS)
def test_nothing_in_it_acts(poison: str) -> None:
    known = plan_of(Report.model_validate(poisoned(report(planned=CHANGES[1:2], host_plans=()), poison)))
    for change in known.changes:
        assert poison in change.name
    text = changes_text(known, 80)
    assert not ACTING.search(text)
    marked = to_markdown(known)
    assert not ACTING.search(marked.replace("\n", ""))
    blocks = re.sub(r"^(```+).*?^\1", "", marked, flags=re.DOTALL | re.MULTILINE)
    outside = re.sub(r"`[^`\n]*`|<code>[^<]*</code>|<br>", "", blocks)
    assert "<script" not in outside
    assert "@all" not in outside
    assert "\n/close" not in outside
