"""What a plan's `keep` asks for, over a server and its predecessors."""

from __future__ import annotations

from datetime import timedelta

from orchestrator.backups.documents import Snapshot
from orchestrator.backups.retention import kept, with_keep
from stacks.fleet.backup import Keep
from tests.fakes import NOON
from tests.unit.orchestrator.samples import fleet

DAY = timedelta(days=1)


def test_the_newest_of_each_period_stays() -> None:
    found = [("old", NOON - 9 * DAY), ("early", NOON - DAY / 4), ("late", NOON), ("before", NOON - DAY)]
    assert kept(found, Keep(daily=2)) == {"late", "before"}
    assert kept(found, Keep(daily=1, monthly=1)) == {"late"}
    assert kept(found, Keep(weekly=2)) == {"late", "old"}


def test_each_incarnation_keeps_its_own_and_plans_that_are_gone_keep_all() -> None:
    rows = [
        Snapshot(id=f"{number:x}" * 64, time=NOON - number * DAY, plan="site", repository=repository)
        for repository, numbers in (("new", range(9)), ("old", (11, 12)))
        for number in numbers
    ]
    gone = Snapshot(id="f" * 64, time=NOON - 400 * DAY, plan="gone")
    found = with_keep([*rows, gone], fleet().backups)
    assert [each.id[0] for each in found if each.past_keep] == ["8", "7"]
    assert found[0].id == gone.id
