"""A review counts when a listed reviewer signed just this report, and goes on to count only as signed."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from orchestrator.errors import InputError
from orchestrator.evidence.record import Kind
from orchestrator.evidence.review import Review, accepted_review, decision_of, statement_of
from orchestrator.evidence.sshsig import EVIDENCE, REVIEW, make_key, sign
from orchestrator.evidence.trust import trusted_in
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


def test_a_reviewer_is_held_against_those_that_somebody_named(
    bench: Bench, key: Path, tmp_path: Path
) -> None:
    """Whoever holds the chain's key can invent reviewers and their keys."""
    make_key(tmp_path / "invented")
    for path, name in ((key, ANN), (tmp_path / "invented", "auditor@bigfour.example")):
        body = accepted(bench, made(bench, path, reviewer=name), allowed(path, name))
        with bench.writer() as writer:
            line = writer.append(Kind.REVIEW, body)
    verdict = bench.verify()
    assert verdict.ok
    assert {each.trusted for each in verdict.reviewers} == {None}
    assert "reviews, 2, were held against nothing" in verdict.words(bench.clock.now())
    assert f"1 review by {ANN}, key SHA256:" in str(verdict.reviewers[0])
    verdict = bench.verify(reviewers=allowed(key))
    assert first(verdict) == (line.number, Fault.UNTRUSTED_REVIEWER)
    assert {each.name: each.trusted for each in verdict.reviewers} == {
        ANN: True, "auditor@bigfour.example": False
    }  # fmt: skip
    both = allowed(key) + allowed(tmp_path / "invented", "auditor@bigfour.example")
    assert bench.verify(reviewers=both).ok
    assert "held against nothing" not in bench.verify(reviewers=both).words(bench.clock.now())


def test_a_key_counts_at_the_time_of_its_review(bench: Bench, key: Path) -> None:
    body = accepted(bench, made(bench, key), allowed(key))
    with bench.writer() as writer:
        line = writer.append(Kind.REVIEW, body)
    day = line.ended_at()
    for until, good in ((day + timedelta(days=1), True), (day - timedelta(days=1), False)):
        dated = allowed(key).replace("namespaces", f'valid-before="{until:%Y%m%d}",namespaces')
        assert bench.verify(reviewers=dated).ok is good


def test_a_line_counts_for_chains_or_for_reviews_as_its_namespaces_say(key: Path) -> None:
    public = key.with_name("ann.pub").read_text().strip()
    found = trusted_in(
        f"""# ann {public}
x namespaces="steward-review@v1,file" {public}
y namespaces="steward-waiver@v1" {public}
z {public}
"""
    )
    assert found.reviewers.split()[0] == "x"
    assert found.keys == (" ".join(public.split()[:2]),)
    assert trusted_in(f'x namespaces="steward-review@v1" {public}').keys == ()
    assert trusted_in("").reviewers == ""
