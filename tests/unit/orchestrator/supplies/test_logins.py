"""Secrets that Steward makes: two logins that take turns, and a record that a stop leaves whole."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from orchestrator import redaction
from orchestrator.errors import InputError
from orchestrator.supplies.logins import LoginBook


def test_two_logins_take_turns(tmp_path: Path) -> None:
    book = LoginBook(tmp_path)
    first = book.current("shop_app")
    assert (first.name, book.stage("shop_app")) == ("shop_app", "resting")
    assert LoginBook(tmp_path).password("shop_app") == first.password
    coming = book.prepare("shop_app")
    assert book.prepare("shop_app") == coming
    assert coming.name == "shop_app_2"
    assert (book.stage("shop_app"), book.opened("shop_app")) == ("begun", [first, coming])
    book.promote("shop_app")
    assert (book.stage("shop_app"), book.opened("shop_app")) == ("switched", [coming, first])
    book.close("shop_app")
    assert (book.stage("shop_app"), book.opened("shop_app")) == ("closed", [coming])
    assert book.leaving("shop_app") == first
    book.forget("shop_app")
    assert (book.stage("shop_app"), book.leaving("shop_app")) == ("resting", None)
    third = book.prepare("shop_app")
    assert third.name == "shop_app"
    assert len({first.password, coming.password, third.password}) == 3


def test_steps_that_are_repeated_lose_nothing(tmp_path: Path) -> None:
    book = LoginBook(tmp_path)
    book.promote("shop_app")
    first = book.current("shop_app")
    book.prepare("shop_app")
    book.promote("shop_app")
    book.promote("shop_app")
    book.close("shop_app")
    book.close("shop_app")
    assert book.leaving("shop_app") == first


def test_passwords_are_for_their_owner_and_for_no_output(tmp_path: Path) -> None:
    book = LoginBook(tmp_path)
    password = book.prepare("shop_app").password
    (path,) = (tmp_path / "generated").iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert redaction.redacted(f"x {password} y {book.password('shop_app')}") == "x [redacted] y [redacted]"
    assert password not in repr(book.prepare("shop_app"))


def test_a_broken_record_is_told_and_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "generated" / "shop_app.json"
    path.parent.mkdir()
    path.write_text("{}")
    with pytest.raises(InputError, match="cannot be read"):
        LoginBook(tmp_path).password("shop_app")
    assert path.read_text() == "{}"
