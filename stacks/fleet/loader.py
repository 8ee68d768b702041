"""YAML to `Fleet`: the one place where raw text becomes trusted values. All mistakes of a file come at once."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from stacks.fleet.backup import BackupPlan, Repository
from stacks.fleet.mistakes import FleetInvalid, Mistake, Place, RoleCheck, nearest, shown
from stacks.fleet.model import Fleet
from stacks.fleet.network import Network
from stacks.fleet.references import Parts, declared_names, mistakes
from stacks.fleet.server import Server
from stacks.fleet.service import Service

_LARGEST_FILE_BYTES = 1_048_576
_DEEPEST = 20
_MOST_NODES = 100_000
_DECIDES_OTHERS = frozenset({"backup", "roles"})
"""Keys without which the check of the other keys would tell mistakes that are none."""

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class LoadedFleet:
    """A valid fleet with where it came from; `digest` is the SHA-256 of the file's bytes in hex."""

    fleet: Fleet
    path: Path
    digest: str


def load(path: Path, role_check: RoleCheck | None = None) -> LoadedFleet:
    """Read and check a fleet file; raises FleetInvalid with every mistake, OSError never."""
    try:
        raw = path.read_bytes()
    except OSError as problem:
        message = f"cannot be read: {problem.strerror}. Name an existing fleet file."
        raise FleetInvalid(str(path), [Mistake((), message)]) from problem
    fleet = parse(raw, path.name, role_check)
    return LoadedFleet(fleet, path.absolute(), hashlib.sha256(raw).hexdigest())


def parse(raw: bytes, source: str, role_check: RoleCheck | None = None) -> Fleet:
    """Check the bytes of a fleet file; raises FleetInvalid."""
    tree = _tree(raw, source)
    try:
        values = _plain(tree, _Budget())
    except ValueError as problem:
        raise FleetInvalid(source, [Mistake((), str(problem))]) from problem
    if not isinstance(values, dict):
        raise FleetInvalid(source, [Mistake((), f"a fleet is a mapping of keys, not {shown(values)}")])
    found: list[Mistake] = []
    fleet: Fleet | None = None
    try:
        fleet = Fleet.model_validate(values)
    except ValidationError as problem:
        found.extend(_explain(detail) for detail in problem.errors(include_url=False))
    found.extend(mistakes(_parts(values, fleet), role_check))
    if found or fleet is None:
        raise FleetInvalid(source, (Mistake(m.place, m.message, _line(tree, m.place)) for m in found))
    return fleet


def _tree(raw: bytes, source: str) -> Any:
    if len(raw) > _LARGEST_FILE_BYTES:
        raise FleetInvalid(source, [Mistake((), f"{len(raw)} bytes are more than the 1 MiB a fleet may have")])
    try:
        return YAML(typ="rt", pure=True).load(io.StringIO(raw.decode("utf-8")))
    except UnicodeDecodeError as problem:
        raise FleetInvalid(source, [Mistake((), f"not UTF-8 text at byte {problem.start}")]) from problem
    except MarkedYAMLError as problem:
        mark = problem.problem_mark or problem.context_mark
        text = " ".join(part for part in (problem.context, problem.problem) if part)
        line = mark.line + 1 if mark else None
        raise FleetInvalid(source, [Mistake((), f"not valid YAML: {shown(text)}", line)]) from problem
    except (YAMLError, ValueError, RecursionError) as problem:
        raise FleetInvalid(source, [Mistake((), f"not valid YAML: {shown(str(problem))}")]) from problem


