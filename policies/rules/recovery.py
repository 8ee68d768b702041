"""Whether data can come back: arrivals that the vault saw, restores that were tried, keys and floors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from policies.facts import Facts, UnknownFactError
from policies.model import Finding, Gap, NotApplicable, Outcome, Subject
from policies.rules._records import of_a_plan, older_than
from policies.rules._spans import DAY, days, hours

_NEVER = "never"
_HOST = "host"
_NOTHING_KEPT = "no snapshot lies in the vault, which recovery.point-is-recent judges"
_NO_DRILL = "nothing was ever restored, which recovery.drill-is-recent judges"


def record_is_possible(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """Nothing in the record lies in the future, or is a number that nothing has."""
    if not (subject.facts.has("impossible") and subject.facts.has("toCome")):
        raise UnknownFactError("the record", reason="nobody read it as a whole")
    for row in subject.facts.rows("impossible"):
        place, value = row.text("place"), row.text("value")
        yield Finding(place, "nothing has so many", value, "a number from 0 on, with an end")
    for place in subject.facts.texts("toCome"):
        yield Gap(place, reason="it happened in the future; set the clocks right")


@of_a_plan
def point_is_recent(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """The newest snapshot that the vault saw arrive is younger than the RPO."""
    vault, rpo = subject.facts.table("vault"), subject.facts.whole("rpoSeconds")
    place, expected = vault.where("newestAgeSeconds"), f"at most {hours(rpo)} old (RPO)"
    if not vault.has("newestAgeSeconds"):
        yield Finding(place, "the vault holds no snapshot", _NEVER, expected)
    elif (age := vault.number("newestAgeSeconds")) > rpo:
        yield Finding(place, "the newest snapshot in the vault is too old", f"{hours(age)} old", expected)


@of_a_plan
def rpo_was_kept(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """In the last 30 days no wait for a snapshot was longer than the RPO."""
    vault, rpo = subject.facts.table("vault"), subject.facts.whole("rpoSeconds")
    if not vault.has("newestAgeSeconds"):
        yield NotApplicable(_NOTHING_KEPT)
    elif (gap := vault.number("longestGapSeconds")) > rpo:
        problem = "no snapshot arrived for longer than the RPO in the last 30 days"
        yield Finding(vault.where("longestGapSeconds"), problem, hours(gap), f"at most {hours(rpo)}")


@of_a_plan
def vault_is_the_witness(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """The snapshot that the host reports is one that the vault saw arrive."""
    host = subject.facts.table("host")
    if not host.has("snapshotArrived"):
        yield NotApplicable("the host reports no snapshot")
    elif not host.flag("snapshotArrived"):
        place, problem = host.where("snapshotArrived"), "the host reports a snapshot that never arrived"
        yield Finding(place, problem, "no receipt in the vault", "a receipt in the vault")


@of_a_plan
def last_run_succeeded(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """The host's last attempt went well; older snapshots hide a failure until they are too old."""
    host = subject.facts.table("host")
    if not host.has("lastRunAgeSeconds"):
        place = host.where("lastRunAgeSeconds")
        yield Finding(place, "the host ran no backup", _NEVER, "a backup that went well", witness=_HOST)
    elif not host.flag("lastOk"):
        place = host.where("lastOk")
        yield Finding(place, "the last backup failed", "failed", "a backup that went well", witness=_HOST)


