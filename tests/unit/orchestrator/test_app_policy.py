"""Files judged beside the evidence of this installation: its head in the report, a clock that went back."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from orchestrator.app_policy import Asked, check_files
from orchestrator.evidence.last import clock_went_back, head_of
from orchestrator.settings import Settings
from tests.policies.references import WAIVER, write
from tests.unit.orchestrator.evidence.chains import Bench, bench_at

FLEET = Path(__file__).parents[3] / "stacks" / "fleets" / "demo.yaml"
RECORDS = {
    "schema": "steward.backup-records/1",
    "records": [
        {
            "plan": "site", "server": "web-1", "rpo_seconds": 93_600,
            "vault": {"newest_arrived_at": (datetime.now(UTC) - timedelta(hours=1)).isoformat()},
        }
    ],
}  # fmt: skip


def installation(tmp_path: Path, ends: datetime) -> tuple[Settings, Bench]:
    """One whose chain ends then, with a policy reference that holds a waiver."""
    bench = bench_at(tmp_path / "home")
    bench.clock.move(ends - bench.clock.now())
    bench.runs(1)
    folder = write(tmp_path / "policy", {"waivers/W-1.yaml": WAIVER})
    (tmp_path / "project").mkdir()
    made = Settings(
        home=tmp_path / "home", cache=tmp_path / "cache", project=tmp_path / "project",
        policy_reference=str(folder),
    )  # fmt: skip
    return made, bench


def said(settings: Settings, tmp_path: Path) -> set[str]:
    """What rules say of the backup and of the waiver, whatever its state."""
    path = tmp_path / "records.json"
    path.write_text(json.dumps(RECORDS))
    report = check_files(settings, Asked([path], FLEET))
    ours = {n for n, each in enumerate(report.subjects) if each.type in ("backup_record", "waiver")}
    found = [each for each in report.results if ours & set(each.on) and each.state != "not_applicable"]
    return {f"{each.rule} {each.state} {each.message}" for each in found}


def test_a_chain_that_ends_in_the_future_makes_ages_unknown_and_waivers_expired(tmp_path: Path) -> None:
    settings, _ = installation(tmp_path, datetime.now(UTC) + timedelta(hours=2))
    found = said(settings, tmp_path)
    assert "governance.waiver-not-expired fail counts as expired, for the clock was set back" in found
    (age,) = [each for each in found if each.startswith("recovery.point-is-recent ")]
    assert age.startswith("recovery.point-is-recent unknown not known (clock_suspect: ")


def test_a_chain_that_ends_in_the_past_leaves_ages_known(tmp_path: Path) -> None:
    settings, _ = installation(tmp_path, datetime.now(UTC) - timedelta(hours=2))
    assert not any("clock_suspect" in each for each in said(settings, tmp_path))


def test_the_clock_is_held_against_every_chain_and_a_broken_end_is_no_time(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    settings, bench = installation(tmp_path, now)
    end = bench.records()[-1].ended_at()
    assert not clock_went_back(settings.home, end)
    assert clock_went_back(settings.home, end - timedelta(seconds=1))
    assert not clock_went_back(tmp_path / "nowhere", now)
    with bench.folder.chain.open("ab") as file:
        file.write(b"no record\n")
    assert clock_went_back(settings.home, end + timedelta(days=1))
    assert head_of(bench.folder) == ""


def test_the_report_names_the_head_of_the_chain_that_it_follows(tmp_path: Path) -> None:
    settings, bench = installation(tmp_path, datetime.now(UTC) - timedelta(hours=2))
    other = tmp_path / "other.json"
    other.write_text(json.dumps(RECORDS))
    named = bench.folder.path.rename(bench.folder.path.with_name(f"acme-demo-{bench.folder.id}"))
    report = check_files(settings, Asked([other], FLEET))
    last = (named / "chain.jsonl").read_text().splitlines()[-1]
    assert report.chain_head == json.loads(last)["sha256"]


def within_ceiling(tmp_path: Path, fleet: Path | None, monthly: str) -> str:
    """What the ceiling of the reference says of a forecast; the budget in the document is ten times that."""
    settings, _ = installation(tmp_path, datetime.now(UTC) - timedelta(hours=2))
    ceiling = 'clients: {acme: {demo: {amount: "100.00", currency: EUR}}}\n'
    (tmp_path / "policy" / "budget.yaml").write_text(ceiling)
    forecast = {"monthly": monthly, "before": monthly, "currency": "EUR", "unpriced": 0}
    budget = {"amount": "1000", "currency": "EUR", "period": "month", "forecast": forecast}
    path = tmp_path / "lines.json"
    path.write_text(json.dumps({"schema": "steward.cost-lines/1", "lines": [], "budget": budget}))
    report = check_files(settings, Asked([path], fleet))
    (found,) = [each for each in report.results if each.rule == "cost.within-ceiling" and each.on]
    return f"{found.state} {found.observed} {found.enforcement}".strip()


def test_the_ceiling_of_the_policy_holds_whatever_budget_the_fleet_agreed_on(tmp_path: Path) -> None:
    assert within_ceiling(tmp_path, FLEET, "100.01") == "fail 100.01 EUR a month mandatory"


def test_costs_of_nobody_known_are_held_against_no_ceiling_and_do_not_pass(tmp_path: Path) -> None:
    assert within_ceiling(tmp_path, None, "100.01").startswith("unknown")
