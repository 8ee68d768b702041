"""A review counts when a listed reviewer signed just this report, and goes on to count only as signed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from orchestrator.errors import InputError
from orchestrator.evidence.record import Kind
from orchestrator.evidence.review import Review, accepted_review, decision_of, statement_of
from orchestrator.evidence.sshsig import EVIDENCE, REVIEW, make_key, sign
from orchestrator.evidence.verdict import Fault
from tests.unit.orchestrator.evidence.chains import Bench, bench_at
from tests.unit.orchestrator.evidence.test_verify import first

ANN = "ann@acme.example"
RUN = f"{1:026d}"


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    made = bench_at(tmp_path / "home")
    made.runs(3)
    return made


@pytest.fixture
def key(tmp_path: Path) -> Path:
    make_key(tmp_path / "ann")
    return tmp_path / "ann"


def allowed(key: Path, name: str = ANN) -> str:
    return f'{name} namespaces="{REVIEW}" {key.with_name(key.name + ".pub").read_text()}'


def made(bench: Bench, key: Path, namespace: str = REVIEW, **changed: Any) -> Review:
    with bench.writer() as writer:
        line = writer.standing().runs[RUN]
    statement = statement_of(line, ANN, "accepted", "well done")
    statement = json.dumps({**json.loads(statement), **changed}).encode() if changed else statement
    return Review(statement, sign(key, namespace, statement))


def accepted(bench: Bench, review: Review, signers: str) -> dict[str, object]:
    with bench.writer() as writer:
        return accepted_review(review, writer.standing().runs, signers)


def test_a_review_is_signed_and_stays_in_the_chain(bench: Bench, key: Path) -> None:
    body = accepted(bench, made(bench, key), allowed(key))
    with bench.writer() as writer:
        writer.append(Kind.REVIEW, body)
    assert (body["run"], body["reviewer"], body["decision"]) == (RUN, ANN, "accepted")
    assert body["own_run"] is False
    assert bench.verify().ok


@pytest.mark.parametrize(
    "changed",
    [
        {"run": "nobody"}, {"record": 1}, {"record_sha256": "0" * 64}, {"chain": "b2" * 16},
        {"decision": "perhaps"}, {"more": 1},
    ],
)  # fmt: skip
def test_a_statement_about_something_else_is_refused(
    bench: Bench, key: Path, changed: dict[str, object]
) -> None:
    with pytest.raises(InputError, match=r"not about a run of this chain|no statement"):
        accepted(bench, made(bench, key, **changed), allowed(key))


def test_a_stranger_another_namespace_and_another_name_are_refused(
    bench: Bench, key: Path, tmp_path: Path
) -> None:
    make_key(tmp_path / "mallory")
    for review, signers in (
        (made(bench, tmp_path / "mallory"), allowed(key)),
        (made(bench, key, EVIDENCE), allowed(key)),
        (made(bench, key), allowed(key, "bob@acme.example")),
        (made(bench, key, reviewer="* bob"), allowed(key, "*")),
        (made(bench, key), ""),
    ):
        with pytest.raises(InputError, match="no key that allowed_signers gives"):
            accepted(bench, review, signers)


@pytest.mark.parametrize(
    "changed",
    [
        {"decision": "rejected"}, {"reviewer": "bob@acme.example"}, {"run": f"{2:026d}"},
        {"signature": "AAAA"}, {"statement": "{}"}, {"key": "SHA256:x"},
    ],
)  # fmt: skip
def test_a_record_that_says_something_else_than_was_signed_is_bad(
    bench: Bench, key: Path, changed: dict[str, object]
) -> None:
    """Also when the holder of the chain's own key wrote it."""
    body = accepted(bench, made(bench, key), allowed(key))
    with bench.writer() as writer:
        line = writer.append(Kind.REVIEW, {**body, **changed})
    assert first(bench.verify()) == (line.number, Fault.BAD_REVIEW)


def test_whoever_reviews_a_run_of_his_own_is_told_so(bench: Bench, key: Path) -> None:
    review = made(bench, key, reviewer="alice@ci")
    assert accepted(bench, review, allowed(key, "alice@ci"))["own_run"] is True


def test_only_two_decisions_are_known() -> None:
    assert [decision_of(word) for word in ("accepted", "rejected")] == ["accepted", "rejected"]
    with pytest.raises(InputError, match="accepted, rejected"):
        decision_of("perhaps")
