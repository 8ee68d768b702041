"""Files as subjects: previews, state exports, playbooks, and the documents that other verbs wrote.

Nothing is asked: no engine, no cloud, no host. A file is known by what stands in it, not by its name.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from orchestrator.errors import InputError
from orchestrator.judging.reading import asked, content_of, whole_json
from policies.facts import Unknown, shown
from policies.model import Subject
from policies.subjects import backups, costs, history, hosts, plan, population
from policies.subjects.population import Listing

if TYPE_CHECKING:
    from stacks.fleet.model import Fleet

_YAML: Final = (".yml", ".yaml")
_LOOKED_AT: Final = 65_536
_MOST_DOCUMENTS: Final = 10_000
_KNOWN: Final = (
    "a preview (pulumi preview --json --show-sames), a state (pulumi stack export), a folder or file of "
    "playbooks, facts of hosts (one, a list or a folder), or a document that steward wrote"
)


@dataclass(frozen=True)
class Whose:
    """The fleet that files belong to which do not say so themselves; '' and no tags mean nobody's.

    `now`: when the judgement is made, for ages; None where the clock is not to be believed.
    `expected` and `feed`: what is set beside facts of hosts.
    `servers`: those of the fleet, so that one without facts is told. `records`: plan and server of each
    backup that it asks for, so that one without a record is.
    `ceiling`: what it may cost at most, by the policy.
    """

    stack: str
    tags: Mapping[str, str]
    now: datetime | None
    expected: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    feed: Mapping[str, object] | None = None
    servers: tuple[str, ...] = ()
    records: tuple[str, ...] = ()
    ceiling: Mapping[str, str] | Unknown | None = None


def fleet_tags(fleet: Fleet) -> dict[str, str]:
    """What resources of the fleet are tagged with, for subjects that carry no tags of their own."""
    return {
        "client": fleet.client,
        "environment": fleet.environment,
        "owner": fleet.owner,
        "region": fleet.region,
        "profile": fleet.profile,
        "stack": fleet.stack,
    }


@dataclass(frozen=True)
class Source:
    """What one file or folder held; `digest` is the SHA-256 of its content.

    `facts` of hosts and `listed` (who lists, and what) are judged with those of the other sources.
    `silent`: its subjects are there, told nothing and are not judged; what reads all hosts counts them.
    """

    name: str
    kind: str
    subjects: tuple[Subject, ...]
    digest: str
    facts: tuple[Mapping[str, object], ...] = ()
    listed: Mapping[str, Listing | None] = field(default_factory=dict)
    silent: bool = False


def heard(sources: Iterable[Source]) -> frozenset[str]:
    """Ids of the subjects that told something of themselves."""
    return frozenset(subject.urn for source in sources if not source.silent for subject in source.subjects)


_Read = Callable[[Any, str, Whose], Sequence[Subject]]
FACTS: Final = "host facts"
RECORDS: Final = "backup records"
LISTERS: Final = ("provider", "vault")
"""Whose listings come as documents; the fleet file and the state are read themselves."""


def is_fleet(path: Path) -> bool:
    """Whether a YAML file looks like a fleet: it names a client and servers, which no playbook does."""
    if path.suffix not in _YAML or not path.is_file():
        return False
    with path.open("rb") as file:
        head = file.read(_LOOKED_AT)
    return all(re.search(rb"^%s:" % key, head, re.MULTILINE) for key in (b"client", b"environment"))


def read_source(path: Path, whose: Whose) -> Source:
    """The subjects of one file or folder; raises InputError that names it and what is wrong in it."""
    return _folder(path, whose) if path.is_dir() else source_of(path.name, content_of(path), whose)


def source_of(name: str, content: bytes, whose: Whose) -> Source:
    """The subjects of one file's content; raises InputError."""
    path = Path(name)
    if path.suffix in _YAML:
        text = asked(path, lambda: content.decode("utf-8"))
        return _playbooks(path, {path.name: text}, whose)
    document, digest = whole_json(path, content), hashlib.sha256(content).hexdigest()
    if isinstance(document, list) and document and all(map(_is_facts, document)):
        return Source(path.name, FACTS, (), digest, facts=tuple(document))
    if history.is_engine_history(document):
        document = history.from_engine(document)
    if not isinstance(document, dict):
        raise _nothing(path, type(document).__name__)
    if _is_facts(document):
        return Source(path.name, FACTS, (), digest, facts=(document,))
    if document.get("schema") == population.SCHEMA:
        return Source(path.name, "listing", (), digest, listed=_listed(path, document))
    kind, read = _reader(path, document)
    found = tuple(asked(path, lambda: read(document, path.name, whose)))
    # An engine's state lists the population as well; a preview only says what would be.
    listed = {"state": population.state_listing(found)} if kind == "state" else {}
    return Source(path.name, kind, found, digest, listed=listed)


