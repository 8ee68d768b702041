"""Where the value behind a reference comes from, and what is said where there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator import process, redaction
from orchestrator.errors import InputError
from orchestrator.supplies.secrets import read_secret, take_secrets
from stacks.fleet.secret import Reference, reference, references, resolved


def test_values_come_from_the_environment_and_from_files(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text("line one\nline two\n")
    assert read_secret(Reference("env", "SHOP"), tmp_path, {"SHOP": " value "}) == " value "
    assert read_secret(Reference("file", "key.pem"), tmp_path) == "line one\nline two"
    assert read_secret(Reference("file", str(tmp_path / "key.pem")), Path("/")) == "line one\nline two"


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        (Reference("env", "GONE"), "not set, or empty.*Set GONE"),
        (Reference("env", "EMPTY"), "not set, or empty"),
        (Reference("file", "gone"), "cannot be read: No such file"),
        (Reference("file", "empty"), "is empty"),
        (Reference("file", "large"), "larger than 64 KiB"),
        (Reference("file", "binary"), "it is not text"),
    ],
)
def test_a_reference_that_leads_nowhere_is_told(tmp_path: Path, wanted: Reference, told: str) -> None:
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "large").write_text("x" * 70_000)
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match=told):
        read_secret(wanted, tmp_path, {"EMPTY": ""})


def test_references_are_found_and_replaced_at_any_depth() -> None:
    value = {"users": [{"name": "a", "password": {"env": "A"}}], "key": {"file": "k.pem"}, "n": 1}
    assert [str(each) for each in references(value)] == ["{env: A}", "{file: k.pem}"]
    assert resolved(value, str) == {
        "users": [{"name": "a", "password": "{env: A}"}],
        "key": "{file: k.pem}",
        "n": 1,
    }


@pytest.mark.parametrize(
    "value",
    ["env", {}, {"env": "lower"}, {"env": 5}, {"env": "A", "file": "b"}, {"file": "a\nb"}, {"vault": "A"}],
)
def test_what_only_looks_like_a_reference_is_none(value: object) -> None:
    assert reference(value) is None


def test_what_was_read_leaves_this_process_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "_known", redaction._Known())
    (tmp_path / "token").write_text("file-secret-77\n")
    read_secret(Reference("file", "token"), tmp_path)
    read_secret(Reference("env", "TOKEN"), tmp_path, {"TOKEN": "environment-secret-88"})
    told = redaction.redacted("file-secret-77 and environment-secret-88")
    assert told == f"{redaction.HIDDEN} and {redaction.HIDDEN}"


def test_what_a_fleet_names_is_inherited_by_no_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SHOP_PASSWORD", "AWS_SECRET_ACCESS_KEY", "HOME"):
        monkeypatch.setenv(name, f"planted in {name}")
    named = [Reference("env", name) for name in ("SHOP_PASSWORD", "AWS_SECRET_ACCESS_KEY", "HOME", "GONE")]
    take_secrets([*named, Reference("file", "SHOP_PASSWORD")])
    inherited = process.run(["env"], timeout=10).stdout
    assert "SHOP_PASSWORD" not in inherited
    assert "AWS_SECRET_ACCESS_KEY=planted" in inherited  # a provider lives by it
    assert "HOME=planted" in inherited
    assert read_secret(named[0], tmp_path) == "planted in SHOP_PASSWORD"
    assert read_secret(named[1], tmp_path) == "planted in AWS_SECRET_ACCESS_KEY"
