"""Whether the exceptions and the policy itself are in order: waivers, baseline, policy reference."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from policies.facts import Facts, MalformedFactError, shown
from policies.model import Finding, NotApplicable, Outcome, Subject, each
from policies.people import same_person


def change_has_a_run(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """The ledger knows the run that made the change: out of process is what no run made."""
    facts = subject.facts
    if facts.text_or_none("run"):
        return
    how = "by pulumi itself" if facts.text("through") == "cli" else "by a program that was no run"
    seen = f"{facts.text('operation')} at {facts.text('startedAt')}, {facts.text('result')}"
    problem = f"out_of_process: {shown(facts.text('by'))} changed the stack {how}"
    yield Finding(facts.where("run"), problem, seen, "a run of the ledger at that time")


def waiver_not_expired(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """Today in UTC is from the day of creation to the last second of the day of expiry."""
    facts = subject.facts
    expires, created, place = _day(facts, "expires"), _day(facts, "created"), facts.where("expires")
    if facts.flag("clockSuspect"):
        yield Finding(
            place, "counts as expired, for the clock was set back", str(expires), "a clock to believe"
        )
        return
    today = _moment(facts, "judgedAt").date()
    if today > expires:
        yield Finding(place, f"ended {_days((today - expires).days)} ago", str(expires), f"{today} or later")
    if today < created:
        yield Finding(facts.where("created"), "is not in force yet", str(created), f"{today} or earlier")


def waiver_is_signed(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """The signature is good, and of the approver that the waiver names."""
    signature, approver = subject.facts.table("signature"), subject.facts.text("approver")
    signer = signature.text("principal")
    if not signature.flag("good"):
        problem = signature.text("standing")
        by = f"{problem} ({shown(signer)})" if signer else problem
        yield Finding(signature.path, by, problem, f"a good signature by {shown(approver)}")
    elif signer.casefold() != approver.casefold():
        yield Finding(signature.path, f"is signed by {shown(signer)}", signer, shown(approver))


def waiver_approved_by_another(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """Owner and approver are two people, and the key that signed is none of the owner's."""
    facts = subject.facts
    owner, approver, key = facts.text("owner"), facts.text("approver"), facts.table("signature").text("key")
    if same_person(owner, approver):
        yield Finding(facts.where("approver"), "is the owner", approver, "somebody else than the owner")
    elif key and key in facts.texts("ownerKeys"):
        place = facts.table("signature").where("key")
        yield Finding(place, f"is a key of the owner {shown(owner)}", key, "a key of somebody else")


