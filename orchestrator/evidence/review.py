"""Reviews of reports: a person's own signature over which record was read, and what came of it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, cast, get_args

from orchestrator.errors import InputError
from orchestrator.evidence.record import Kind, Line, canonical
from orchestrator.evidence.sshsig import (
    REVIEW,
    BadSignatureError,
    check,
    fingerprint,
    known_signer,
    read_signature,
)

Decision = Literal["accepted", "rejected"]
_LONGEST: Final = 64 << 10
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,99}")


@dataclass(frozen=True)
class Review:
    """A statement, as signed, with its signature in base64."""

    statement: bytes
    signature: str


def statement_of(line: Line, reviewer: str, decision: Decision, note: str) -> bytes:
    """What the reviewer signs: the run, the record by its digest, the decision; one line with its end."""
    return canonical(
        {
            "schema": "steward.review/1",
            "chain": line.text("chain"),
            "run": str(line.body.get("run", "")),
            "record": line.number,
            "record_sha256": line.sha256,
            "reviewer": reviewer,
            "decision": decision,
            "note": note,
        }
    ) + b"\n"  # fmt: skip


def decision_of(word: str) -> Decision:
    """The word as a decision; raises InputError."""
    for known in get_args(Decision):
        if word == known:
            return cast("Decision", known)
    raise InputError("--decision", "is not one of accepted, rejected", got=word[:40])


def accepted_review(review: Review, runs: Mapping[str, Line], allowed: str) -> dict[str, object]:
    """The body of the record of a review; raises InputError unless a listed reviewer signed just that."""
    statement = _read(review.statement)
    line, reviewer = runs.get(str(statement.get("run"))), str(statement.get("reviewer", ""))
    if line is None or _refers(statement, line):
        raise InputError(
            "review", "the statement is not about a run of this chain", got=str(statement.get("run"))[:40],
            next_step="Make it anew: steward evidence review RUN --as YOU --decision accepted",
        )  # fmt: skip
    if not _NAME.fullmatch(reviewer) or not known_signer(
        allowed, reviewer, REVIEW, review.statement, review.signature
    ):
        raise InputError(
            "review", "no key that allowed_signers gives this reviewer signed the statement",
            got=reviewer or "nobody", rule=f"a signature in namespace {REVIEW}",
            next_step=f"Sign it: ssh-keygen -Y sign -n {REVIEW} -f KEY STATEMENT",
        )  # fmt: skip
    return {
        "run": line.body["run"],
        "reviewer": reviewer,
        "decision": str(statement["decision"]),
        "note": str(statement["note"]),
        "reviewed_record": line.number,
        "key": fingerprint(read_signature(review.signature).key),
        "statement": review.statement.decode(),
        "signature": review.signature,
        "own_run": reviewer == line.text("actor"),
    }


def review_problem(line: Line, runs: Mapping[str, Line]) -> str:
    """What is wrong with the record of a review, '' when its signature is of its statement and its run."""
    body = line.body
    content = str(body.get("statement", "")).encode()
    try:
        statement = _read(content)
        signature = read_signature(str(body.get("signature", "")))
        check(signature, REVIEW, content)
        key = fingerprint(signature.key)
    except (InputError, BadSignatureError) as problem:
        return f"its signature is bad: {problem}"
    about = runs.get(str(statement.get("run")))
    if about is None or _refers(statement, about):
        return "it is about another record than that of its run"
    told = {name: body.get(name) for name in ("run", "reviewer", "decision", "key")}
    signed = {**{name: statement.get(name) for name in ("run", "reviewer", "decision")}, "key": key}
    return "" if told == signed else "it says something else than was signed"


def _refers(statement: Mapping[str, object], line: Line) -> str:
    """Why a statement is not about this record, '' when it is."""
    wanted = {"record": line.number, "record_sha256": line.sha256, "chain": line.text("chain")}
    if line.kind != Kind.RUN:
        return "it is about no report"
    return next((name for name, value in wanted.items() if statement.get(name) != value), "")


def _read(content: bytes) -> dict[str, object]:
    try:
        found = json.loads(content) if len(content) <= _LONGEST else None
    except (ValueError, RecursionError):
        found = None
    names = {"schema", "chain", "run", "record", "record_sha256", "reviewer", "decision", "note"}
    if not isinstance(found, dict) or set(found) != names or found["decision"] not in get_args(Decision):
        raise InputError(
            "review", "is no statement of a review", next_step="Make it: steward evidence review RUN"
        )
    return found
