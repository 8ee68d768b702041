"""Files that a fleet includes, for many fleets that are alike: read below one folder, merged exactly.

Mappings merge key by key and the including file wins; lists and single values are replaced as a whole; a key
that is null removes what was included. Of several included files the later one wins.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from stacks.fleet.explain import INCLUDE
from stacks.fleet.mistakes import Mistake, Place, nearest, shown, shown_value
from stacks.fleet.reader import LARGEST_FILE_BYTES, Budget, Document, NotYaml, Spot, read, text_of

SCRATCH: Final = "x-"
"""Keys at the top of a file that begin so hold anchors for its other keys, and say nothing by themselves."""
MOST_FILES: Final = 20
_PROJECT_FILE: Final = "Pulumi.yaml"
_SUFFIXES: Final = (".yaml", ".yml")


class Unreadable(Exception):  # noqa: N818  # says what it is
    """A file that cannot be read at all, in words that follow its name."""


def bytes_of(path: Path) -> bytes:
    """At most one byte more than a file may have; raises Unreadable."""
    try:
        if path.exists() and not path.is_file():
            raise Unreadable("is not a file")
        with path.open("rb") as file:
            return file.read(LARGEST_FILE_BYTES + 1)
    except OSError as problem:
        raise Unreadable(f"cannot be read: {problem.strerror}") from problem
    except ValueError as problem:  # a NUL in the name
        raise Unreadable("is not the name of a file") from problem


def merge(base: Document, over: Document) -> Document:
    """What the two say together; see the module's first words."""
    replaced: set[Place] = set()
    values = _merged(base.values, over.values, (), replaced)
    spots = {place: spot for place, spot in base.spots.items() if not _below(place, replaced)}
    return Document(values, {**spots, **over.spots}, [*base.mistakes, *over.mistakes])


def _merged(base: Mapping[str, Any], over: Mapping[str, Any], place: Place, replaced: set[Place]) -> Any:
    found = dict(base)
    for key, value in over.items():
        below = (*place, key)
        if key in base and isinstance(base[key], dict) and isinstance(value, dict):
            found[key] = _merged(base[key], value, below, replaced)
            continue
        if key in base:
            replaced.add(below)
        if key in base and value is None:
            del found[key]
        else:
            found[key] = value
    return found


def _below(place: Place, replaced: set[Place]) -> bool:
    return bool(replaced) and any(place[:end] in replaced for end in range(1, len(place) + 1))