def waiver_age_within_severity(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """From creation to expiry there are no more days than the severity of the rule allows."""
    facts = subject.facts
    if not facts.flag("ruleKnown"):
        yield NotApplicable("there is no such rule, so no severity either")
        return
    severity = facts.text("severity")
    most, lasts = params.whole(f"max_days_{severity}"), (_day(facts, "expires") - _day(facts, "created")).days
    if lasts > most:
        latest = _day(facts, "created") + timedelta(days=most)
        problem = f"lasts {_days(lasts)}, for a rule of {severity} severity"
        yield Finding(facts.where("expires"), problem, facts.text("expires"), f"{latest} or earlier")


def waiver_names_a_rule(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """The rule is one of those that judge."""
    if not subject.facts.flag("ruleKnown"):
        named = subject.facts.text("rule")
        yield Finding(subject.facts.where("rule"), f"no rule named {shown(named)}", named, "the id of a rule")


def waiver_is_allowed(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """The catalog lets the rule be waived."""
    facts = subject.facts
    if not facts.flag("ruleKnown"):
        yield NotApplicable("there is no such rule")
    elif not facts.flag("ruleWaivable"):
        named = facts.text("rule")
        yield Finding(
            facts.where("rule"), f"{shown(named)} can be waived by nobody", named, "a waivable rule"
        )


def waiver_matches_a_subject(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """At least one subject is meant, where subjects of that kind were judged."""
    if subject.facts.whole("matched") < 1:
        place, pattern = subject.facts.where("subject"), subject.facts.text("subject")
        yield Finding(place, f"nothing here matches {shown(pattern)}", pattern, "at least one subject")


def waiver_is_used(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """Some failure would be there without it; one of a rule that it cannot waive is told by other rules."""
    facts = subject.facts
    if not facts.flag("ruleKnown") or not facts.flag("ruleWaivable"):
        yield NotApplicable("there is no such rule, or nobody can waive it")
    elif facts.whole("matched") < 1:
        yield NotApplicable("it matches no subject")
    elif facts.whole("excuses") < 1:
        seen = f"{facts.whole('matched')} subjects, no failure"
        passes = facts.whole("passes", 1)
        why = "what it is for passes" if passes else "its rule does not apply to what it matches"
        yield Finding(facts.where("subject"), f"excuses nothing: {why}", seen, "a failure")


def waiver_is_narrow(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """No more subjects are meant than one exception may have."""
    matched, most = subject.facts.whole("matched"), params.whole("max_subjects")
    if matched > most:
        place = subject.facts.where("subject")
        yield Finding(place, f"matches {matched} subjects", str(matched), f"at most {most}")


def baseline_only_shrinks(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """It has no entry that the one recorded last did not have."""
    if subject.facts.text("earlier") == "none":
        yield NotApplicable("no earlier baseline is known to compare it with")

    def judge(row: Facts) -> Iterator[Outcome]:
        named = f"{row.text('rule')} on {row.text('subject')}"
        yield Finding(row.path, f"is new: {shown(named)}", named, "no entry that was not there before")

    yield from each(subject.facts.rows("added"), judge)


def baseline_keeps_to_waivable_rules(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """Each entry is of a rule that exists and may be waived."""

    def judge(row: Facts) -> Iterator[Outcome]:
        rule = row.text("rule")
        yield Finding(
            row.path, f"{shown(rule)} is no rule that may be excused", rule, "a rule that may be waived"
        )

    yield from each(subject.facts.rows("forbidden"), judge)


def signers_are_dated(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """Each key in allowed_signers has a day after which it signs nothing."""

    def judge(row: Facts) -> Iterator[Outcome]:
        if row.text_or_none("validBefore") is None:
            who = row.text("principal")
            yield Finding(row.where("validBefore"), f"the key of {shown(who)} has no end", "nothing", "a day")

    yield from each(subject.facts.rows("signers"), judge)


def minimum_not_milder(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """No client or environment has a milder minimum than before."""
    return _weakened(subject, "minimum")


def params_not_looser(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """No parameter moved to the milder side."""
    return _weakened(subject, "params")


def enforcement_not_lowered(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """No rule stops less than before, in any profile or phase."""
    return _weakened(subject, "enforcement")


def rules_not_removed(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """Each rule is still there, as severe and of the same code."""
    return _weakened(subject, "rules")


def waivers_not_added(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """No waiver is new or says something else."""
    return _weakened(subject, "waivers")


def baseline_not_grown(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """The baseline has no new entry."""
    return _weakened(subject, "baseline")


def budget_not_raised(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """Each ceiling is still there and no higher."""
    return _weakened(subject, "budget")


def signers_not_added(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """No key may sign more, or longer, than before."""
    return _weakened(subject, "signers")


def _weakened(subject: Subject, area: str) -> Iterator[Outcome]:
    """Each weakening of the area, unless the new reference is signed by an owner of the old one."""
    facts = subject.facts
    signature, rows = (
        facts.table("signature"),
        [r for r in facts.rows("weakenings") if r.text("area") == area],
    )
    if rows and signature.flag("good"):
        yield NotApplicable(f"{len(rows)} weakened, and signed by {shown(signature.text('principal'))}")
        return

    def judge(row: Facts) -> Iterator[Outcome]:
        place, was = shown(row.text("place")), shown(row.text("was"))
        problem = f"{place} is weakened, and {signature.text('standing')}"
        yield Finding(
            f"{area}: {place}", problem, shown(row.text("now")), f"{was}, or a policy owner's signature"
        )

    yield from each(rows, judge)


def _day(facts: Facts, key: str) -> date:
    text = facts.text(key)
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise MalformedFactError(facts.where(key), "a day as 2026-12-31", text) from None


def _moment(facts: Facts, key: str) -> datetime:
    text = facts.text(key)
    moment: datetime | None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise MalformedFactError(facts.where(key), "a moment with its time zone", text)
    return moment.astimezone(UTC)


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"
