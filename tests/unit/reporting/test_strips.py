"""The backup calendar as it is drawn and told."""

from __future__ import annotations

from orchestrator.reporting.strips import MOST_STRIPS, strips
from orchestrator.reporting.tone import Tone
from tests.unit.reporting import sample
from tests.unit.reporting.parts import history


def test_a_gap_is_told_by_shape_word_and_day_and_comes_first() -> None:
    report = sample.demo(calendar=(history("web-1", "site"), history("db-1", "databases", gap=20)))
    drawn = strips(report)
    assert drawn is not None
    assert [strip.server for strip in drawn.strips] == ["db-1", "web-1"]
    gap = drawn.strips[0]
    assert (gap.tone, gap.days[20].tone, gap.days[20].count) == (Tone.BAD, Tone.BAD, "0")
    assert gap.words == "1 day outside RPO (Nov 15), newest up to 2d old; 456 arrived, 480 planned"
    assert drawn.strips[1].words == "inside RPO on all 20 days known; 20 arrived, 20 planned"


def test_days_before_the_first_arrival_are_neither_good_nor_bad() -> None:
    drawn = strips(sample.demo(calendar=(history("web-1", "site", known=0),)))
    assert drawn is not None
    assert {day.tone for day in drawn.strips[0].days} == {Tone.UNKNOWN}
    assert (drawn.strips[0].tone, drawn.strips[0].words) == (Tone.UNKNOWN, "nothing arrived yet")


def test_of_many_servers_the_first_are_drawn_and_those_with_gaps_before_them() -> None:
    drawn = strips(sample.thousand())
    assert drawn is not None
    assert (len(drawn.strips), drawn.left_out) == (MOST_STRIPS, 1000 - MOST_STRIPS)
    assert [strip.tone for strip in drawn.strips[:11]] == [Tone.BAD] * 10 + [Tone.GOOD]


def test_no_day_is_known_no_calendar_is_drawn() -> None:
    assert strips(sample.demo(calendar=())) is None
