"""What signatures were found to be worth, as a file: the pack starts no program, so it is told.

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
SCHEMA: Final = "steward.policy-verdicts/1"
_FIELDS: Final = ("standing", "principal", "key", "said")


@dataclass(frozen=True)
class Verdicts:
    """The verdict on each waiver's signature, by id, and when they were given."""

    reference: str
    """Digest of the policy reference."""
    judged_at: datetime
    waivers: Mapping[str, Verdict] = field(default_factory=dict)


def verdicts_text(verdicts: Verdicts) -> str:
    """The file; `parse_verdicts` reads it."""
    rows = {
        name: {key: str(getattr(verdict, key)) for key in _FIELDS}
        for name, verdict in sorted(verdicts.waivers.items())
    }
    told = {"schema": SCHEMA, "reference": verdicts.reference, "judged_at": verdicts.judged_at.isoformat()}
    return json.dumps({**told, "waivers": rows}, indent=1) + "\n"


def parse_verdicts(content: bytes, place: str) -> Verdicts:
    """The verdicts in the text; raises PackError."""
    try:
        raw = jsonfile.parsed(content)
    except (ValueError, RecursionError) as error:
        raise PackError(f"{place}: {error}") from None
    body = yamlfile.mapping(raw, place, required=("schema", "reference", "judged_at", "waivers"), optional=())
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
    return Verdicts(str(body["reference"]), judged_at, found)


def _verdict(value: object, place: str) -> Verdict:
    body = yamlfile.mapping(value, place, required=_FIELDS, optional=())
    return Verdict(Standing(str(body["standing"])), *(str(body[key]) for key in _FIELDS[1:]))


def from_environment() -> Verdicts | None:
    """The verdicts that the environment names, if any; raises PackError where they cannot be read."""
    named = os.environ.get(VARIABLE)
    return parse_verdicts(yamlfile.read_bytes(Path(named)), Path(named).name) if named else None
