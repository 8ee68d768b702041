"""Whether backups are planned well enough: coverage, an independent vault, RPO, retention, safe copies."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet

from policies.facts import Facts, MalformedFactError, UnknownFactError, shown
from policies.model import Finding, Gap, NotApplicable, Outcome, Subject, SubjectCheck, each
from policies.rules._records import of_a_plan
from policies.rules._spans import DAY, HOUR, days, hours

_VAULT_ROLE = "backup_vault"
_VAULT_REASON = "a backup vault: its volume holds the repositories of other fleets"
_PERIODS = {"hourly": HOUR, "daily": DAY, "weekly": 7 * DAY, "monthly": 30 * DAY, "yearly": 365 * DAY}
"""Seconds that one kept snapshot of each period reaches back."""


def data_is_covered(stack: Sequence[Subject]) -> SubjectCheck:
    """Each data volume is mounted by a server, and named by a plan that covers that server."""
    covered, gaps = _covered(stack)
    mounts = _Mounts(stack)

    def check(subject: Subject, _params: Facts) -> Iterator[Outcome]:
        if subject.type == "server":
            yield from _server_is_covered(subject, covered, gaps)
        else:
            yield from _volume_is_mounted(subject, mounts)

    return check


def _server_is_covered(
    server: Subject, covered: AbstractSet[tuple[str, str]], gaps: Sequence[Outcome]
) -> Iterator[Outcome]:
    bearing = [row for row in server.facts.rows("volumes") if row.flag("dataBearing")]
    if not bearing:
        yield NotApplicable("mounts no volume that bears data")
        return
    if _is_vault(server):
        yield NotApplicable(_VAULT_REASON)
        return
    name = server.facts.text("name")

    def judge(row: Facts) -> Iterator[Outcome]:
        volume = row.text("name")
        if (name, volume) in covered:
            return
        if gaps:
            yield from gaps
            return
        yield Finding(
            row.path,
            f"the data volume {shown(volume)} is in no backup plan",
            "no plan covers it",
            f"a backup plan that covers {shown(name)}/{shown(volume)}",
        )

    yield from each(bearing, judge)


def _volume_is_mounted(volume: Subject, mounts: _Mounts) -> Iterator[Outcome]:
    if not volume.facts.flag("dataBearing"):
        yield NotApplicable("declared disposable: bears no data")
        return
    servers = mounts.servers_of(volume)
    if not servers:
        yield Finding(
            "dataBearing",
            "bears data and no server mounts it, so no plan can reach it",
            "no server",
            "a server",
        )
        return
    if all(_is_vault(server) for server in servers):
        yield NotApplicable(_VAULT_REASON)
        return
    for server in servers:
        # A server that lists fewer data volumes than it mounts would hide one of them from its own check.
        mounted = mounts.bearing_of(server)
        listed = sum(row.flag("dataBearing") for row in server.facts.rows("volumes"))
        if listed < mounted:
            yield Finding(
                "dataBearing",
                f"{shown(server.name)} mounts {mounted} data volumes and declares {listed}",
                f"{listed} declared",
                f"{mounted} declared",
            )


class _Mounts:
    """Who mounts what, by the engine's record of what feeds what: ids are not known at preview."""

    def __init__(self, stack: Sequence[Subject]) -> None:
        self._servers: dict[str, list[Subject]] = defaultdict(list)
        self._bearing = {item.urn for item in stack if item.type == "volume" and _bears_data(item)}
        for server in stack:
            if server.type == "server":
                for volume in server.depends_on.get("volumes", ()):
                    self._servers[volume].append(server)

    def servers_of(self, volume: Subject) -> Sequence[Subject]:
        """The servers that one of the volume's outputs feeds."""
        return self._servers.get(volume.urn, ())

    def bearing_of(self, server: Subject) -> int:
        """How many volumes that bear data feed the server."""
        return len(self._bearing.intersection(server.depends_on.get("volumes", ())))


def _bears_data(volume: Subject) -> bool:
    """Whether it says so plainly; one that does not is refused by its own checks."""
    try:
        return volume.facts.flag("dataBearing")
    except (UnknownFactError, MalformedFactError):
        return False


def _is_vault(server: Subject) -> bool:
    """Whether it is a vault and nothing else: no database becomes exempt by taking the role too."""
    return {role.replace("-", "_") for role in server.facts.texts("roles")} == {_VAULT_ROLE}


def _covered(stack: Sequence[Subject]) -> tuple[AbstractSet[tuple[str, str]], Sequence[Outcome]]:
    """The (server, volume) pairs that plans name, and the places where a plan does not say yet."""
    pairs: set[tuple[str, str]] = set()
    gaps: list[Outcome] = []
    for plan in stack:
        if plan.type != "backup_plan":
            continue
        try:
            for row in plan.facts.rows("covers"):
                pairs.add((row.text("server"), row.text("volume")))
        except UnknownFactError as gap:
            gaps.append(Gap(f"{shown(plan.name)}: {gap.path}", gap.settled_at_up, gap.reason))
    return pairs, gaps


