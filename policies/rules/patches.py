"""How old the software is: pending fixes, known vulnerabilities, and whether upgrades come by themselves."""

from __future__ import annotations

from collections.abc import Iterator

from policies.facts import Facts, shown
from policies.model import Finding, Gap, Outcome, Subject, each
from policies.rules._hosts import first, rows, texts
from policies.rules._spans import DAY, days


def security_updates_in_time(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """No fix for security waits longer than the profile allows."""
    most, lists = params.number("max_days"), subject.facts.table("lists")
    yield from _lists_tell(lists, params)

    def judge(row: Facts) -> Iterator[Outcome]:
        if not row.flag("security"):
            return
        place, what = row.where("candidate"), f"{shown(row.text('package'))} waits for a fix"
        expected = f"{shown(row.text('candidate'))} within {days(most * DAY)}"
        # Where every wait is too long, nobody need know since when.
        if most == 0 or row.number("age_days") > most:
            yield Finding(place, what, shown(row.text("installed")), expected)

    yield from first(each(rows(subject.facts, "pending"), judge))


def held_without_fix(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """No package is held back from a fix for security."""
    yield from _lists_tell(subject.facts.table("lists"), params)

    def judge(row: Facts) -> Iterator[Outcome]:
        if row.flag("held") and row.flag("security"):
            yield Finding(row.where("held"), f"{shown(row.text('package'))} is held and has a fix",
                          shown(row.text("installed")), shown(row.text("candidate")))  # fmt: skip

    yield from each(rows(subject.facts, "pending"), judge)


def no_fixable_vulnerability(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """No installed version has a known vulnerability for which there is a fix."""
    yield from first(_known(subject, params, fixed=True))


def no_open_vulnerability(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """No installed version has a known vulnerability that nobody has fixed yet."""
    yield from first(_known(subject, params, fixed=False))


def lists_fresh(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """The host knows what can be upgraded: its lists are new, valid, and have the security archive's."""
    lists, most = subject.facts.table("lists"), params.number("max_days")
    if not lists.flag("security"):
        place = lists.where("security")
        yield Finding(place, "no list of the security archive", "none", "the archive of Debian security")
    for row in rows(lists, "lists"):
        late = row.number("days_past_valid")
        if late > 0:
            yield Finding(row.where("days_past_valid"), f"{shown(row.text('file'))} is no longer valid",
                          f"{late:.1f} days past", "a list that its archive still stands for")  # fmt: skip
    if lists.number("age_days") > most:
        age = lists.number("age_days")
        yield Finding(
            lists.where("age_days"), "the lists are old", f"{age:.1f} days", f"{days(most * DAY)} or less"
        )


def reboot_in_time(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """No upgrade waits for a reboot longer than the profile allows."""
    reboot, most = subject.facts.table("reboot"), params.number("max_days")
    if reboot.flag("required") and reboot.number("age_days") > most:
        who = shown(", ".join(reboot.texts("packages")) or "an upgrade")
        seen = f"{reboot.number('age_days'):.1f} days"
        yield Finding(
            reboot.where("required"), f"{who} waits for a reboot", seen, f"{days(most * DAY)} or less"
        )


def automatic_upgrades(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """Fixes for security come by themselves, every day."""
    daily = subject.facts.table("automatic_upgrades")
    if not daily.flag("installed"):
        yield Finding(daily.where("installed"), "nothing upgrades by itself", "absent", "unattended-upgrades")
        return
    for key in ("update_lists", "upgrade"):
        if daily.text(key) in ("", "0"):
            yield Finding(daily.where(key), "the daily work of apt is off", daily.text(key) or "unset", "1")
    words = params.texts("security_words")
    if not any(word in origin for origin in texts(daily, "origins") for word in words):
        seen = shown(", ".join(texts(daily, "origins")) or "none")
        yield Finding(daily.where("origins"), "fixes for security are left out", seen, " or ".join(words))
    timers = subject.facts.table("units")
    for timer in ("apt-daily.timer", "apt-daily-upgrade.timer"):
        if timer not in texts(timers, "timers"):
            yield Finding(timers.where("timers"), f"{timer} does not run", "inactive", "active")


def release_supported(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """The release gets fixes for security still."""
    release = subject.facts.table("release")
    name = f"{release.text('id')} {release.text('version_id')}"
    if name not in params.texts("releases"):
        expected = " or ".join(params.texts("releases"))
        yield Finding(release.where("version_id"), "a release without support", shown(name), expected)


def packages_whole(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """No package is half installed: its fix would not be complete either."""

    def judge(row: Facts) -> Iterator[Outcome]:
        if row.text("state") != "installed":
            what = f"{shown(row.text('name'))} is not whole"
            yield Finding(row.where("state"), what, shown(row.text("state")), "installed")

    yield from first(each(rows(subject.facts, "packages"), judge))


def _lists_tell(lists: Facts, params: Facts) -> Iterator[Outcome]:
    """Old lists, or none of the security archive, cannot say that nothing is pending."""
    if not lists.flag("security"):
        yield Gap(lists.where("security"), reason="the host has no list of the security archive")
    if lists.number("age_days") > params.number("max_lists_days"):
        yield Gap(lists.where("age_days"), reason=f"the lists are {lists.number('age_days'):.0f} days old")


def _known(subject: Subject, params: Facts, *, fixed: bool) -> Iterator[Outcome]:
    vulnerable, most = subject.facts.table("vulnerable"), params.number("max_feed_days")
    ratings = params.texts("severities")

    def judge(row: Facts) -> Iterator[Outcome]:
        if row.text("severity") in ratings and bool(row.text("fixed_version")) is fixed:
            what = f"{shown(row.text('source'))} has {shown(row.text('id'))} ({row.text('severity')})"
            wanted = shown(row.text("fixed_version")) if fixed else "a version without it, or not installed"
            yield Finding(row.where("id"), what, shown(row.text("installed")), wanted)

    yield from each(rows(vulnerable, "found"), judge)
    if vulnerable.number("age_days") > most:
        age = vulnerable.number("age_days")
        yield Gap(vulnerable.where("age_days"), reason=f"the vulnerability feed is {age:.0f} days old")