@of_a_plan
def size_has_not_collapsed(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """The newest snapshot is not far smaller than it used to be, as one of an empty folder is."""
    host = subject.facts.table("host")
    if not host.has("usualBytes"):
        yield NotApplicable("there are no earlier snapshots to compare with")
        return
    size, usual = host.whole("bytes"), host.whole("usualBytes")
    least = params.whole("min_percent")
    if size * 100 < usual * least:
        seen = f"{size} bytes, {size * 100 // usual} % of the usual {usual}"
        place, problem = host.where("bytes"), "the newest snapshot is far smaller than usual"
        yield Finding(place, problem, seen, f"at least {least} %", witness=_HOST)


@of_a_plan
def drill_is_recent(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """A snapshot of this plan and server was read back not long ago; a new plan has days for its first."""
    expected = f"a restore within {days(params.whole('max_age_days') * DAY)}"
    if not subject.facts.has("drill"):
        due = params.whole("first_within_days")
        if _first_backup_is_younger(subject.facts, due * DAY):
            yield NotApplicable(f"its first restore is due within {due} days of its first backup")
            return
        yield Finding("drill", "no restore was ever tried", _NEVER, expected)
        return
    drill = subject.facts.table("drill")
    if old := older_than(drill, params, "max_age_days"):
        yield Finding(drill.where("ageSeconds"), "the last restore is too long ago", old, expected)


def _first_backup_is_younger(facts: Facts, seconds: int) -> bool:
    """Whether the vault saw a first snapshot, not longer ago than that; one that was not asked saw none."""
    with suppress(UnknownFactError):
        vault = facts.table("vault") if facts.has("vault") else Facts({})
        return vault.has("firstSeenAgeSeconds") and vault.number("firstSeenAgeSeconds") < seconds
    return False


@of_a_plan
def drill_met_rto(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """The last restore took no longer than what was promised."""
    if not subject.facts.has("drill"):
        yield NotApplicable(_NO_DRILL)
        return
    drill, rto = subject.facts.table("drill"), subject.facts.whole("rtoSeconds")
    took = drill.number("measuredSeconds")
    if took > rto:
        place, problem = drill.where("measuredSeconds"), "the last restore took longer than the RTO"
        yield Finding(place, problem, f"{took:.0f} s", f"at most {rto} s")


@of_a_plan
def drill_compared_content(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """The last restore brought back what was saved: compared file by file or table by table, all equal."""
    if not subject.facts.has("drill"):
        yield NotApplicable(_NO_DRILL)
        return
    drill, least = subject.facts.table("drill"), params.whole("min_compared")
    if not drill.flag("ok"):
        yield Finding(drill.where("ok"), "the last restore failed", "failed", "a restore that went well")
    if (differ := drill.whole("different")) > 0:
        place, problem = drill.where("different"), "what came back differs from what was saved"
        yield Finding(place, problem, f"{differ} different", "none different")
    if (compared := drill.whole("compared")) < least:
        place, seen = drill.where("compared"), f"{compared} compared"
        yield Finding(place, "the last restore proved no content", seen, f"at least {least} compared")


@of_a_plan
def escrow_key_is_proven(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """The key that is kept apart from the control machine opened the repository not long ago."""
    expected = f"opened within {days(params.whole('max_age_days') * DAY)}"
    if not subject.facts.has("escrow"):
        problem = "no key that is kept elsewhere was ever tried"
        yield Finding("escrow", problem, _NEVER, expected)
        return
    escrow = subject.facts.table("escrow")
    if old := older_than(escrow, params, "max_age_days"):
        yield Finding(escrow.where("ageSeconds"), "the key was last tried too long ago", old, expected)


@of_a_plan
def retention_floor_holds(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """No snapshot younger than the floor is gone: the oldest one reaches back to it, or to the very first."""
    vault, floor = subject.facts.table("vault"), params.whole("min_floor_days") * DAY
    if not vault.has("firstSeenAgeSeconds"):
        yield NotApplicable(_NOTHING_KEPT)
        return
    first = vault.number("firstSeenAgeSeconds")
    oldest = vault.number("oldestAgeSeconds", 0)
    due = min(first, floor)
    if oldest < due - DAY:  # a day that began is not over
        place, problem = vault.where("oldestAgeSeconds"), "snapshots are gone before their time"
        yield Finding(place, problem, f"back to {days(oldest)}", f"back to {days(due)}")


@of_a_plan
def credentials_are_young(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """What opens the repository was changed not long ago."""
    credentials = subject.facts.table("credentials")
    if old := older_than(credentials, params, "max_age_days"):
        most = params.whole("max_age_days")
        place, problem = credentials.where("ageSeconds"), "the repository's credentials are too old"
        yield Finding(place, problem, f"made {old}", f"at most {days(most * DAY)} old")


@of_a_plan
def repository_is_checked(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """The repository's structure was read not long ago, and was whole."""
    expected = f"a check within {params.whole('max_age_days')} days"
    if not subject.facts.has("check"):
        yield Finding("check", "the repository was never checked", _NEVER, expected)
        return
    check = subject.facts.table("check")
    if not check.flag("ok"):
        yield Finding(check.where("ok"), "the last check found damage", "damaged", "whole")
    if old := older_than(check, params, "max_age_days"):
        yield Finding(check.where("ageSeconds"), "the last check is too long ago", old, expected)