def vault_is_elsewhere(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """A plan's repository is in another stack, as a fleet's end must not be its backups' end."""
    repository = subject.facts.table("repository")
    expected = "the vault of another stack"
    stack = repository.text_or_none("stack")
    if not stack:
        server = repository.text_or_none("server")
        seen = f"server {shown(server)} of this fleet" if server else "no stack"
        yield Finding(repository.where("stack"), f"the repository is in {seen}", seen, expected)
    # organization/project/stack and stack are two spellings of one name.
    elif stack.rsplit("/", 1)[-1] == subject.stack:
        yield Finding(
            repository.where("stack"),
            f"the vault is in the fleet it protects ({shown(stack)})",
            stack,
            expected,
        )


def rpo_within_profile(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """The promised RPO is short enough for the profile, and long enough for the schedule to keep."""
    most = params.whole("max_rpo_seconds")
    rpo, gap = subject.facts.whole("rpoSeconds"), subject.facts.whole("longestGapSeconds")
    place = subject.facts.where("rpoSeconds")
    if rpo > most:
        yield Finding(place, f"RPO of {hours(rpo)} is too long", hours(rpo), f"at most {hours(most)}")
    if rpo < gap:
        yield Finding(
            place,
            f"RPO of {hours(rpo)} is shorter than the schedule's longest gap of {hours(gap)}",
            hours(rpo),
            f"at least {hours(gap)}, or a schedule that runs more often",
        )


def keep_within_profile(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """Retention keeps at least as many daily and weekly snapshots as the profile asks for."""
    keep = subject.facts.table("keep")
    for name in ("daily", "weekly"):
        least, kept = params.whole(f"min_{name}"), keep.whole(name, 0)
        if kept < least:
            yield Finding(keep.where(name), f"keeps {kept} {name} snapshots", str(kept), f"at least {least}")


def server_in_plan(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """A server that bears data has a plan; each plan of a server has a record of its own."""
    if subject.facts.text_or_none("plan"):
        return
    if subject.facts.flag("bearsData"):
        yield Finding("plan", "bears data and is in no backup plan", "no plan", "a backup plan")
    else:
        yield NotApplicable("bears no data")


@of_a_plan
def frequency_is_enough(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """The schedule's longest gap is short enough for the profile, whatever RPO the plan promises."""
    gap, most = subject.facts.whole("longestGapSeconds"), params.whole("max_gap_seconds")
    if gap > most:
        problem = f"up to {hours(gap)} pass between two backups"
        yield Finding("longestGapSeconds", problem, hours(gap), f"at most {hours(most)}")


@of_a_plan
def retention_is_enough(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """The snapshots that a plan keeps reach back far enough."""
    keep, least = subject.facts.table("keep"), params.whole("min_retention_days") * DAY
    reach = max(keep.whole(period, 0) * seconds for period, seconds in _PERIODS.items())
    if reach < least:
        yield Finding("keep", f"reaches back {days(reach)}", days(reach), f"at least {days(least)}")


@of_a_plan
def deletion_is_prevented(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """Whoever holds the server's credentials can add snapshots and remove none."""
    repository = subject.facts.table("repository")
    if repository.flag("appendOnly"):
        return
    if repository.has("immutableSeconds") and repository.number("immutableSeconds") > 0:
        return
    place, expected = repository.where("appendOnly"), "an append-only or immutable repository"
    yield Finding(place, "whoever takes over the server can delete its backups", "deletion allowed", expected)


@of_a_plan
def copy_is_encrypted(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """What lies in the vault is unreadable to the vault."""
    repository = subject.facts.table("repository")
    if not repository.flag("encrypted"):
        place = repository.where("encrypted")
        yield Finding(place, "the vault can read the backups", "not encrypted", "encrypted before it is sent")


@of_a_plan
def copy_in_another_stack(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """The copy lies in another stack, by what was found and not by what the plan says."""
    repository = subject.facts.table("repository")
    stack = repository.text_or_none("stack") or "none"
    if stack == "none" or stack.rsplit("/", 1)[-1] == subject.stack:
        place = repository.where("stack")
        yield Finding(place, "the copy ends with the fleet it is of", stack, "the vault of another stack")


@of_a_plan
def copy_in_another_region(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """The copy lies in another region than the server, as a fire does not stop at a rack."""
    repository, region = subject.facts.table("repository"), subject.facts.text("region")
    where = repository.text("region")
    if where == region:
        place, problem = repository.where("region"), "server and copy are in one region"
        yield Finding(place, problem, where, f"a region other than {shown(region)}")
