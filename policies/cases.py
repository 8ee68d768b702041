"""Cases: a rule, the resources it is shown, and what it must say of one of them; one YAML file each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml
from yaml.composer import Composer

from policies import yamlfile
from policies.answers import NO_ANSWER
from policies.evaluate import evaluate
from policies.facts import UNKNOWN, Facts, Unknown, shown
from policies.model import CheckResult, Kind, PackError, Rule, State, Subject
from policies.pack import Pack
from policies.profiles import Profiles
from policies.subjects.resources import resource_subject, whole
from policies.subjects.types import TYPES

STACK: Final = "acme-demo"
TAGS: Final[Mapping[str, str]] = {
    "client": "acme",
    "environment": "demo",
    "owner": "platform@acme.example",
    "profile": "demo",
    "stackId": "ab" * 16,
}
"""What a resource of a case carries where the case does not care."""
KINDS: Final = ("pass", "fail", "unknown")
"""Each rule has a case of each kind: `pass.yaml`, `fail.yaml`, `unknown.yaml`, and any others."""
_EXPECT: Final = ("also", "count", "path", "says", "profile", "enforcement")


class _Loader(Composer, yaml.CSafeLoader):
    """YAML with `!unknown` (or `!unknown "why"`) for a value that nobody knows, or nobody knows yet.

    The C parser is five times faster; C's own composer would overrun its stack where a text is deep.
    """

    def __init__(self, stream: str) -> None:
        yaml.CSafeLoader.__init__(self, stream)
        Composer.__init__(self)


_Loader.add_constructor("!unknown", lambda _loader, node: Unknown(node.value) if node.value else UNKNOWN)


@dataclass(frozen=True)
class Case:
    """One file; `judge` names the subject that `expect` speaks of."""

    judge: str
    expect: Mapping[str, Any]
    subjects: tuple[Subject, ...]


def read_case(path: Path) -> Case:
    """The case in a file; raises PackError that names it."""
    try:
        raw = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506  # a safe one
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise PackError(f"{_place(path)}: {error}") from error
    body = yamlfile.mapping(raw, _place(path), required=("judge", "subjects", "expect"), optional=("why",))
    expect = yamlfile.mapping(body["expect"], f"{_place(path)}.expect", required=("state",), optional=_EXPECT)
    if expect["state"] not in list(State):
        raise PackError(
            f"{_place(path)}.expect.state: no state {shown(expect['state'])!r}; known: {', '.join(State)}"
        )
    entries = [_entry(path, number, each) for number, each in enumerate(_list(body["subjects"], path))]
    types = {str(entry["name"]): str(entry.get("type", "")) for entry in entries}
    if body["judge"] not in types:
        raise PackError(
            f"{_place(path)}.judge: no subject named {shown(body['judge'])!r}; known: {', '.join(types)}"
        )
    return Case(str(body["judge"]), expect, whole([_subject(path, entry, types) for entry in entries]))


def judge(case: Case, rule: Rule, profiles: Profiles) -> list[str]:
    """What the rule says otherwise than the case expects, in words; nothing when it is as expected."""
    results = evaluate(case.subjects, profiles, rules=[rule])
    found = [
        result for result in results if result.subject.urn.endswith((f"::{case.judge}", f"/{case.judge}"))
    ]
    return list(_differences(found, case.expect))


def _differences(found: Sequence[CheckResult], expect: Mapping[str, Any]) -> list[str]:
    first, states = found[0], [str(result.state) for result in found]
    rest = [expect["also"]] if "also" in expect else [expect["state"]] * (expect.get("count", 1) - 1)
    told = []
    if states != [expect["state"], *rest]:
        told.append(
            f"expected {', '.join([expect['state'], *rest])}, was {', '.join(states)}: {first.message}"
        )
    for key, got in (("path", first.path), ("profile", first.profile), ("enforcement", first.enforcement)):
        wanted = expect.get(key, "" if key == "path" else got)
        if wanted != got:
            told.append(f"expected {key} {wanted!r}, was {str(got)!r}")
    told += [
        f"the rule had no answer: {result.message}"
        for result in found
        if result.state is State.ERROR and f": {NO_ANSWER}: " in result.message
    ]
    if expect.get("says", "") not in first.message:
        told.append(f"expected to say {expect['says']!r}, said {first.message!r}")
    return told


@dataclass(frozen=True)
class Tried:
    """What came of one case, or of a case that a rule lacks."""

    rule: str
    case: str
    differences: tuple[str, ...]


def try_cases(folder: Path, pack: Pack) -> list[Tried]:
    """Every case of the user's own rules, out of `folder/RULE/`; raises PackError at an unreadable one."""
    tried = []
    for rule in (each for each in pack.rules if each.id in pack.own):
        files = {path.stem: path for path in sorted((folder / rule.id).glob("*.yaml"))}
        for name, path in files.items():
            tried.append(Tried(rule.id, name, tuple(judge(read_case(path), rule, pack.profiles))))
        for kind in KINDS:
            if kind not in files:
                missing = f"there is no such case; write cases/{rule.id}/{kind}.yaml"
                tried.append(Tried(rule.id, kind, (missing,)))
    strangers = {path.name for path in folder.glob("*") if path.is_dir()} - pack.own
    tried += [Tried(name, "*", ("there is no own rule of that name",)) for name in sorted(strangers)]
    return tried


