"""How long a run will still take, by what earlier ones took."""

from __future__ import annotations

from orchestrator.progress import EarlierRun, expected_tasks, seconds_left

MADE = EarlierRun([("plan", 2.0), ("provision", 10.0), ("configure", 40.0), ("verify", 1.0)], {"web-1": 41})
IDLE = EarlierRun([("plan", 2.0), ("configure", 0.5), ("verify", 1.0)])


def test_nothing_is_guessed_without_an_earlier_run() -> None:
    assert seconds_left([], [], "plan", 0.0) is None
    assert seconds_left([IDLE], ["plan"], "provision", 0.0) is None


def test_the_step_at_work_counts_what_is_left_of_it_and_those_after_it_whole() -> None:
    assert seconds_left([MADE], ["plan", "provision"], "configure", 15.0) == 26.0


def test_a_step_that_takes_longer_than_ever_leaves_only_the_rest() -> None:
    assert seconds_left([MADE], ["plan", "provision"], "configure", 400.0) == 1.0


def test_runs_that_went_the_same_way_tell_more_than_others() -> None:
    assert seconds_left([IDLE, MADE], ["plan", "provision"], "configure", 0.0) == 41.0
    assert seconds_left([IDLE, MADE], ["plan"], "configure", 0.0) == 1.5


def test_before_ways_part_the_median_of_all_counts() -> None:
    assert seconds_left([IDLE, MADE], [], "plan", 0.0) == (3.5 + 53.0) / 2


def test_the_count_of_tasks_is_that_of_the_newest_converge() -> None:
    assert expected_tasks([IDLE, MADE], "web-1") == 41
    assert expected_tasks([IDLE], "web-1") is None
