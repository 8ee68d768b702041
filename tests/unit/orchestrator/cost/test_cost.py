"""What a plan costs: exact money, nothing invented for what has no price, and the budget's verdict."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from orchestrator.cost.budget import findings, judged
from orchestrator.cost.estimate import estimate
from orchestrator.cost.prices import PriceBook, read_prices
from orchestrator.errors import InputError
from stacks.fleet.budget import Budget

BOOK = PriceBook.model_validate(
    {
        "version": 1,
        "name": "rate card",
        "currency": "EUR",
        "prices": [
            {"kind": "server", "region": "far", "each": 100},
            {"kind": "server", "each": 1, "per_cpu": 3.1, "per_memory_gib": 1.95},
            {"kind": "volume", "per_gib": 0.333},
            {"kind": "network", "each": 0},
        ],
    }
)


def urn(kind: str, name: str) -> str:
    return f"urn:pulumi:acme-demo::steward::steward:index:Fleet$local:index:{kind}::{name}"


def resources(**sizes: float) -> dict[str, dict[str, Any]]:
    return {
        urn("Server", "db-1"): {"cpus": 2, "memoryGib": sizes.get("memory", 2)},
        urn("Volume", "db-1-data"): {"sizeGib": 10},
        urn("Network", "app"): {},
        urn("Firewall", "db-1"): {},
        urn("Identity", "site"): {},
    }


def budget(amount: Any = 250, **more: Any) -> Budget:
    return Budget.model_validate({"amount": amount, "currency": "EUR", **more})


def test_a_price_is_exact_and_what_has_none_is_unpriced_and_not_free() -> None:
    cost = estimate(resources(), resources(memory=4.5), "local-1", BOOK)
    lines = {line.kind: (line.before, line.after) for line in cost.lines}
    assert lines == {
        "server": (Decimal("11.10"), Decimal("15.98")),
        "volume": (Decimal("3.33"), Decimal("3.33")),
        "network": (Decimal("0.00"), Decimal("0.00")),
        "firewall": (None, None),
    }
    assert (cost.before, cost.after, cost.unpriced) == (Decimal("14.43"), Decimal("19.31"), 1)


def test_without_a_book_everything_is_unpriced_and_a_budget_cannot_be_met() -> None:
    cost = judged(estimate({}, resources(), "local-1", None), budget())
    assert (cost.after, cost.unpriced, cost.verdict, cost.used_percent) == (Decimal(0), 4, "unknown", None)
    assert findings(cost, "acme-demo") == []


def test_the_region_of_a_resource_decides_and_a_measure_not_known_leaves_it_unpriced() -> None:
    far = {urn("Server", "x"): {"tags": {"region": "far"}}, urn("Volume", "y"): {"sizeGib": "?"}}
    cost = estimate({}, far, "local-1", BOOK)
    assert [line.after for line in cost.lines] == [Decimal("100.00"), None]


@pytest.mark.parametrize(
    ("agreed", "verdict", "blocking"),
    [
        (budget(19.31, warn_at_percent=100), "near", False),
        (budget(24), "near", False),
        (budget(250), "unknown", None),  # one resource is unpriced, so the sum proves nothing
        (budget(19.30), "over", True),
        (budget(19.30, on_exceed="warn"), "over_allowed", False),
        (budget(240, per="year"), "near", False),
        (budget(230, per="year"), "over", True),
        (budget(250, currency="USD"), "unknown", False),
    ],
)
def test_the_budget(agreed: Budget, verdict: str, blocking: bool | None) -> None:
    cost = judged(estimate(resources(), resources(memory=4.5), "local-1", BOOK), agreed)
    assert cost.verdict == verdict
    found = findings(cost, "acme-demo")
    assert [each.blocking for each in found] == ([] if blocking is None else [blocking])


def test_a_plan_that_saves_money_is_never_blocked_by_the_budget() -> None:
    cost = judged(estimate(resources(memory=8), resources(), "local-1", BOOK), budget(1))
    assert cost.verdict == "over_allowed"


def test_everything_priced_and_below_is_inside() -> None:
    there = {urn("Server", "db-1"): {"cpus": 1, "memoryGib": 1}}
    assert judged(estimate({}, there, "local-1", BOOK), budget()).verdict == "inside"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[", "no YAML"),
        ("just text", "no keys"),
        ("{version: 1, name: x, currency: EUR}", "prices"),
        ("{version: 1, name: x, currency: EUR, prices: [{kind: server}]}", "at least one of"),
        ("{version: 1, name: x, currency: EUR, prices: [{kind: server, each: -1}]}", "prices.0.each"),
        ("{version: 1, name: x, currency: EUR, prices: [{kind: server, each: yes}]}", "prices.0.each"),
        ("{version: 1, name: x, currency: EUR, prices: [{kind: server, each: .nan}]}", "prices.0.each"),
        ("{version: 1, name: x, currency: Euro, prices: [{kind: server, each: 1}]}", "currency"),
        ("{version: 1, name: x, currency: EUR, pricees: []}", "pric"),
    ],
)
def test_a_book_with_a_mistake_is_named(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "prices.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=r"prices\.yaml") as caught:
        read_prices(path)
    assert said in str(caught.value)


def test_a_book_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_prices(tmp_path / "none.yaml")


def test_a_whole_book_reads(tmp_path: Path) -> None:
    path = tmp_path / "prices.yaml"
    path.write_text("{version: 1, name: x, currency: EUR, prices: [{kind: server, each: 3.10}]}")
    assert read_prices(path).prices[0].each == Decimal("3.1")
