"""Answers that say the same of many, said once: what a thousand servers repeat is most of a report.

Folded, a check names its `servers`, and a policy result lists in `on` the places of its subjects in `judged`,
which describes each subject once. Only neighbours are folded, so that unfolding gives the same rows in the
same order; `gathered` makes neighbours of those that can be.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, TypeVar

from orchestrator.reporting.model import Check, PolicyResult

_Row = dict[str, Any]
_Answer = TypeVar("_Answer", Check, PolicyResult)

SUBJECT = ("subject", "kind", "urn")
"""What a policy result says of what it judged, and not of its answer."""
_WHO = {"checks": ("server",), "policies": SUBJECT}


def gathered(rows: Iterable[_Answer]) -> list[_Answer]:
    """Equal answers side by side, in the order in which each first came."""
    found: dict[tuple[Any, ...], list[_Answer]] = {}
    for row in rows:
        who = ("server",) if isinstance(row, Check) else SUBJECT
        found.setdefault(tuple(value for name, value in row if name not in who), []).append(row)
    return [row for group in found.values() for row in group]


def folded(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document of a report with its answers folded."""
    judged: dict[tuple[Any, ...], int] = {}
    checks = [
        {**answer, "servers": [row["server"] for row in rows]}
        for answer, rows in _neighbours(document["checks"], _WHO["checks"])
    ]
    policies = [
        {**answer, "on": [judged.setdefault(_subject(row), len(judged)) for row in rows]}
        for answer, rows in _neighbours(document["policies"], SUBJECT)
    ]
    subjects = [dict(zip(SUBJECT, each, strict=True)) for each in judged]
    return {**document, "checks": checks, "policies": policies, "judged": subjects}


def unfolded(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document as the report has it; ValueError where a place in `judged` is none."""
    rest = {name: value for name, value in document.items() if name != "judged"}
    judged = document.get("judged", [])
    checks = [
        {**_without(row, "servers"), "server": name}
        for row in document.get("checks", [])
        for name in row["servers"]
    ]
    policies = [
        {**_without(row, "on"), **_at(judged, place)}
        for row in document.get("policies", [])
        for place in row["on"]
    ]
    return {**rest, "checks": checks, "policies": policies}


def _neighbours(rows: Iterable[_Row], who: Sequence[str]) -> Iterable[tuple[_Row, list[_Row]]]:
    """Each run of equal answers, with the rows that give it."""
    for answer, group in groupby(rows, key=lambda row: _without(row, *who)):
        yield answer, list(group)


def _subject(row: _Row) -> tuple[Any, ...]:
    return tuple(row[name] for name in SUBJECT)


def _without(row: _Row, *names: str) -> _Row:
    return {name: value for name, value in row.items() if name not in names}


def _at(judged: Sequence[_Row], place: int) -> _Row:
    if not 0 <= place < len(judged):
        raise ValueError(f"judged has no place {place}")
    return judged[place]
