"""The policy itself as subjects: each waiver, the baseline, and the policy reference."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final

from policies.baseline import Baseline
from policies.facts import Facts, Unknown
from policies.model import Kind, Rule, Subject
from policies.signers import Signers, Standing, Verdict
from policies.waivers import Waiver

GOVERNANCE_TYPES: Final = ("waiver", "baseline", "policy_reference")
_WITNESS: Final = "policy reference"


def waiver_subject(
    waiver: Waiver,
    rule: Rule | None,
    verdict: Verdict,
    owner_keys: Collection[str],
    *,
    now: datetime,
    clock_suspect: bool,
    matched: int | Unknown,
    excuses: int | Unknown,
    passes: int | Unknown,
) -> Subject:
    """A waiver with all that decides whether it holds; without tags, so the strictest profile judges it."""
    known = {"severity": rule.severity.value, "ruleWaivable": rule.waivable} if rule else {}
    facts = {
        "name": waiver.id,
        "rule": waiver.rule,
        "ruleKnown": rule is not None,
        **known,
        "subject": waiver.subject,
        "owner": waiver.owner,
        "approver": waiver.approver,
        "reason": waiver.reason,
        "ticket": waiver.ticket,
        "compensatingControl": waiver.compensating_control,
        "created": waiver.created.isoformat(),
        "expires": waiver.expires.isoformat(),
        "judgedAt": now.isoformat(),
        "clockSuspect": clock_suspect,
        "matched": matched,
        "excuses": excuses,
        "passes": passes,
        "ownerKeys": sorted(owner_keys),
        "signature": _signature(verdict),
    }
    return _subject("waiver", waiver.id, facts)


def baseline_subject(
    baseline: Baseline, earlier: Baseline | Unknown | None, rules: Mapping[str, Rule], name: str
) -> Subject:
    """A baseline beside the one that was recorded last, if any was."""
    added = baseline.since(earlier) if isinstance(earlier, Baseline) else ()
    held = [entry for entry in baseline.entries if entry.rule not in rules or not rules[entry.rule].waivable]
    facts: dict[str, object] = {
        "name": name,
        "entries": len(baseline.entries),
        "earlier": str(len(earlier.entries)) if isinstance(earlier, Baseline) else earlier or "none",
        "added": [_row(entry.rule, entry.subject, entry.fingerprint) for entry in added],
        "forbidden": [_row(entry.rule, entry.subject, entry.fingerprint) for entry in held],
    }
    return _subject("baseline", name, facts)


def reference_subject(
    name: str, signers: Signers, weakenings: Sequence[Mapping[str, str]], verdict: Verdict
) -> Subject:
    """A policy reference: who may sign, and how it is milder than the one that it would follow."""
    facts: dict[str, object] = {
        "name": name,
        "signers": [
            {
                "principal": signer.principal,
                "key": signer.key,
                "validBefore": signer.valid_before.isoformat() if signer.valid_before else None,
                "namespaces": sorted(signer.namespaces),
            }
            for signer in signers.each
        ],
        "weakenings": [dict(each) for each in weakenings],
        "signature": _signature(verdict),
    }
    return _subject("policy_reference", name, facts)


def _signature(verdict: Verdict) -> dict[str, object]:
    return {
        "good": verdict.standing is Standing.GOOD,
        "standing": verdict.standing.value,
        "principal": verdict.principal,
        "key": verdict.key,
        "said": verdict.said,
    }


def _row(rule: str, subject: str, fingerprint: str) -> dict[str, str]:
    return {"rule": rule, "subject": subject, "fingerprint": fingerprint}


def _subject(type_: str, name: str, facts: Mapping[str, object]) -> Subject:
    return Subject(
        kind=Kind.RESOURCE,
        type=type_,
        name=name,
        urn=f"resource:policy/{type_}/{name}",
        stack="",
        facts=Facts(facts),
        witness=_WITNESS,
    )