def document_source(name: str, document: Mapping[str, Any], digest: str, whose: Whose) -> Source:
    """The subjects of a document of costs, backups or changes, told by its schema; raises InputError."""
    kind, read = _DOCUMENTS[document["schema"]]
    found = asked(Path(name), lambda: read(document, name, whose))
    return Source(name, kind, tuple(found), digest)


def _folder(path: Path, whose: Whose) -> Source:
    """A folder of playbooks, or one of facts of hosts."""
    from policies.subjects.playbooks import read_folder  # its parser weighs more than a preview's judgement

    texts = asked(path, lambda: read_folder(path))
    contents = {file.name: content_of(file) for file in sorted(path.glob("*.json"))[: _MOST_DOCUMENTS + 1]}
    if texts and any(hosts.SCHEMA.encode() in content for content in contents.values()):
        raise _nothing(path, "playbooks and facts of hosts in one folder", "Keep them in two folders.")
    if texts:
        return _playbooks(path, texts, whose)
    if not contents or len(contents) > _MOST_DOCUMENTS:
        raise _nothing(path, f"a folder with {'too many' if contents else 'no'} such files")
    read = [source_of(name, content, whose) for name, content in contents.items()]
    strange = next((each for each in read if each.kind != FACTS), None)
    if strange is not None:
        raise _nothing(
            path / strange.name,
            f"{strange.kind} among facts of hosts",
            "Name that file with --from of its own.",
        )
    digest = hashlib.sha256("".join(each.digest for each in read).encode()).hexdigest()
    return Source(path.name, FACTS, (), digest, facts=tuple(one for each in read for one in each.facts))


def _is_facts(document: object) -> bool:
    return isinstance(document, dict) and document.get("schema") == hosts.SCHEMA


def _listed(path: Path, document: Mapping[str, Any]) -> Mapping[str, Listing | None]:
    lister = document.get("source")
    if lister not in LISTERS:
        raise InputError(
            "policy check", "the listing does not say who lists", place=f"{path}: source",
            rule=" or ".join(LISTERS), got=shown(lister), next_step="Write the listing again.",
        )  # fmt: skip
    return {str(lister): asked(path, lambda: population.read_listing(document))}


def _playbooks(path: Path, files: Mapping[str, str], whose: Whose) -> Source:
    from policies.subjects.playbooks import playbook_subjects

    found = asked(path, lambda: playbook_subjects(files, stack=whose.stack, tags=whose.tags))
    digest = hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()
    return Source(path.name, "playbooks", tuple(found), digest)


_DOCUMENTS: Final[Mapping[str, tuple[str, _Read]]] = {
    backups.SCHEMA: (
        RECORDS,
        lambda body, _name, whose: backups.backup_subjects(
            body, stack=whose.stack, tags=whose.tags, now=whose.now
        ),
    ),
    costs.SCHEMA: (
        "cost lines",
        lambda body, _name, whose: costs.cost_subjects(
            body, stack=whose.stack, tags=whose.tags, now=whose.now, ceiling=whose.ceiling
        ),
    ),
    history.SCHEMA: (
        "engine history",
        lambda body, _name, whose: history.history_subjects(body, stack=whose.stack, tags=whose.tags),
    ),
}


def _reader(path: Path, document: Mapping[str, Any]) -> tuple[str, _Read]:
    schema = document.get("schema")
    if isinstance(schema, str) and schema in _DOCUMENTS:
        return _DOCUMENTS[schema]
    if "steps" in document and schema is None:
        return "preview", lambda body, name, _whose: plan.preview_subjects(body, name=name)
    if "deployment" in document:
        return "state", lambda body, name, _whose: plan.state_subjects(body, name=name)
    got = (
        f"schema {shown(schema)}" if schema else f"keys {', '.join(map(shown, list(document)[:5])) or 'none'}"
    )
    raise _nothing(path, got)


def _nothing(path: Path, got: str, next_step: str = "") -> InputError:
    return InputError(
        "policy check", "this is nothing that can be judged", place=str(path), rule=_KNOWN, got=got,
        next_step=next_step or "Give the file that one of these commands wrote.",
    )  # fmt: skip
