"""What keeps data from being deleted, read or lost by mistake."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from policies.facts import Facts, shown
from policies.model import Finding, NotApplicable, Outcome, Subject, SubjectCheck
from policies.rules._spans import DAY, days

_DISPOSABLE = NotApplicable("declared disposable: bears no data")


def data_is_protected(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """What bears data carries the engine's protection against deletion."""
    if not subject.facts.flag("dataBearing"):
        yield _DISPOSABLE
    elif not subject.protect:
        yield Finding("opts.protect", "bears data and is not protected", "protect: false", "protect: true")


def encrypted_at_rest(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """Whatever keeps data keeps it encrypted."""
    if not subject.facts.has("encrypted"):
        yield NotApplicable("the provider registers nothing about encryption at rest")
    elif not subject.facts.flag("encrypted"):
        yield Finding("encrypted", "keeps its data in clear", "false", "true")


def bucket_is_versioned(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """A bucket that bears data keeps earlier versions of its objects."""
    if not subject.facts.flag("dataBearing"):
        yield _DISPOSABLE
    elif not subject.facts.flag("versioning"):
        yield Finding("versioning", "an overwritten object is lost", "false", "true")


def bucket_not_public(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """No setting can make an object of the bucket public."""
    if not subject.facts.has("publicAccessBlocked"):
        yield NotApplicable("the provider's buckets are reached by its servers alone")
    elif not subject.facts.flag("publicAccessBlocked"):
        place = subject.facts.where("publicAccessBlocked")
        yield Finding(place, "can be made public", "not blocked", "all public access blocked")


def vault_is_locked(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """Where backups lie nobody, not even the owner, removes them before their time."""
    if subject.type == "bucket" and not _keeps_backups(subject):
        yield NotApplicable("keeps no backups; the tag purpose does not say backup")
        return
    if not subject.facts.has("lockedDays"):
        yield NotApplicable("the provider knows no lock; the vault's own floor is judged by its records")
        return
    locked, least = subject.facts.whole("lockedDays"), params.whole("min_days")
    if locked < least:
        problem = f"backups may go after {days(locked * DAY)}"
        yield Finding("lockedDays", problem, str(locked), f"at least {least}")


def size_within_profile(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """A disk or database is no bigger than the profile allows without asking."""
    size, most = subject.facts.number("sizeGib"), params.number("max_size_gib")
    if size > most:
        yield Finding("sizeGib", f"takes {size:g} GiB", f"{size:g}", f"at most {most:g}")
    if size <= 0:
        yield Finding("sizeGib", "takes no room at all", f"{size:g}", "more than 0")


def volume_has_one_server(stack: Sequence[Subject]) -> SubjectCheck:
    """No two servers mount one volume: a plain file system does not survive two writers."""
    mounted: dict[str, list[str]] = defaultdict(list)
    for server in (item for item in stack if item.type == "server"):
        for urn in server.depends_on.get("volumes", ()):
            mounted[urn].append(server.name)

    def check(subject: Subject, _params: Facts) -> Iterator[Outcome]:
        servers = mounted[subject.urn]
        if len(servers) > 1:
            seen = ", ".join(shown(name) for name in servers[:5])
            yield Finding("name", f"is mounted by {len(servers)} servers", seen, "one server")
        subject.facts.text("name")  # a volume that nothing is known of is not known to be well

    return check


def database_not_public(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """A database that a vendor runs has no address on the internet."""
    if subject.facts.flag("publicAddress"):
        yield Finding("publicAddress", "has an address on the internet", "true", "false")


def database_keeps_backups(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """A database that a vendor runs keeps its own backups as long as the profile asks."""
    if not subject.facts.flag("dataBearing"):
        yield _DISPOSABLE
        return
    kept, least = subject.facts.whole("backupDays"), params.whole("min_days")
    if kept < least:
        problem = f"keeps its own backups for {days(kept * DAY)}"
        seen = days(kept * DAY) if kept else "none"
        yield Finding("backupDays", problem, seen, f"at least {days(least * DAY)}")


def key_rotates(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """A key that encrypts is renewed by itself, and its deletion can be taken back in time."""
    if not subject.facts.flag("rotates"):
        yield Finding("rotates", "is never renewed", "false", "true")
    window, least = subject.facts.whole("deletionWindowDays"), params.whole("min_window_days")
    if window < least:
        place = subject.facts.where("deletionWindowDays")
        yield Finding(
            place, f"is gone {days(window * DAY)} after a mistake", str(window), f"at least {least}"
        )


def not_emptied_on_delete(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """Deleting a bucket or vault fails while something is in it."""
    if not subject.facts.has("forceDestroy"):
        yield NotApplicable("the provider has no such switch")
    elif not subject.facts.flag("dataBearing"):
        yield _DISPOSABLE
    elif subject.facts.flag("forceDestroy"):
        yield Finding("forceDestroy", "is emptied when it is deleted", "true", "false")


def _keeps_backups(bucket: Subject) -> bool:
    tags = bucket.facts.table("tags") if bucket.facts.has("tags") else Facts({}, "tags")
    return tags.text_or_none("purpose") == "backup"
