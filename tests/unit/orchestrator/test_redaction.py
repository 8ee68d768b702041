"""Secrets leave in no form that a program gives them."""

from __future__ import annotations

import base64
import html
import io
import json
import shlex
from time import process_time
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator import redaction
from orchestrator.redaction import HIDDEN, forms, guarded, know, redacted, redacted_values

SECRET = "S3cr3t 'with\" <all> & \\ kinds/of+marks=%42 é"
LINES = ("MC4CAQAwBQYDK2VwBCIEIGxnaG9yaXpvbnRhbGx5", "c2Vjb25kbGluZW9mdGhla2V5")
KEY = "\n".join(["-----BEGIN PRIVATE KEY-----", *LINES, "-----END PRIVATE KEY-----", ""])


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "_known", redaction._Known())


@pytest.mark.parametrize(
    "written",
    [
        SECRET,
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        shlex.quote(SECRET),
        json.dumps(SECRET),
        json.dumps(SECRET, ensure_ascii=False),
        html.escape(SECRET),
        repr(SECRET),
        SECRET.encode().hex(),
        base64.b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(SECRET.encode()).decode(),
        base64.b64encode(f"user:{SECRET}".encode()).decode(),
        base64.b64encode(f"u:{SECRET}".encode()).decode(),
        base64.b64encode(f"us:{SECRET}:x".encode()).decode(),
        f"https://user:{quote(SECRET, safe='')}@host/path",
    ],
)
def test_every_form_is_hidden(written: str) -> None:
    know(SECRET)
    left = redacted(f"before {written} after")
    assert HIDDEN in left
    assert left.startswith("before ")
    assert left.endswith(" after")
    rest = left.removeprefix("before ").removesuffix(" after").replace(HIDDEN, "")
    assert len(rest) <= 24  # scheme, host, user, quotes
    assert not any(piece in rest for piece in ("S3cr", "all", "kinds", "marks"))


def test_each_line_of_one_with_several_is_hidden_but_not_the_words_around_keys() -> None:
    know(KEY)
    assert redacted("cat: MC4CAQAwBQYDK2VwBCIEIGxnaG9yaXpvbnRhbGx5") == f"cat: {HIDDEN}"
    assert redacted("c2Vjb25kbGluZW9mdGhla2V5 at end") == f"{HIDDEN} at end"
    assert redacted("-----BEGIN PRIVATE KEY-----") == "-----BEGIN PRIVATE KEY-----"
    assert redacted(json.dumps({"key": KEY})).count("\\n") <= 1
    assert "MC4CAQ" not in redacted(base64.b64encode(KEY.encode()).decode())


def test_what_is_too_short_to_be_told_from_words_is_left_alone() -> None:
    know("on", "", "abc")
    assert redacted("on and on, abc") == "on and on, abc"
    assert redacted("the key is abc", ["abc"]) == f"the key is {HIDDEN}"  # asked for by name


def test_values_keep_their_shape() -> None:
    know(SECRET)
    document = {"a": [SECRET, 1, None, {"b": f"x{SECRET}"}], "c": True}
    assert redacted_values(document) == {"a": [HIDDEN, 1, None, {"b": f"x{HIDDEN}"}], "c": True}


def test_a_guarded_stream_lets_no_secret_out_and_is_else_the_stream() -> None:
    know(SECRET)
    stream = io.StringIO()
    out = guarded(stream)
    print("told:", SECRET, file=out)
    assert stream.getvalue() == f"told: {HIDDEN}\n"
    assert guarded(out) is out
    assert out.writable()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.text(alphabet="abAB0/+ ", min_size=6, max_size=12), min_size=1, max_size=5),
    st.text(alphabet="abAB0/+ ", max_size=80),
)
def test_one_by_one_and_by_position_both_leave_nothing(secrets: list[str], text: str) -> None:
    planted = text + secrets[0] + text
    index = redaction._Index({form for each in secrets for form in forms(each)})
    for hide in (index.one_by_one, index.by_position):
        assert not any(form in hide(planted) for form in index.forms)


def test_thousands_of_secrets_do_not_slow_a_large_report_down() -> None:
    know(*(f"secret-{number:06d}-of-many" for number in range(2_000)))
    text = "web-1 is as it should be; " * 40_000 + "secret-000777-of-many"
    assert len(redaction._known.forms) >= 10_000
    assert redacted(text).endswith(f"; {HIDDEN}")


def test_many_short_texts_cost_little_however_many_secrets_there_are() -> None:
    """A report of a thousand servers has a hundred thousand texts, and its vault two thousand passwords."""
    know(*(f"secret-{number:06d}-of-many" for number in range(2_000)))
    redacted("")
    began = process_time()
    for number in range(10_000):
        redacted(f"web-{number} is as it should be")
    assert process_time() - began < 2.0


def test_what_is_learnt_later_is_hidden_too() -> None:
    know(*(f"secret-{number:06d}-of-many" for number in range(100)))
    assert redacted("learnt-afterwards") == "learnt-afterwards"
    know("learnt-afterwards")
    assert redacted("learnt-afterwards") == HIDDEN
