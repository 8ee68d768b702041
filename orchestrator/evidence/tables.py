"""The summary tables of a bundle, computed from records and payloads alone."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Mapping, Sequence
from io import StringIO

from orchestrator.evidence.access import access
from orchestrator.evidence.documents import HOST_FACTS, POLICY_REPORT, Document, Row, of_schema, text
from orchestrator.evidence.evaluations import evaluation_days, evaluations
from orchestrator.evidence.period import Period
from orchestrator.evidence.record import Kind, Line
from orchestrator.evidence.standing import standing_of
from orchestrator.evidence.time_to_fix import time_to_fix, time_to_fix_summary
from orchestrator.reporting.escape import csv_cell


def tables_of(
    stack: str, period: Period, lines: Sequence[Line], documents: Sequence[Document], seed: str, sample: int
) -> Mapping[str, Sequence[Row]]:
    """Every table by its name; `lines` is the whole chain, `documents` are those of the period."""
    told = [line for line in lines if period.has(line.ended_at())]
    reports = list(of_schema(documents, POLICY_REPORT))
    failures = time_to_fix(reports)
    return {
        "evaluations": evaluations(told, reports),
        "evaluation_days": evaluation_days(period, lines, reports),
        "time_to_fix": failures,
        "time_to_fix_summary": time_to_fix_summary(failures),
        "access": access(stack, told, list(of_schema(documents, HOST_FACTS))),
        "erasures": erasures(lines),
        "reviews": reviews(told, lines),
        "sample": sampled(told, seed, sample),
    }


def reviews(told: Sequence[Line], lines: Sequence[Line]) -> list[Row]:
    """A run of the period a row, with each review that it ever got."""
    by_run: dict[str, list[Line]] = {}
    for line in lines:
        if line.kind == Kind.REVIEW:
            by_run.setdefault(text(line.body, "run"), []).append(line)
    made: list[Row] = []
    for line in told:
        if line.kind != Kind.RUN:
            continue
        run = text(line.body, "run")
        for review in by_run.get(run, [None]):
            body = review.body if review else {}
            made.append(
                {
                    "run": run, "at": line.text("ended_at"), "verb": text(line.body, "verb"),
                    "actor": line.text("actor"), "reviewer": text(body, "reviewer"),
                    "decision": text(body, "decision") or "not reviewed", "note": text(body, "note"),
                    "reviewed_at": review.text("ended_at") if review else "", "key": text(body, "key"),
                    "own_run": "yes" if body.get("own_run") is True else "no",
                    "record": review.number if review else "",
                }
            )  # fmt: skip
    return made


def erasures(lines: Sequence[Line]) -> list[Row]:
    """Every document of the whole chain that was erased a row: by whom, why, and whether a hold kept it."""
    return [
        {
            "record": each.tombstone.number, "at": each.tombstone.text("ended_at"), "document": each.name,
            "of_record": each.origin.number if each.origin else "",
            "written_at": each.origin.text("ended_at") if each.origin else "",
            "before_retention": "yes" if each.early else "no", "actor": each.tombstone.text("actor"),
            "cause": text(each.tombstone.body, "cause"), "reason": text(each.tombstone.body, "reason"),
            "hold": each.hold.number if each.hold else "",
        }
        for each in standing_of(lines).erasures
    ]  # fmt: skip


def sampled(told: Sequence[Line], seed: str, count: int) -> list[Row]:
    """Runs to look into, by SHA-256 of `SEED:DIGEST-OF-RECORD`: the same for all who have the seed."""
    runs = [line for line in told if line.kind in (Kind.RUN, Kind.KILLED)]
    placed = [(hashlib.sha256(f"{seed}:{line.sha256}".encode()).hexdigest(), line) for line in runs]
    chosen = sorted(placed, key=lambda each: each[0])[:count]
    return [
        {
            "place": place, "run": text(line.body, "run"), "record": line.number,
            "record_sha256": line.sha256, "order": order, "at": line.text("ended_at"),
            "verb": text(line.body, "verb"), "exit_code": text(line.body, "exit_code"),
        }
        for place, (order, line) in enumerate(chosen, start=1)
    ]  # fmt: skip


def files_of(tables: Mapping[str, Sequence[Row]]) -> dict[str, bytes]:
    """Each table as CSV, in which nothing acts, and as JSON."""
    made: dict[str, bytes] = {}
    for name, found in tables.items():
        made[f"tables/{name}.csv"] = _csv(found)
        made[f"tables/{name}.json"] = json.dumps(found, sort_keys=True, indent=1).encode() + b"\n"
    return made


def _csv(found: Sequence[Row]) -> bytes:
    out = StringIO()
    writer = csv.writer(out)
    names = list(found[0]) if found else []
    writer.writerow(names)
    for row in found:
        writer.writerow([csv_cell(str(row[name])) for name in names])
    return out.getvalue().encode()
