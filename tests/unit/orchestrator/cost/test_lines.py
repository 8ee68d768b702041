"""Cost lines for the policies: what a plan costs as a document, which the rules judge as it is written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from orchestrator.cost.estimate import Resources, estimate
from orchestrator.cost.lines import Bill, Use, cost_lines
from orchestrator.cost.prices import PriceBook, read_prices
from orchestrator.errors import InputError
from policies.evaluate import evaluate
from policies.model import Kind, State
from policies.pack import all_rules
from policies.profiles import load_profiles
from policies.subjects.costs import cost_subjects
from tests.unit.orchestrator.cost.test_cost import BOOK, resources, urn
from tests.unit.orchestrator.samples import FLEET, fleet

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
OWN = {"client": "acme", "environment": "demo", "owner": "platform@acme.example"}
TAGS = OWN | {"profile": "demo"}
DATED = BOOK.model_copy(update={"as_of": date(2026, 11, 1), "valid_to": date(2026, 11, 29)})
BUDGET = "budget: {amount: 240, currency: EUR, per: year}\n"
RULES = [rule for rule in all_rules() if rule.kind is Kind.COST_LINE]


def tagged(**sizes: float) -> dict[str, dict[str, Any]]:
    return {each: values | {"tags": OWN} for each, values in resources(**sizes).items()}


def document(
    book: PriceBook | None = DATED,
    before: Resources | None = None,
    after: Resources | None = None,
    text: str = FLEET + BUDGET,
    **more: Any,
) -> dict[str, Any]:
    after = tagged() if after is None else after
    cost = estimate(tagged() if before is None else before, after, "local-1", book)
    return dict(json.loads(json.dumps(cost_lines(cost, after, fleet(text), book, **more))))


def states(found: dict[str, Any], name: str) -> Mapping[str, State]:
    subjects = cost_subjects(found, stack="acme-demo", tags=TAGS, now=NOW)
    judged = [subject for subject in subjects if subject.name == name]
    results = evaluate(judged, load_profiles(), rules=[r for r in RULES if judged[0].type in r.subjects])
    return {result.rule.partition(".")[2]: result.state for result in results}


def test_a_line_is_what_a_resource_costs_by_which_price() -> None:
    (line,) = (each for each in document()["lines"] if each["kind"] == "server")
    assert line == {
        "name": "db-1",
        "identity": urn("Server", "db-1"),
        "kind": "server",
        "sku": None,
        "region": "local-1",
        "monthly": "11.10",
        "currency": "EUR",
        "tags": OWN,
        "price": {
            "source": "rate card",
            "as_of": "2026-11-01T00:00:00+00:00",
            "valid_to": "2026-11-29T23:59:59.999999+00:00",
        },
        "size": {"cpus": 2, "memory_gib": 2, "disk_gib": None},
        "utilisation": {"unknown": "nobody measured it"},
    }


def test_the_rules_judge_the_document_as_it_is_written() -> None:
    uses = {urn("Server", "db-1"): Use(30, cpu_peak_percent=40, memory_peak_percent=60)}
    found = document(uses=uses)
    assert set(states(found, "server/db-1").values()) == {State.PASS, State.NOT_APPLICABLE}
    assert states(found, "firewall/db-1")["line-is-priced"] is State.UNKNOWN
    budget = states(found, "budget")
    assert budget["budget-is-set"] is budget["budget-has-owner"] is State.PASS
    assert budget["forecast-within-budget"] is State.UNKNOWN  # the firewall has no price
    assert budget["run-rate-matches-forecast"] is State.NOT_APPLICABLE


def test_a_year_of_240_is_a_month_of_20_and_a_dearer_plan_is_refused() -> None:
    assert states(document(after=tagged(memory=64)), "budget")["forecast-within-budget"] is State.FAIL
    saving = document(before=tagged(memory=128), after=tagged(memory=64))
    assert states(saving, "budget")["forecast-within-budget"] is State.NOT_APPLICABLE
    assert states(saving, "budget")["forecast-below-warning"] is State.FAIL


def test_without_a_price_book_nothing_is_free() -> None:
    found = document(book=None)
    assert {line["monthly"] for line in found["lines"]} == {None}
    assert states(found, "server/db-1")["line-is-priced"] is State.UNKNOWN
    assert states(found, "budget")["forecast-within-budget"] is State.UNKNOWN
    assert states(found, "budget")["change-is-small"] is State.UNKNOWN


def test_without_a_budget_one_subject_says_so() -> None:
    found = states(document(text=FLEET), "budget")
    assert found["budget-is-set"] is State.FAIL
    assert found["forecast-within-budget"] is State.NOT_APPLICABLE


def test_a_bill_above_the_forecast_is_told() -> None:
    found = document(bill=Bill(Decimal("99.90"), "EUR", 30))
    assert states(found, "budget")["run-rate-matches-forecast"] is State.FAIL


def test_a_size_that_only_up_can_know_is_unknown() -> None:
    after = {urn("Server", "db-1"): {"cpus": "04da6b54", "memoryGib": 2, "tags": OWN}}
    (line,) = document(after=after, before={})["lines"]
    assert line["size"]["cpus"] == {"unknown": "not known at preview"}
    assert line["monthly"] is None


def test_a_book_says_of_when_its_prices_are(tmp_path: Path) -> None:
    path = tmp_path / "prices.yaml"
    text = "version: 1\nname: card\ncurrency: EUR\n{}prices: [{{kind: server, each: 1}}]\n"
    path.write_text(text.format("as_of: 2026-01-01\nvalid_to: 2026-12-31\n"))
    book = read_prices(path)
    assert (book.as_of, book.valid_to) == (date(2026, 1, 1), date(2026, 12, 31))
    path.write_text(text.format(""))
    assert read_prices(path).as_of is None
    path.write_text(text.format("as_of: soon\n"))
    with pytest.raises(InputError, match="as_of"):
        read_prices(path)
    undated = document(book=BOOK)
    assert states(undated, "server/db-1")["price-is-current"] is State.UNKNOWN
