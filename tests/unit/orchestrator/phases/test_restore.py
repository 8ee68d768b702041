"""Whose snapshot a restore means."""

from __future__ import annotations

import pytest

from orchestrator.backups.documents import Snapshot
from orchestrator.backups.predecessors import Earlier, Predecessor
from orchestrator.errors import InputError
from orchestrator.phases.restore import RestoreRequest, choose, told_source
from tests.fakes import NOON
from tests.unit.orchestrator.samples import server

OLD = Predecessor("web-1", "0d" * 16, "vault", {})
EARLIER = [
    Earlier(OLD, Snapshot(id=each * 8, time=NOON, plan="site"), NOON) for each in ("aaaaaaaa", "aaaaaaab")
]


def request(snapshot: str) -> RestoreRequest:
    return RestoreRequest(server="web-1", plan="site", snapshot=snapshot, target=None, database=None, run="R")


@pytest.mark.parametrize(
    ("snapshot", "lost", "found"),
    [
        ("latest", True, 1),  # of a server that began empty nobody wants the latest
        ("latest", False, None),
        ("aaaaaaaa", False, 0),
        ("aaaaaaab", True, 1),
        ("aaaa", True, None),  # too short, as for hosts
        ("bbbbbbbb", True, None),
    ],
)
def test_the_predecessors_snapshot_is_meant(snapshot: str, lost: bool, found: int | None) -> None:
    assert choose(request(snapshot), EARLIER, lost=lost) == (None if found is None else EARLIER[found])


def test_one_id_that_begins_two_is_refused() -> None:
    twice = [Earlier(OLD, Snapshot(id="c" * 63 + end, time=NOON, plan="site"), NOON) for end in "12"]
    with pytest.raises(InputError, match="2 snapshots begin with 'cccccccc'"):
        choose(request("c" * 8), twice, lost=True)


def test_whose_it_is_is_said() -> None:
    assert told_source(None, server("web-1")) == "of web-1 itself"
    assert told_source(EARLIER[0], server("web-1")) == (
        "snapshot aaaaaaaa of a predecessor of web-1, arrived 2026-11-22 12:00:00 UTC"
    )
