"""Versions are ordered as dpkg orders them, whatever they look like."""

from __future__ import annotations

import shutil
import subprocess
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.subjects.debian_version import later, ordered

ASCENDING = (
    *("0~~", "0~", "0", "0a", "0+", "1.0~rc1", "1.0", "1.0-1~deb12u1", "1.0-1", "1.0-1+deb12u1", "1.0-1.1"),
    *("1.0+dfsg-1", "1.0.1", "1.9", "1.10", "2.0a1", "2.0.a1", "1:0.1", "2:0"),
)
UPSTREAM = st.from_regex(r"[0-9][A-Za-z0-9.+~]{0,6}(-[A-Za-z0-9.+~]{1,4}){0,2}", fullmatch=True)
VERSION = st.builds(lambda epoch, rest: epoch + rest, st.sampled_from(["", "", "0:", "1:", "12:"]), UPSTREAM)
NEAR = st.sampled_from(["", "0", "00", "~", "~0", "+", "a", ".", ".0", "-0", "-1", "+b1", "~~a"])


def test_a_list_in_order() -> None:
    for first, second in pairwise(ASCENDING):
        assert later(second, first), (first, second)
        assert not later(first, second), (first, second)


@pytest.mark.parametrize(
    ("one", "other"), [("1.0", "0:1.0"), ("1.0", "1.0-0"), ("1.01", "1.1"), ("1.", "1.0")]
)
def test_what_dpkg_holds_for_the_same(one: str, other: str) -> None:
    assert ordered(one) == ordered(other)


@pytest.mark.parametrize("text", ["", "a:1", "1:", "1.0 2", "1.0\n", "1" * 301, "1.0é", ":1"])
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no Debian version"):
        ordered(text)


@pytest.mark.skipif(shutil.which("dpkg") is None, reason="needs dpkg to compare with")
@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(VERSION, VERSION, NEAR), min_size=20, max_size=20))
def test_every_pair_is_ordered_as_by_dpkg(triples: list[tuple[str, str, str]]) -> None:
    """Pairs that have nothing in common, and pairs that differ by an end; many pairs a shell, for speed."""
    pairs = [(one, other) for one, other, _ in triples] + [(one, one + end) for one, _, end in triples]
    script = 'while read -r a b; do dpkg --compare-versions "$a" gt "$b" 2>/dev/null; echo $?; done'
    text = "".join(f"{one} {other}\n" for one, other in pairs)
    done = subprocess.run(["sh", "-c", script], input=text, capture_output=True, text=True, check=True)
    told = [code == "0" for code in done.stdout.split()]
    assert told == [later(one, other) for one, other in pairs]
