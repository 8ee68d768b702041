"""The exceptions that hold while the pack serves an engine, which shows it one resource at a time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from policies import verdicts
from policies.governed import Seen, excuse, in_force
from policies.model import CheckResult, PackError
from policies.reference import Reference


def standing_exceptions(reference: Reference) -> Callable[[list[CheckResult]], list[CheckResult]]:
    """What makes of a failure one that is waived or baselined; raises PackError.

    Without verdicts in the environment no waiver holds, for nobody has looked at its signature.
    """
    told, now = verdicts.from_environment(), datetime.now(UTC)
    if told is not None and told.reference != reference.digest:
        raise PackError(
            f"{verdicts.VARIABLE}: speaks of another version of the policy reference; "
            'run: eval "$(steward env --fleet FILE)"'
        )
    seen = Seen(
        now, clock_suspect=told is not None and now < told.judged_at, waivers=told.waivers if told else {}
    )
    holding = in_force(reference, seen)
    rules = {rule.id: rule for rule in reference.pack.rules}
    baseline = reference.baseline.only(told.baseline) if told else reference.baseline
    return lambda results: excuse(results, holding, baseline, rules)