class _Budget:
    """Counts nodes, so that a small file with nested aliases cannot grow without bound."""

    def __init__(self) -> None:
        self.left = _MOST_NODES

    def take(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise ValueError(f"more than {_MOST_NODES} values; aliases that multiply are refused")


def _plain(node: Any, budget: _Budget, depth: int = 0) -> Any:
    budget.take()
    if depth > _DEEPEST:
        raise ValueError(f"nested deeper than {_DEEPEST} levels")
    if isinstance(node, Mapping):
        return {_key(key): _plain(value, budget, depth + 1) for key, value in node.items()}
    if isinstance(node, list):
        return [_plain(value, budget, depth + 1) for value in node]
    if isinstance(node, bool) or node is None:
        return node
    for kind in (int, float, str):
        if isinstance(node, kind):
            return kind(node)
    return shown(str(node))  # dates, sets and tagged values: never a valid value, shown as text by the check


def _key(key: Any) -> str:
    if not isinstance(key, str):
        raise ValueError(f"the key {shown(key)} is not text; put it in quotes")
    return str(key)


def _explain(detail: ErrorDetails) -> Mistake:
    place: Place = tuple(step for step in detail["loc"] if step != "[key]")
    got = shown(detail["input"])
    match detail["type"]:
        case "extra_forbidden":
            last = str(place[-1])
            message = f"unknown key '{shown(last)}'; {nearest(last, _keys_at(place[:-1]))}"
        case "missing":
            message = "is required and missing"
        case "string_pattern_mismatch":
            message = f"'{got}' is not allowed here; {_shape(detail)}"
        case "value_error":
            message = f"{detail['msg'].removeprefix('Value error, ')}; got '{got}'"
        case "too_short":
            message = "is empty; declare at least one"
        case _:
            message = f"{detail['msg'][:1].lower()}{detail['msg'][1:]}; got '{got}'"
    return Mistake(place, message)


def _shape(detail: ErrorDetails) -> str:
    pattern = str(detail.get("ctx", {}).get("pattern", ""))
    if "_]" in pattern:
        return "write lower-case letters, digits and underscores, starting with a letter"
    if pattern.startswith("^[a-z]"):
        return "write lower-case letters, digits and dashes, starting with a letter, at most 30 characters"
    if "@" in pattern:
        return "write an e-mail address"
    if pattern.startswith("^(/"):
        return "write an absolute path of letters, digits and . _ + -"
    return f"it must match {pattern}"


def _keys_at(place: Place) -> list[str]:
    """The keys the fleet's schema knows at a place."""
    schema = Fleet.model_json_schema(by_alias=True)
    node: Mapping[str, Any] = schema
    for step in place:
        node = _resolve(node, schema)
        if isinstance(step, int):
            node = node.get("items", {})
        else:
            node = node.get("properties", {}).get(step) or node.get("additionalProperties") or {}
    return list(_resolve(node, schema).get("properties", {}))


def _resolve(node: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    for choice in (node, *node.get("anyOf", ())):
        if "$ref" in choice:
            found = schema["$defs"][choice["$ref"].rsplit("/", 1)[-1]]
            return found if isinstance(found, Mapping) else {}
    return node


def _parts(values: Mapping[str, Any], fleet: Fleet | None) -> Parts:
    """The valid parts of a fleet, also when the whole is not valid, so that one run tells every mistake."""
    declared = declared_names(values)
    if fleet is not None:
        return Parts(
            declared, fleet.networks, fleet.servers, fleet.services, fleet.repositories, fleet.backups, fleet.stack
        )
    return Parts(
        declared,
        dict(_valid(values.get("networks"), Network)),
        dict(_valid(values.get("servers"), Server)),
        dict(_valid(values.get("services"), Service)),
        dict(_valid(values.get("repositories"), Repository)),
        dict(_valid(values.get("backups"), BackupPlan)),
        f"{values.get('client')}-{values.get('environment')}",
    )


def _valid(section: Any, model: type[Model]) -> Iterator[tuple[str, Model]]:
    adapter = TypeAdapter(model)
    for name, value in section.items() if isinstance(section, Mapping) else ():
        try:
            yield name, adapter.validate_python(value)
        except ValidationError as problem:  # its own mistakes are told already; look at the rest of it
            at_fault = {detail["loc"][0] for detail in problem.errors() if detail["loc"]}
            if not isinstance(value, Mapping) or at_fault & _DECIDES_OTHERS:
                continue
            with suppress(ValidationError):
                yield name, adapter.validate_python({k: v for k, v in value.items() if k not in at_fault})


def _line(tree: Any, place: Place) -> int | None:
    """The line of a place, or of the nearest place above it that the file has."""
    line: int | None = None
    node = tree
    for step in place:
        if isinstance(node, CommentedMap) and step in node:
            line = node.lc.key(step)[0] + 1
        elif isinstance(node, CommentedSeq) and isinstance(step, int) and step < len(node):
            line = node.lc.item(step)[0] + 1
        else:
            break
        node = node[step]
    return line
