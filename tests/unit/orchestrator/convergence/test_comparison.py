"""What differs on a host, in words, and each thing told once with all that follows from it."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.convergence.comparison import after_converge, items
from orchestrator.convergence.look import digest
from orchestrator.convergence.records import Expected, Seen, read_look
from orchestrator.errors import ToolError
from orchestrator.reporting.drift import DriftItem
from tests.fakes import NOON


def told(part: str, should: dict[str, str], now: dict[str, str], **more: Any) -> list[DriftItem]:
    return across({part: should}, {part: now}, **more)


def across(should: dict[str, dict[str, str]], now: dict[str, dict[str, str]], **more: Any) -> list[DriftItem]:
    expected = Expected(run="RUN1", at=NOON, look="x", parts=should)
    seen = Seen({name: digest(found) for name, found in now.items()}, now, **more)
    return items("web-1", expected, seen)


def brief(found: list[DriftItem]) -> list[tuple[str, str, str, str, str]]:
    return [(each.kind, each.name, each.how, each.expected, each.observed) for each in found]


@pytest.mark.parametrize(
    ("part", "key", "should", "now", "wanted"),
    [
        ("/etc", "/etc/x", "file 0644 0:0 10 aa", "file 0666 0:0 10 aa",
         ("file", "/etc/x", "change", "mode 0644", "mode 0666")),
        ("/etc", "/etc/x", "file 0644 0:0 10 aa", "file 0644 5:0 12 bb",
         ("file", "/etc/x", "change", "owner 0:0, content 10 bytes", "owner 5:0, content 12 bytes")),
        ("/etc", "/etc/x", "file 0644 0:0 10 aa", "file 0644 0:0 10 bb",
         ("file", "/etc/x", "change", "content as it was written", "content other content")),
        ("/etc", "/etc/x", "link 0:0 /a b", "link 0:0 /c",
         ("link", "/etc/x", "change", "target /a b", "target /c")),
        ("/etc", "/etc/x", "file 0644 0:0 10 aa", None,
         ("file", "/etc/x", "remove", "kind file, mode 0644, owner 0:0", "not there")),
        ("packages", "nginx", "1.22-1", "1.18-1", ("package", "nginx", "change", "1.22-1", "1.18-1")),
        ("packages", "nginx", "1.22-1", None, ("package", "nginx", "remove", "1.22-1", "not there")),
        ("units", "a.timer", "active, enabled", "failed, masked",
         ("unit", "a.timer", "change", "active, enabled", "failed, masked")),
        ("accounts", "user ana", "uid 1, gid 1 aa", "uid 1, gid 1 bb",
         ("user", "ana", "change", "password or its terms as they were", "password or its terms changed")),
        ("accounts", "user ana", None, "uid 1, gid 1 bb",
         ("user", "ana", "add", "not there", "uid 1, gid 1")),
        ("databases", "role ana", "login aa", "login super bb",
         ("role", "ana", "change", "login", "login super")),
        ("databases", "database shop", "shop", "postgres",
         ("database", "shop", "change", "shop", "postgres")),
        ("kernel", "net.ipv4.ip_forward", "0", "1",
         ("kernel setting", "net.ipv4.ip_forward", "change", "0", "1")),
        ("firewall", "table inet a chain b", "policy drop;\nport 80", "policy drop;\nport 80\nport 99",
         ("firewall", "table inet a chain b", "change", "no such rule", "port 99")),
        ("firewall", "table inet a chain b", "x\ny", "y\nx",
         ("firewall", "table inet a chain b", "change", "in another order", "in another order")),
    ],
)  # fmt: skip
def test_a_difference_in_words(part: str, key: str, should: Any, now: Any, wanted: tuple[str, ...]) -> None:
    found = told(part, {key: should} if should else {}, {key: now} if now else {})
    assert brief(found) == [wanted]


def test_a_unit_that_is_not_loaded_says_whether_it_starts_at_boot() -> None:
    (item,) = told("units", {"a.service": "active, enabled"}, {}, unit_files={"a.service": "disabled"})
    assert (item.how, item.observed) == ("change", "inactive, disabled")


def test_updates_of_the_machine_itself_are_no_drift() -> None:
    should, now = {"a": "1", "b": "1", "c": "1"}, {"a": "2", "b": "2"}
    found = told("packages", should, now, updated={"a": "2", "b": "3"})
    assert [each.name for each in found] == ["b", "c"]


def test_what_follows_is_told_with_what_it_follows_from() -> None:
    accounts = {"group people": "99 ana", "user ana": "uid 1 aa"}
    made = {
        "user mallory": "uid 2 aa",
        "group mallory": "2 ",
        "subuid mallory": "1 2",
        "group people": "99 ana,mallory",
    }
    link = "/etc/systemd/system/timers.target.wants/a.timer"
    found = across(
        {"accounts": accounts, "/home": {}, "/etc": {link: "link 0:0 x"},
         "units": {"a.timer": "active, enabled"},
         "firewall": {"table inet a": "loaded", "table inet a chain b": "x"}, "/usr/local": {}},
        {"accounts": {**accounts, **made},
         "/home": {"/home/mallory": "folder 0755 2:2", "/home/mallory/.x": "file 0644 2:2 1 a"},
         "/etc": {}, "units": {}, "firewall": {},
         "/usr/local": {"/usr/local/new": "folder 0755 0:0", "/usr/local/new/x": "file 0755 0:0 1 a"}},
        unit_files={"a.timer": "disabled"},
    )  # fmt: skip
    assert sorted((each.kind, each.name, len(each.also)) for each in found) == [
        ("firewall", "table inet a", 1),
        ("folder", "/usr/local/new", 1),
        ("unit", "a.timer", 1),
        ("user", "mallory", 5),
    ]


def test_an_account_made_by_hand_is_still_by_hand_when_a_role_sets_the_terms_of_its_password() -> None:
    old = Expected(run="R1", at=NOON, look="x", parts={"accounts": {"user root": "uid 0 aa"}})
    by_hand = {"accounts": {"user mallory": "uid 1001 bb", "user root": "uid 0 ee"}}
    left = {"user mallory": "uid 1001 cc", "user root": "uid 0 dd"}
    made = after_converge(old, by_hand, Seen({}, {"accounts": left}), "R2", NOON, "x")
    assert made.unhealed == {"accounts": ("user mallory",)}
    assert made.parts == {"accounts": {"user root": "uid 0 dd"}}, "the role put its own password back"


def test_two_users_do_not_take_each_others_home() -> None:
    found = across(
        {"accounts": {}, "/home": {}},
        {
            "accounts": {"user ana": "uid 1 a", "user anabel": "uid 2 a"},
            "/home": {"/home/ana": "folder 0 1:1", "/home/anabel": "folder 0 2:2", "/home/x": "folder 0 3:3"},
        },
    )
    assert {each.name: each.also for each in found} == {
        "ana": ("folder /home/ana",),
        "anabel": ("folder /home/anabel",),
        "/home/x": (),
    }


def test_a_part_with_too_many_entries_is_still_drift() -> None:
    expected = Expected(run="R", at=NOON, look="x", parts={}, unnamed={"/var/www": "one"})
    assert items("web-1", expected, Seen({"/var/www": "one"}, unnamed=("/var/www",))) == []
    (item,) = items("web-1", expected, Seen({"/var/www": "two"}, unnamed=("/var/www",)))
    assert (item.kind, item.name, item.how) == ("folder", "/var/www", "change")


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"parts": {"a": 3}}', '{"parts": {}, "entries": {"/etc": []}}',
     '{"parts": {}, "entries": {"/etc": {"x": ["v", "no number"]}}}',
     '{"parts": {}, "entries": {"/etc": {"x": 1}}}',
     '{"parts": {}, "updated": 7}', '{"parts": {"' + "x" * 5_000 + '": "a"}}', "9" * 5_000,
     "[" * 100_000, '{"parts": {}, "entries": {"/etc": {"x": ["v", Infinity]}}}'],
)  # fmt: skip
def test_a_host_that_answers_nonsense_is_an_error(text: str) -> None:
    with pytest.raises(ToolError, match="cannot be read"):
        read_look("web-1", text)


def test_a_name_that_is_no_utf8_is_written_with_escapes() -> None:
    seen = read_look(
        "web-1", '{"parts": {}, "entries": {"/etc": {"/etc/\\udcff": ["file 0644 0:0 1 a", 7]}}}'
    )
    assert list(seen.entries["/etc"]) == list(seen.changed) == ["/etc/\\xff"]
