"""Cost lines and the budget become subjects: no price is unknown, and money is never rounded."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from policies.evaluate import evaluate
from policies.model import State, Subject
from policies.pack import rule_by_id
from policies.profiles import load_profiles
from policies.subjects.costs import SCHEMA, cost_subjects
from policies.subjects.document import DocumentError

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
TAGS = {"client": "acme", "environment": "demo", "owner": "platform@acme.example", "profile": "demo"}


def subjects(*lines: object, budget: object = None) -> list[Subject]:
    document = json.loads(json.dumps({"schema": SCHEMA, "lines": lines, "budget": budget}))
    return cost_subjects(document, stack="acme-demo", tags=TAGS, now=NOW)


def state(rule: str, subject: Subject) -> State:
    (result,) = evaluate([subject], load_profiles(), rules=[rule_by_id(rule)])
    return result.state


def test_lines_are_told_apart_by_identity_and_the_budget_is_one_subject() -> None:
    budget, one, other = subjects(
        {"kind": "volume", "name": "data", "identity": "urn:a"},
        {"kind": "volume", "name": "data", "identity": "urn:b"},
    )
    assert (budget.type, budget.urn) == ("budget", "cost_line:acme-demo/budget")
    assert (one.name, other.name) == ("volume/data", "volume/data")
    assert (one.urn, other.urn) == ("cost_line:acme-demo/urn:a", "cost_line:acme-demo/urn:b")
    assert load_profiles().choose(one).name == "demo"


def test_a_document_without_a_budget_has_one_that_nobody_knows() -> None:
    (budget,) = subjects()
    assert state("cost.budget-is-set", budget) is State.UNKNOWN
    (budget,) = subjects(budget={"amount": None})
    assert state("cost.budget-is-set", budget) is State.FAIL


@pytest.mark.parametrize(
    ("amount", "period", "monthly"),
    [
        ("250", "month", "250.00"),
        ("249.90", "month", "249.90"),
        ("1000", "year", "83.33"),
        ("1000", "week", "1000 per week"),
        ("much", "year", "much"),
        ("NaN", "year", "NaN"),
        ("9" * 400, "year", None),
    ],
)
def test_a_budget_is_divided_into_months(amount: str, period: str, monthly: str | None) -> None:
    (budget,) = subjects(budget={"amount": amount, "currency": "EUR", "period": period})
    assert budget.facts.text("monthly") == (monthly or amount)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ({"monthly": "3.10", "price": {"source": "contract"}}, State.PASS),
        ({"monthly": None}, State.UNKNOWN),
        ({"monthly": {"unknown": "no price book"}}, State.UNKNOWN),
        ({}, State.UNKNOWN),
        ({"monthly": "0"}, State.UNKNOWN),
        ({"monthly": "0", "price": None}, State.FAIL),
        ({"monthly": 3.1}, State.ERROR),
        ({"monthly": "1e9"}, State.ERROR),
        ({"monthly": "3,10"}, State.ERROR),
        ({"monthly": "\u0663"}, State.ERROR),
    ],
)
def test_only_a_price_is_a_price(line: dict[str, object], expected: State) -> None:
    assert state("cost.line-is-priced", subjects(line)[1]) is expected


def test_a_price_of_tomorrow_is_unknown() -> None:
    price = {"source": "contract", "as_of": "2026-12-24T00:00:00Z", "valid_to": None}
    assert state("cost.price-is-current", subjects({"monthly": "3.10", "price": price})[1]) is State.UNKNOWN
    price["as_of"] = "2026-11-01T00:00:00Z"
    assert state("cost.price-is-current", subjects({"monthly": "3.10", "price": price})[1]) is State.PASS
    price["valid_to"] = "2026-11-28T00:00:00Z"
    assert state("cost.price-is-current", subjects({"monthly": "3.10", "price": price})[1]) is State.FAIL


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({"schema": SCHEMA, "lines": {}}, "lines: expected a list"),
        ({"schema": SCHEMA, "lines": [], "budget": "much"}, "budget: expected a mapping, got much"),
        ({"schema": SCHEMA, "lines": [{"kind": "a", "name": "b"}] * 2}, "two records of a/b"),
    ],
)
def test_a_document_of_another_shape_is_refused_by_its_place(document: object, told: str) -> None:
    with pytest.raises(DocumentError, match=told):
        cost_subjects(document, stack="acme-demo", tags=TAGS, now=NOW)
