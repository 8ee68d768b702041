"""Whether what is spent was agreed, is known, and somebody answers for it; what has no price is never 0."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

from policies.facts import Facts, MalformedFactError, UnknownFactError, shown
from policies.model import Finding, Gap, NotApplicable, Outcome, Subject, SubjectCheck
from policies.rules._money import money, same_currency, share
from policies.rules._spans import DAY, days

_NO_BUDGET: Final = "no budget is agreed, which cost.budget-is-set judges"
_NO_PRICE: Final = "has no price, which cost.line-is-priced judges"


def budget_is_set(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """An amount above 0 is agreed, in a currency."""
    facts = subject.facts
    if not facts.has("amount"):
        yield Finding("amount", "no budget is agreed", "no budget", "an amount, a currency and a period")
    elif (amount := money(facts, "amount")) <= 0:
        yield Finding("amount", f"the budget is {amount}", str(amount), "more than 0")
    else:
        facts.text("currency")


def budget_has_owner(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """Somebody is asked when it is used up."""
    if not subject.facts.has("amount"):
        yield NotApplicable(_NO_BUDGET)
    elif not (subject.facts.text_or_none("owner") or "").strip():
        yield Finding("owner", "nobody answers for the budget", "nobody", "a person or team")


def forecast_within_budget(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """After the change a month costs no more than the share of the budget at which a change is refused."""
    most = params.number("max_block_percent")
    for outcome in _forecast_at_most(subject, "blockPercent", Decimal(str(most)), "is above the budget"):
        # A plan that saves money, or heals, is never refused: the warning tells of the budget.
        if isinstance(outcome, Finding) and not _is_dearer(_forecast(subject)):
            yield NotApplicable("the change makes nothing dearer, and cost.forecast-below-warning tells")
        else:
            yield outcome


def forecast_below_warning(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """After the change a month costs less than the share of the budget from which on somebody is warned."""
    most = params.number("max_warn_percent")
    yield from _forecast_at_most(subject, "warnPercent", Decimal(str(most)), "comes close to the budget")


def _forecast_at_most(subject: Subject, own: str, most: Decimal, problem: str) -> Iterator[Outcome]:
    """The stricter of the budget's own percent and the profile's; unpriced parts make it a lower bound."""
    facts = subject.facts
    if not facts.has("amount"):
        yield NotApplicable(_NO_BUDGET)
        return
    forecast, budget = _forecast(subject), money(facts, "monthly")
    percent = min(Decimal(str(facts.number(own, float(most)))), most)
    if budget <= 0:
        yield NotApplicable("the budget is 0, which cost.budget-is-set judges")
        return
    currency, after = same_currency(facts, forecast), money(forecast, "monthly")
    used = share(after, budget)
    if used > percent:
        seen = f"{after} {currency} a month, {used:.0f} %"
        limit = f"at most {percent:f} % of {budget} {currency} a month"
        yield Finding(forecast.where("monthly"), f"the forecast {problem}", seen, limit)
    elif unpriced := forecast.whole("unpriced"):
        reason = f"{unpriced} resources have no price, so the forecast is a lower bound"
        yield Gap(forecast.where("unpriced"), reason=reason)


def _forecast(subject: Subject) -> Facts:
    if not subject.facts.has("forecast"):
        raise UnknownFactError("forecast", reason="nobody estimated it")
    return subject.facts.table("forecast")


def _is_dearer(forecast: Facts) -> bool:
    """Whether a month costs more than before; where nobody knows what was paid, it does."""
    try:
        return not forecast.has("before") or money(forecast, "monthly") > money(forecast, "before")
    except UnknownFactError:
        return True


def within_ceiling(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """After the change a month costs no more than the policy lets this client and environment spend."""
    facts = subject.facts
    if not facts.has("ceiling"):
        yield NotApplicable("the policy reference sets no ceiling")
        return
    ceiling, forecast = facts.table("ceiling"), _forecast(subject)
    currency, most, after = (
        same_currency(ceiling, forecast),
        money(ceiling, "amount"),
        money(forecast, "monthly"),
    )
    if after > most:
        if _is_cheaper(forecast, after):
            yield NotApplicable("the change makes it cheaper: a way back below the ceiling is not barred")
            return
        seen, limit = f"{after} {currency} a month", f"at most {most} {currency} a month"
        yield Finding(forecast.where("monthly"), "the forecast is above the protected ceiling", seen, limit)
    elif unpriced := forecast.whole("unpriced"):
        reason = f"{unpriced} resources have no price, so the forecast is a lower bound"
        yield Gap(forecast.where("unpriced"), reason=reason)


def _is_cheaper(forecast: Facts, after: Decimal) -> bool:
    """Whether a month costs less than before; where nobody knows what was paid, it does not."""
    try:
        return forecast.has("before") and after < money(forecast, "before")
    except UnknownFactError:
        return False


def change_is_small(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """One change raises the monthly cost by a share of it at most, or by an amount that nobody minds."""
    forecast, most = _forecast(subject), Decimal(str(params.number("max_rise_percent")))
    before, after = money(forecast, "before"), money(forecast, "monthly")
    if before <= 0:
        yield NotApplicable("nothing was paid before")
        return
    rise = after - before
    if rise > Decimal(str(params.number("minded_from"))) and share(rise, before) > most:
        seen = f"+{rise} {shown(forecast.text('currency'))} a month, +{share(rise, before):.0f} %"
        problem = "one change raises the cost by much"
        yield Finding(forecast.where("monthly"), problem, seen, f"at most +{most:f} %")


def run_rate_matches_forecast(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """What is really paid is not far above what was forecast."""
    facts = subject.facts
    if not facts.has("runRate"):
        yield NotApplicable("no bill is known yet")
        return
    paid, forecast = facts.table("runRate"), _forecast(subject)
    currency, most = same_currency(forecast, paid), Decimal(str(params.number("max_above_percent")))
    expected, got = money(forecast, "monthly"), money(paid, "monthly")
    if expected <= 0:
        yield NotApplicable("nothing is forecast")
    elif (above := share(got - expected, expected)) > most:
        seen = f"{got} {currency} a month, {above:.0f} % above the forecast"
        place, problem = paid.where("monthly"), "the bill is far above the forecast"
        yield Finding(place, problem, seen, f"at most {most:f} % above {expected} {currency}")


def line_is_priced(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """A price is known: none is unknown, and 0 is a price only where a source says that it is free."""
    facts = subject.facts
    if not facts.has("monthly"):
        yield Gap("monthly", reason="no price is known for it")
        return
    amount = money(facts, "monthly")
    if amount < 0:
        yield Finding("monthly", "the price is negative", str(amount), "0 or more")
    elif amount == 0 and not _price(subject).text_or_none("source"):
        yield Finding("monthly", "costs 0 and no source says so", "0", "a price, or a source that says free")


def price_is_current(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """The price is not older than the profile allows, and the time for which it was offered is not over."""
    if not subject.facts.has("monthly"):
        yield NotApplicable(_NO_PRICE)
        return
    price, most = _price(subject), params.whole("max_age_days")
    if not price.has("ageSeconds"):
        yield Gap(price.where("ageSeconds"), reason="nobody says of when the price is")
    elif (age := price.number("ageSeconds")) > most * DAY:
        seen = f"{age / DAY:.0f} days old"
        yield Finding(price.where("ageSeconds"), "the price is old", seen, f"at most {days(most * DAY)} old")
    if price.has("validSeconds") and (left := price.number("validSeconds")) < 0:
        seen = f"ended {-left / DAY:.0f} days ago"
        yield Finding(price.where("validSeconds"), "the price is no longer valid", seen, "a valid price")


def price_source_is_known(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """The price names where it is from, and that is no sample."""
    if not subject.facts.has("monthly"):
        yield NotApplicable(_NO_PRICE)
        return
    price = _price(subject)
    source = (price.text_or_none("source") or "").strip()
    place, expected = price.where("source"), "a price list or contract"
    if not source:
        yield Finding(place, "nobody knows where the price is from", "no source", expected)
    elif any(word in source.lower() for word in params.texts("refused_words")):
        yield Finding(place, f"the price is from {shown(source)}", shown(source), expected)


def _price(subject: Subject) -> Facts:
    return subject.facts.table("price") if subject.facts.has("price") else Facts({}, "price")


def line_is_attributed(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """The resource itself carries the tags by which its cost is divided."""
    tags = subject.facts.table("ownTags") if subject.facts.has("ownTags") else Facts({}, "ownTags")
    for name in params.texts("required"):
        if not (tags.text_or_none(name) or "").strip():
            yield Finding(tags.where(name), "the cost can be charged to nobody", "no tag", "a value")


def one_currency(stack: Sequence[Subject]) -> SubjectCheck:
    """Every line is in the currency of the budget, or else of most lines: sums over two are none."""
    agreed = _currency_of(subject for subject in stack if subject.type == "budget")
    usual = agreed or _currency_of(subject for subject in stack if subject.type == "cost_line")

    def check(subject: Subject, _params: Facts) -> Iterator[Outcome]:
        if not subject.facts.has("monthly"):
            yield NotApplicable(_NO_PRICE)
        elif (own := subject.facts.text("currency")) != usual:
            yield Finding("currency", "the line is in another currency", shown(own), shown(usual))

    return check


def _currency_of(subjects: Iterator[Subject]) -> str:
    """The most frequent one, '' where none is told; lines that do not tell are judged on their own."""
    found: Counter[str] = Counter()
    for subject in subjects:
        try:
            found.update([subject.facts.text("currency")])
        except (UnknownFactError, MalformedFactError):
            continue
    return min(found, key=lambda name: (-found[name], name), default="")