class Family:
    """A fleet file with everything it includes; knows which files were read."""

    def __init__(self, path: Path | None, raw: bytes) -> None:
        self._path = path.resolve() if path else None
        self._root = project_folder(self._path.parent) if self._path else None
        self._budget = Budget()
        self._digests = [hashlib.sha256(raw).hexdigest()]
        self.files: list[Path] = []
        """Those included, in the order of reading."""
        self.unread = False
        """Whether one of them could not be read, so that what is missing tells nothing."""

    def document(self, raw: bytes) -> Document:
        """The merged document of the fleet file's bytes; raises NotYaml where these are none."""
        return self._over(
            read(text_of(raw), "", self._budget), "", () if self._path is None else (self._path,)
        )

    def digest(self) -> str:
        """SHA-256 in hex of the fleet file's bytes; with included files, of the digests and names of all."""
        if not self.files:
            return self._digests[0]
        names = ["", *map(self._label, self.files)]
        rows = [f"{name}\0{digest}\n" for name, digest in zip(names, self._digests, strict=True)]
        return hashlib.sha256("".join(rows).encode("utf-8", "surrogateescape")).hexdigest()

    def _over(self, document: Document, source: str, chain: tuple[Path, ...]) -> Document:
        """A document over all that it includes."""
        values = document.values
        if not isinstance(values, dict):
            return document
        base = Document({}, {})
        for place, name in self._names(values, document, source):
            try:
                base = merge(base, self._part(name, chain))
            except Unreadable as problem:
                self._tell(document, source, place, str(problem))
        own = {key: value for key, value in values.items() if key != INCLUDE and not key.startswith(SCRATCH)}
        return merge(base, Document(own, document.spots, document.mistakes))

    def _names(
        self, values: Mapping[str, Any], document: Document, source: str
    ) -> Iterator[tuple[Place, str]]:
        if INCLUDE not in values:
            return
        found = values[INCLUDE]
        if not isinstance(found, list) or not found:
            self._tell(
                document,
                source,
                (INCLUDE,),
                f"write a list of files, for example [common.yaml]; got {shown_value(found)}",
            )
            return
        for number, name in enumerate(found):
            if isinstance(name, str) and name:
                yield (INCLUDE, number), name
            else:
                self._tell(
                    document, source, (INCLUDE, number), f"write the name of a file; got {shown_value(name)}"
                )

    def _part(self, name: str, chain: tuple[Path, ...]) -> Document:
        """An included file over all that it includes itself; raises Unreadable."""
        path = self._allowed(name, chain)
        label = self._label(path)
        if len(self.files) >= MOST_FILES:
            raise Unreadable(f"more than {MOST_FILES} files are included; put some of them together")
        try:
            raw = bytes_of(path)
        except Unreadable as problem:
            raise Unreadable(f"'{shown(name)}' {problem}{_near(path)}") from problem
        self.files.append(path)
        self._digests.append(hashlib.sha256(raw).hexdigest())
        try:
            document = read(text_of(raw), label, self._budget)
        except NotYaml as problem:
            self.unread = True
            return Document({}, {}, [Mistake((), problem.message, problem.line, label)])
        if not isinstance(document.values, dict):
            self.unread = True
            message = f"an included file is a mapping of keys, not {shown_value(document.values)}"
            return Document({}, {}, [*document.mistakes, Mistake((), message, 1, label)])
        return self._over(document, label, (*chain, path))

    def _allowed(self, name: str, chain: tuple[Path, ...]) -> Path:
        if self._root is None:
            raise Unreadable("files can be included by a file only")
        if "\0" in name or Path(name).is_absolute() or not name.endswith(_SUFFIXES):
            raise Unreadable(
                f"'{shown(name)}' is not a YAML file by its path from here, such as ../common/shop.yaml"
            )
        try:
            path = (chain[-1].parent / name).resolve()
        except (OSError, RuntimeError) as problem:  # a name that is too long, links that lead to each other
            raise Unreadable(f"'{shown(name)}' leads to no file") from problem
        if not path.is_relative_to(self._root):
            raise Unreadable(
                f"'{shown(name)}' lies outside of {shown(str(self._root), 200)}; keep included files below it"
            )
        if path in chain:
            circle = " → ".join(self._label(each) for each in (*chain[chain.index(path) :], path))
            raise Unreadable(f"'{shown(name)}' includes itself: {shown(circle, 200)}")
        return path

    def _label(self, path: Path) -> str:
        """A file as the fleet file would name it."""
        return os.path.relpath(path, self._path.parent) if self._path else path.name

    def _tell(self, document: Document, source: str, place: Place, message: str) -> None:
        self.unread = True
        spot = document.spots.get(place) or document.spots.get(place[:1]) or Spot(source, 1)
        document.mistakes.append(Mistake(place, message, spot.line, source))


def project_folder(folder: Path) -> Path:
    """The folder at or above with Pulumi.yaml; without one nothing above the given folder is read."""
    return next((each for each in (folder, *folder.parents) if (each / _PROJECT_FILE).is_file()), folder)


def _near(path: Path) -> str:
    """The names that there are instead."""
    try:
        there = [each.name for each in path.parent.iterdir() if each.suffix in _SUFFIXES]
    except OSError:
        return ""
    return f"; {nearest(path.name, map(shown, there))}" if there else "; there is no YAML file in that folder"
