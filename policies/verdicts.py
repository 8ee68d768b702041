"""What signatures and history were found to be worth, as a file: the pack starts no program, so it is told.

The file speaks of one version of the policy reference, by its digest, and of no other.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from policies import jsonfile, yamlfile
from policies.facts import shown
from policies.model import PackError
from policies.signers import Standing, Verdict

VARIABLE: Final = "STEWARD_POLICY_VERDICTS"
SCHEMA: Final = "steward.policy-verdicts/2"
_ENTRIES: Final = ("schema", "reference", "judged_at", "waivers", "baseline")
_FIELDS: Final = ("standing", "principal", "key", "said")


@dataclass(frozen=True)
class Verdicts:
    """The verdict on each waiver's signature, by id, what of the baseline may excuse, and when they came."""

    reference: str
    """Digest of the policy reference."""
    judged_at: datetime
    waivers: Mapping[str, Verdict] = field(default_factory=dict)
    baseline: frozenset[str] = frozenset()
    """Fingerprints of the entries that it had before: what it grew by without a signature excuses nothing."""


def verdicts_text(verdicts: Verdicts) -> str:
    """The file; `parse_verdicts` reads it."""
    rows = {
        name: {key: str(getattr(verdict, key)) for key in _FIELDS}
        for name, verdict in sorted(verdicts.waivers.items())
    }
    told = {"schema": SCHEMA, "reference": verdicts.reference, "judged_at": verdicts.judged_at.isoformat()}
    return json.dumps({**told, "waivers": rows, "baseline": sorted(verdicts.baseline)}, indent=1) + "\n"


def parse_verdicts(content: bytes, place: str) -> Verdicts:
    """The verdicts in the text; raises PackError."""
    try:
        raw = jsonfile.parsed(content)
    except (ValueError, RecursionError) as error:
        raise PackError(f"{place}: {error}") from None
    body = yamlfile.mapping(raw, place, required=_ENTRIES, optional=())
    if body["schema"] != SCHEMA:
        raise PackError(f"{place}.schema: expected {SCHEMA}, got {shown(body['schema'])}")
    try:
        judged_at = datetime.fromisoformat(str(body["judged_at"]))
        waivers = yamlfile.mapping(body["waivers"], f"{place}.waivers")
        found = {name: _verdict(value, f"{place}.waivers.{name}") for name, value in waivers.items()}
    except ValueError as error:
        raise PackError(f"{place}: {error}") from None
    if judged_at.tzinfo is None:
        raise PackError(f"{place}.judged_at: expected a moment with its time zone")
    known = body["baseline"]
    if not isinstance(known, list) or not all(isinstance(each, str) for each in known):
        raise PackError(f"{place}.baseline: expected a list of fingerprints")
    return Verdicts(str(body["reference"]), judged_at, found, frozenset(known))


def _verdict(value: object, place: str) -> Verdict:
    body = yamlfile.mapping(value, place, required=_FIELDS, optional=())
    return Verdict(Standing(str(body["standing"])), *(str(body[key]) for key in _FIELDS[1:]))


def from_environment() -> Verdicts | None:
    """The verdicts that the environment names, if any; raises PackError where they cannot be read."""
    named = os.environ.get(VARIABLE)
    return parse_verdicts(yamlfile.read_bytes(Path(named)), Path(named).name) if named else None
