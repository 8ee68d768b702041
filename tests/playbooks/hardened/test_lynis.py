"""An outside judge before and after the first converge of a host that an earlier converge left half done."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("hardened")]

PAGE = Path(__file__).parents[3] / "docs" / "hardening.md"
SUDOERS = ["README", "steward", "steward-defaults", "steward-people"]
AT_LEAST = 14  # points of Lynis' index
KERNELS_APART = 3  # points between the kernel that the page was written on and another


def documented() -> set[str]:
    """What the page explains: the first cell of a row, `TEST-ID` or `TEST-ID: detail`."""
    _, _, rest = PAGE.read_text().partition("## What Lynis still says")
    rows, _, _ = rest.partition("\n## ")
    return set(re.findall(r"^\| `([^`]+)` \|", rows, re.MULTILINE))


def names(found: list[list[str]]) -> set[str]:
    """A finding as the page names it; the detail counts where one test has several."""
    several = {test for test in (each[0] for each in found) if [each[0] for each in found].count(test) > 1}
    return {f"{test}: {_detail(text, detail)}" if test in several else test for test, text, detail in found}


def _detail(text: str, detail: str) -> str:
    if detail not in ("-", ""):
        return detail.split(" ", maxsplit=1)[0]
    quoted = re.search(r"'([a-z]+)'|place (/\w+)", text)
    return (quoted[1] or quoted[2]) if quoted else text


def test_the_index_rises_and_every_remaining_finding_has_its_reason_in_the_docs(
    before_and_after: Any,
) -> None:
    before, after = before_and_after

    assert after["index"] - before["index"] >= AT_LEAST, (before["index"], after["index"])
    assert after["warnings"] == []
    assert names(after["suggestions"]) - documented() == set()
    told = re.search(r"index (\d+) before, (\d+) after", PAGE.read_text())
    assert told is not None
    assert abs(int(told[1]) - before["index"]) <= KERNELS_APART
    assert abs(int(told[2]) - after["index"]) <= KERNELS_APART


def test_what_was_half_done_is_whole(place: Any, before_and_after: Any) -> None:
    host = place.hosts["half"]

    assert host.sudo("dpkg", "--audit").out == ""
    assert host.sudo("ls", "-A", "/etc/sudoers.d").out.split() == SUDOERS
    assert "steward_host" in host.sudo("nft", "list", "tables").out
    assert "permitrootlogin no" in host.sudo("sshd", "-T").out.splitlines()
    assert "audit" in host.sudo("cat", "/etc/steward/baseline.json").json["not_applicable"]


def test_it_stays_with_mitogen_and_with_pipelining(place: Any, before_and_after: Any) -> None:
    for mitogen in (True, False):
        assert place.converge("baseline", limit="half", mitogen=mitogen)["half"]["changed"] == 0


def test_no_file_is_open_to_all_and_none_without_an_owner(place: Any, before_and_after: Any) -> None:
    found = place.hosts["half"].root(
        "find / -xdev -type f -perm -0002; find / -xdev -type d -perm -0002 ! -perm -1000; "
        "find / -xdev -nouser -o -xdev -nogroup"
    )
    assert (found.code, found.out) == (0, "")


def test_a_weak_password_is_refused_and_a_strong_one_is_not(place: Any, before_and_after: Any) -> None:
    script = "useradd probe; printf '%s\\n%s\\n' {0} {0} | passwd probe; echo $?; userdel probe"
    weak = place.hosts["half"].root(script.format("Summer2026"))
    strong = place.hosts["half"].root(script.format("Qx7-lantern-Vowel-93"))

    assert (weak.out.split()[-1] != "0", strong.out.split()[-1]) == (True, "0"), (weak, strong)