def urn_of(token: str, name: str, stack: str = STACK) -> str:
    """The URN that a resource of a case has."""
    return f"urn:pulumi:{stack}::steward::{token}::{name}"


def _subject(path: Path, entry: Mapping[str, Any], types: Mapping[str, str]) -> Subject:
    return _resource(path, entry, types) if "properties" in entry else _neutral(path, entry)


def _neutral(path: Path, entry: Mapping[str, Any]) -> Subject:
    """A subject of another kind than a resource, by its facts as its normaliser would give them."""
    name, facts = str(entry["name"]), entry["facts"]
    try:
        kind = Kind(entry["kind"])
    except ValueError as error:
        raise PackError(f"{_place(path)}: kind of {name}: {error}; known: {', '.join(Kind)}") from None
    if isinstance(facts, dict):
        facts = {"name": name, "tags": TAGS} | facts
    elif not isinstance(facts, Unknown):
        raise PackError(f"{_place(path)}: the facts of {name} are a mapping or !unknown")
    return Subject(
        kind=kind,
        type=str(entry.get("type", TYPES[kind][0])),
        name=name,
        urn=f"{kind}:{STACK}/{name}",
        stack=STACK,
        facts=Facts(facts),
        witness=str(entry.get("witness", "")),
    )


def _resource(path: Path, entry: Mapping[str, Any], types: Mapping[str, str]) -> Subject:
    token, name, properties = str(entry["type"]), str(entry["name"]), entry["properties"]
    if isinstance(properties, dict):
        properties = {"name": name, "tags": TAGS} | properties
    elif properties is not UNKNOWN:
        raise PackError(f"{_place(path)}: the properties of {name} are a mapping or !unknown")
    depends_on = yamlfile.mapping(entry.get("depends_on", {}), f"{_place(path)}: depends_on of {name}")
    sources = {key: _list(each, path) for key, each in depends_on.items()}
    missing = [each for names in sources.values() for each in names if each not in types]
    if missing:
        raise PackError(f"{_place(path)}: depends_on of {name}: no subject named {shown(missing[0])!r}")
    return resource_subject(
        token,
        urn_of(token, name),
        name,
        properties,
        is_component=token.startswith("steward:"),
        protect=bool(entry.get("protect", False)),
        depends_on={
            key: tuple(urn_of(types[each], each) for each in names) for key, names in sources.items()
        },
    )


def _entry(path: Path, number: int, value: object) -> Mapping[str, Any]:
    place = f"{_place(path)}.subjects[{number}]"
    if isinstance(value, dict) and "kind" in value:
        return yamlfile.mapping(
            value, place, required=("kind", "name", "facts"), optional=("type", "witness")
        )
    keys = ("type", "name", "properties")
    return yamlfile.mapping(value, place, required=keys, optional=("depends_on", "protect"))


def _list(value: object, path: Path) -> list[Any]:
    if not isinstance(value, list):
        raise PackError(f"{_place(path)}: expected a list, got {shown(value)}")
    return value


def _place(path: Path) -> str:
    return f"cases/{path.parent.name}/{path.name}"
