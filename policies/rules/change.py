"""What a change would destroy or weaken, read from the facts before and after."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from policies.facts import Facts, UnknownFactError, shown
from policies.model import Finding, Gap, NotApplicable, Outcome, Subject, SubjectCheck
from policies.rules._steps import LOSING, before_and_after, lost, op, turned_off

_NOT_COUNTED = ("grouping", "provider", "part", "unrecognised", "fleet")
"""What is no thing of its own, and so does not count among what a stack loses."""
_HOUR = 3600


def data_not_deleted(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """Nothing that bears data is deleted."""
    if subject.facts.flag("bearsData"):
        what = subject.facts.text("type")
        yield Finding("op", f"deletes a {what} that bears data", "delete", f"the {what} stays")


def data_not_replaced(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """Nothing that bears data is replaced by an empty one."""
    if subject.facts.flag("bearsData"):
        why = ", ".join(subject.facts.texts("replaceReasons")) or "for a reason that nobody told"
        what = subject.facts.text("type")
        yield Finding(
            "op", f"replaces a {what} that bears data ({shown(why)})", "replace", "a change in place"
        )


def backup_plan_stays(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """No backup plan goes, or loses the id that its receipts carry."""
    yield from lost(subject)


def identity_stays(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """No id goes: receipts, credentials and evidence carry it."""
    yield from lost(subject)


def key_stays(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """No key goes that other resources are encrypted by."""
    yield from lost(subject)


def protection_stays(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """No change lifts the protection that it would run into."""
    if not subject.facts.flag("protectBefore"):
        yield NotApplicable("was not protected before")
    elif op(subject) in LOSING:
        yield Finding("op", f"{op(subject)}s what is protected", "protected", "the resource stays")
    elif not subject.facts.flag("protectAfter"):
        yield Finding("protectAfter", "loses its protection", "true, then false", "true")


def retention_not_lowered(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """A plan keeps as many snapshots as before, and a database its own backups as long."""
    old, new = before_and_after(subject)
    if subject.facts.text("type") == "backup_plan":
        before, after = old.table("keep"), new.table("keep")
        for name in ("hourly", "daily", "weekly", "monthly", "yearly"):
            yield from _less(before, after, name, f"keeps fewer {name} snapshots")
    else:
        yield from _less(old, new, "backupDays", "keeps its own backups for fewer days")


def rpo_not_raised(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """A plan promises to lose no more work than before."""
    old, new = before_and_after(subject)
    before, after = old.whole("rpoSeconds"), new.whole("rpoSeconds")
    if after > before:
        seen = f"{before / _HOUR:g} h, then {after / _HOUR:g} h"
        yield Finding(
            new.where("rpoSeconds"), "may lose more work than before", seen, f"{before / _HOUR:g} h"
        )


def coverage_not_narrowed(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """A plan covers each volume that it covered before."""
    old, new = before_and_after(subject)
    still = {(row.text("server"), row.text("volume")) for row in new.rows("covers")}
    for row in old.rows("covers"):
        pair = (row.text("server"), row.text("volume"))
        if pair not in still:
            seen = shown("/".join(pair))
            yield Finding(new.where("covers"), f"covers {seen} no longer", "left out", seen)


def encryption_stays(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """What is encrypted stays encrypted."""
    old, new = before_and_after(subject)
    key = "diskEncrypted" if subject.facts.text("type") == "server" else "encrypted"
    yield from turned_off(key, "is encrypted no longer", old, new)


def versioning_stays(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """A bucket that keeps earlier versions goes on keeping them."""
    old, new = before_and_after(subject)
    yield from turned_off("versioning", "keeps earlier versions no longer", old, new)


def public_block_stays(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """A bucket that could not be made public still cannot."""
    old, new = before_and_after(subject)
    yield from turned_off("publicAccessBlocked", "can be made public from now on", old, new)


def size_not_shrunk(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """No disk gets smaller: what no longer fits is gone."""
    old, new = before_and_after(subject)
    before, after = old.number("sizeGib"), new.number("sizeGib")
    if after < before:
        seen = f"{before:g}, then {after:g} GiB"
        yield Finding(new.where("sizeGib"), "gets smaller", seen, f"at least {before:g} GiB")


def network_stays(stack: Sequence[Subject]) -> SubjectCheck:
    """No network goes or gets another range while servers live in the stack."""
    living = sum(
        1 for step in stack if _type(step) == "server" and _op(step) in ("same", "update", "replace")
    )

    def check(subject: Subject, _params: Facts) -> Iterator[Outcome]:
        if not living:
            yield NotApplicable("no server lives in this stack")
        elif op(subject) in LOSING:
            what = f"{op(subject)}s the network of {_servers(living)}"
            yield Finding("op", what, op(subject), "the network stays")
        elif subject.facts.has("old") and subject.facts.has("new"):
            before, after = (subject.facts.table(side).text("cidr") for side in ("old", "new"))
            if before != after:
                yield Finding(
                    "new.cidr", f"gives {_servers(living)} another range", f"{before}, then {after}", before
                )

    return check


def firewall_stays(stack: Sequence[Subject]) -> SubjectCheck:
    """No firewall goes while a server lives behind it."""
    going = {step.name for step in stack if _type(step) == "server" and _op(step) == "delete"}

    def check(subject: Subject, _params: Facts) -> Iterator[Outcome]:
        left = [name for name in subject.facts.texts("servers") if name not in going]
        if left:
            names = ", ".join(shown(name) for name in left[:5])
            yield Finding("op", f"leaves {names} without this firewall", "delete", "the firewall stays")

    return check


def few_deletes(stack: Sequence[Subject]) -> SubjectCheck:
    """A change deletes no more than a part of the stack."""
    there = [
        step for step in stack if _type(step) not in _NOT_COUNTED and _op(step) not in ("create", "read")
    ]
    gone = [step for step in there if _op(step) in ("delete", "")]

    def check(subject: Subject, params: Facts) -> Iterator[Outcome]:
        if subject.facts.text("type") in _NOT_COUNTED:
            yield NotApplicable("deletes nothing that counts")
            return
        most, least = params.whole("max_percent"), params.whole("max_always_allowed")
        if len(gone) > least and len(gone) * 100 > most * len(there):
            seen = f"{len(gone)} of {len(there)}"
            yield Finding("op", f"is one of {seen} resources to go at once", seen, f"at most {most} %")

    return check


def few_servers_replaced(stack: Sequence[Subject]) -> SubjectCheck:
    """A change replaces only as many servers at once as the profile allows."""
    replaced = sum(1 for step in stack if _type(step) == "server" and _op(step) == "replace")

    def check(_subject: Subject, params: Facts) -> Iterator[Outcome]:
        most = params.whole("max_servers")
        if replaced > most:
            what = f"is one of {replaced} servers that are replaced at once"
            yield Finding("op", what, str(replaced), f"at most {most}")

    return check


def last_server_stays(stack: Sequence[Subject]) -> SubjectCheck:
    """A group does not lose its last server."""
    left: Counter[str] = Counter()
    gaps: list[Gap] = []
    for step in stack:
        if _type(step) == "server" and _op(step) != "delete":
            try:
                left[step.facts.table("new").text_or_none("group") or ""] += 1
            except UnknownFactError as gap:
                gaps.append(Gap(f"{shown(step.name)}: {gap.path}", gap.settled_at_up, gap.reason))

    def check(subject: Subject, _params: Facts) -> Iterator[Outcome]:
        if op(subject) != "delete":
            yield NotApplicable("deletes no server")
            return
        group = subject.facts.table("old").text_or_none("group") or ""
        if left[group]:
            return
        yield from gaps
        if not gaps:
            yield Finding("op", f"leaves the group {shown(group)} without a server", "0 left", "at least 1")

    return check


def _less(old: Facts, new: Facts, key: str, problem: str) -> Iterator[Outcome]:
    before, after = old.whole(key, 0), new.whole(key, 0)
    if after < before:
        yield Finding(new.where(key), problem, f"{before}, then {after}", f"at least {before}")


def _servers(count: int) -> str:
    return f"{count} server" if count == 1 else f"{count} servers"


def _type(step: Subject) -> str:
    return _known(step, "type")


def _op(step: Subject) -> str:
    return _known(step, "op")


def _known(step: Subject, key: str) -> str:
    """A text of another step, or nothing where it is not known: its own check says that it is not."""
    try:
        return step.facts.text_or_none(key) or ""
    except UnknownFactError:
        return ""
