"""Whose name is whose: nobody approves for themselves by another spelling."""

from __future__ import annotations

from pathlib import Path

import pytest

from policies.model import PackError
from policies.people import plain_person, same_person
from policies.signers import WAIVERS, read_signers
from policies.waivers import parse_waivers
from tests.policies.references import WAIVER
from tests.policies.test_signers import KEY

ANN = "ann@acme.example"


@pytest.mark.parametrize(
    "other",
    [
        "ANN@Acme.Example", " ann@acme.example ", "\u0430nn@acme.example", "ann\u200b@acme.example",
        "\uff41nn@acme.example", "mailto:ann@acme.example", "ann+x@acme.example", "ann", "Ann", "\u0391NN",
        "ann@acme.\u0435xample",
    ],
)  # fmt: skip
def test_a_person_stays_one_under_another_spelling(other: str) -> None:
    assert same_person(ANN, other)
    assert same_person(other, ANN)


@pytest.mark.parametrize(
    ("one", "other"),
    [(ANN, "bob@acme.example"), (ANN, "ann@other.example"), ("web", "web team"), ("a+b", "a")],
)
def test_two_people_are_two(one: str, other: str) -> None:
    assert not same_person(one, other)


def test_a_name_of_another_script_has_its_capitals_too() -> None:
    assert same_person("\u0412\u0430\u0441\u044f", "\u0432\u0430\u0441\u044f")


@pytest.mark.parametrize(
    "name",
    [
        ANN, "ann.o-neil_2+x@ops.acme.example", "platform security", "Ops & Backups", "Zo\xeb's team",
        "\u0418\u0432\u0430\u043d\u043e\u0432", "\u904b\u7528\u30c1\u30fc\u30e0", "24/7 desk",
    ],
)  # fmt: skip
def test_an_address_or_a_name_in_one_script_is_plain(name: str) -> None:
    assert plain_person(name, "x") == name


@pytest.mark.parametrize(
    "name",
    [
        "Ann Smith <ann@acme.example>", "mailto:ann@acme.example", "\u0430nn@acme.example", "\u0430nn",
        "ann@acme.example, bob@acme.example", "ann\u200d", "a\u0332nn", "\uff41nn", "ann  smith", "@ann",
        "-", "", "ann\tsmith", "ann\u0661", "x" * 201,
    ],
)  # fmt: skip
def test_anything_else_is_refused_by_place(name: str) -> None:
    with pytest.raises(PackError, match=r"^x: expected "):
        plain_person(name, "x")


@pytest.mark.parametrize("field", ["owner", "approver"])
def test_a_waiver_names_plain_people(field: str) -> None:
    who = {"owner": ANN, "approver": "bob@acme.example"}[field]
    text = WAIVER.replace(f"{field}: {who}", f"{field}: 'Ann Smith <{who}>'")
    with pytest.raises(PackError, match=rf"^waivers/W-1.yaml.{field}: expected one address"):
        parse_waivers([("W-1.yaml", text.encode())])


def test_the_owners_keys_are_found_however_the_owner_is_written(tmp_path: Path) -> None:
    (tmp_path / "allowed_signers").write_text(f'{ANN} namespaces="{WAIVERS}" {KEY}\n')
    signers = read_signers(tmp_path)
    assert signers.keys_of("ann+waivers@acme.example") == (signers.each[0].key,)
    (tmp_path / "allowed_signers").write_text(f'\u0430nn@acme.example namespaces="{WAIVERS}" {KEY}\n')
    with pytest.raises(PackError, match=r"^allowed_signers:1: expected one address"):
        read_signers(tmp_path)
