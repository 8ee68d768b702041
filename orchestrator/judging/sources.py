"""Files as subjects: previews, state exports, playbooks, and the documents that other verbs wrote.

Nothing is asked: no engine, no cloud, no host. A file is known by what stands in it, not by its name.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from orchestrator.errors import InputError
from policies.facts import shown
from policies.model import PackError, Subject
from policies.subjects import backups, costs, plan, playbooks
from policies.subjects.document import DocumentError

MOST_BYTES: Final = 256 * 1024 * 1024
"""Of one file; a preview of ten thousand resources has about a fifth of it."""
if TYPE_CHECKING:
    from stacks.fleet.model import Fleet

_YAML: Final = (".yml", ".yaml")
_LOOKED_AT: Final = 65_536
_KNOWN: Final = (
    "a preview (pulumi preview --json --show-sames), a state (pulumi stack export), a folder or file of "
    "playbooks, or a document that steward wrote"
)


@dataclass(frozen=True)
class Whose:
    """The fleet that files belong to which do not say so themselves; '' and no tags mean nobody's.

    `now`: when the judgement is made, for ages.
    """

    stack: str
    tags: Mapping[str, str]
    now: datetime


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
    """What one file or folder held; `digest` is the SHA-256 of its content."""

    name: str
    kind: str
    subjects: tuple[Subject, ...]
    digest: str


_Read = Callable[[Any, str, Whose], Sequence[Subject]]


def is_fleet(path: Path) -> bool:
    """Whether a YAML file looks like a fleet: it names a client and servers, which no playbook does."""
    if path.suffix not in _YAML or not path.is_file():
        return False
    with path.open("rb") as file:
        head = file.read(_LOOKED_AT)
    return all(re.search(rb"^%s:" % key, head, re.MULTILINE) for key in (b"client", b"environment"))


def read_source(path: Path, whose: Whose) -> Source:
    """The subjects of one file or folder; raises InputError that names it and what is wrong in it."""
    if path.is_dir():
        return _playbooks(path, _asked(path, lambda: playbooks.read_folder(path)), whose)
    content = _bytes(path)
    return source_of(path.name, content, whose)


def source_of(name: str, content: bytes, whose: Whose) -> Source:
    """The subjects of one file's content; raises InputError."""
    path = Path(name)
    if path.suffix in _YAML:
        text = _asked(path, lambda: content.decode("utf-8"))
        return _playbooks(path, {path.name: text}, whose)
    document = _document(path, content)
    kind, read = _reader(path, document)
    found = _asked(path, lambda: read(document, path.name, whose))
    return Source(path.name, kind, tuple(found), hashlib.sha256(content).hexdigest())


def _playbooks(path: Path, files: Mapping[str, str], whose: Whose) -> Source:
    found = _asked(path, lambda: playbooks.playbook_subjects(files, stack=whose.stack, tags=whose.tags))
    digest = hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()
    return Source(path.name, "playbooks", tuple(found), digest)


_DOCUMENTS: Final[Mapping[str, tuple[str, _Read]]] = {
    backups.SCHEMA: (
        "backup records",
        lambda body, _name, whose: backups.backup_subjects(
            body, stack=whose.stack, tags=whose.tags, now=whose.now
        ),
    ),
    costs.SCHEMA: (
        "cost lines",
        lambda body, _name, whose: costs.cost_subjects(
            body, stack=whose.stack, tags=whose.tags, now=whose.now
        ),
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
    raise InputError(
        "policy check", "this is nothing that can be judged", place=str(path), rule=_KNOWN, got=got,
        next_step="Give the file that one of these commands wrote.",
    )  # fmt: skip


def _document(path: Path, content: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as problem:
        raise InputError(
            "policy check", "the file is not whole JSON, so nothing in it is judged", place=str(path),
            got=shown(str(problem)), next_step="Write it again: it may have been cut off.",
        ) from problem  # fmt: skip
    if not isinstance(found, dict):
        raise InputError(
            "policy check", "this is nothing that can be judged", place=str(path), rule=_KNOWN,
            got=type(found).__name__,
        )  # fmt: skip
    return found


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as problem:
        raise InputError(
            "policy check", f"cannot be read: {problem.strerror}", place=str(path),
            next_step="Name a file or folder that is there.",
        ) from problem  # fmt: skip
    if len(content) > MOST_BYTES:
        raise InputError(
            "policy check", "is too large to be judged", place=str(path), rule=f"at most {MOST_BYTES} bytes",
            next_step="Judge it in parts.",
        )  # fmt: skip
    return content


def _asked(path: Path, read: Callable[[], Any]) -> Any:
    try:
        return read()
    except (PackError, DocumentError, UnicodeDecodeError) as problem:
        raise InputError(
            "policy check", f"cannot be judged: {problem}", place=str(path),
            next_step="Mend the file, or write it again.",
        ) from problem  # fmt: skip
