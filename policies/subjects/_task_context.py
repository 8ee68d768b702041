"""What a task inherits from blocks, imports, roles and plays; one file may be used by several plays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Final

from policies.facts import Unknown, shown
from policies.subjects._lined_yaml import UnsafeText
from policies.subjects._task_words import module_name

MOST_TEXT: Final = 8_192
"""Characters of one text: rules search texts by patterns, whose cost may grow with the square."""
_LONGEST_REASON: Final = 60
_UNREACHED: Final = Unknown("no play in the files uses this file")
_DIFFERS: Final = Unknown("differs between the plays that use this file")
_TRUE: Final = frozenset({"yes", "true", "on", "1", "y", "t"})
_FALSE: Final = frozenset({"no", "false", "off", "0", "n", "f"})


@dataclass(frozen=True)
class Context:
    """Keywords in force where a task stands, before its own."""

    play: object = ""
    role: object = ""
    become: object = False
    become_user: object = "root"
    no_log: object = False
    ignore_errors: object = False
    delegate_to: object = None
    connection: object = None
    environment: object = field(default_factory=dict)
    collections: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    module_defaults: object = field(default_factory=dict)
    """Arguments by module in full, before what a task says itself; unknown where a template makes them."""

    def below(self, keywords: Mapping[str, object]) -> Context:
        """The same with what a play, role, block or task says itself."""
        own: dict[str, object] = {
            key: flag(keywords[key]) for key in ("become", "no_log", "ignore_errors") if key in keywords
        }
        own |= {
            key: known(keywords[key])
            for key in ("become_user", "delegate_to", "connection")
            if key in keywords
        }
        if "environment" in keywords:
            own["environment"] = _merged(self.environment, keywords["environment"])
        if "collections" in keywords:
            own["collections"] = tuple(texts(keywords["collections"]))
        if "module_defaults" in keywords:
            named = own.get("collections", self.collections)
            own["module_defaults"] = _defaults(self.module_defaults, keywords["module_defaults"], named)
        if "tags" in keywords:
            own["tags"] = tuple(dict.fromkeys((*self.tags, *texts(keywords["tags"]))))
        return replace(self, **own) if own else self  # type: ignore[arg-type]


UNREACHED: Final = Context(
    become=_UNREACHED,
    become_user=_UNREACHED,
    no_log=_UNREACHED,
    ignore_errors=_UNREACHED,
    delegate_to=None,
    environment=_UNREACHED,
)
"""Of a task file that stands alone: what a play would add is not known."""


def merged(contexts: Sequence[Context]) -> Context:
    """What holds wherever the file is used; a keyword on which the plays differ is not known."""
    if not contexts:
        return UNREACHED
    first, rest = contexts[0], contexts[1:]
    differing: dict[str, object] = {}
    for each in fields(Context):
        if any(getattr(other, each.name) != getattr(first, each.name) for other in rest):
            differing[each.name] = _DIFFERS
    if "play" in differing:
        differing["play"] = ", ".join(dict.fromkeys(shown(context.play) for context in contexts))
    if "collections" in differing:
        differing["collections"] = tuple(
            dict.fromkeys(c for context in contexts for c in context.collections)
        )
    if "tags" in differing:
        differing["tags"] = ()
    return replace(first, **differing) if differing else first  # type: ignore[arg-type]


def is_template(value: object) -> bool:
    """Whether Ansible replaces something in the text."""
    return isinstance(value, str) and not isinstance(value, UnsafeText) and ("{{" in value or "{%" in value)


def known(value: object) -> object:
    """The value, where each text that is one template as a whole is unknown, at any depth."""
    if isinstance(value, dict):
        return {key: known(each) for key, each in value.items()}
    if isinstance(value, list):
        return [known(each) for each in value]
    if isinstance(value, str) and len(value) > MOST_TEXT:
        return too_long(value)
    if isinstance(value, str) and is_template(value) and _whole(value.strip()):
        return Unknown(f"a template: {_short(value)}")
    return str(value) if isinstance(value, UnsafeText) else value


def too_long(text: str) -> Unknown:
    """Stands for a text that no rule searches."""
    return Unknown(f"a text of {len(text)} characters; at most {MOST_TEXT} are judged")


def flag(value: object) -> object:
    """True or false as Ansible reads it, else unknown."""
    if isinstance(value, bool | Unknown):
        return value
    word = str(value).strip().lower()
    if word in _TRUE | _FALSE:
        return word in _TRUE
    return Unknown(f"a template: {_short(str(value))}")


def texts(value: object) -> list[str]:
    """A list of texts, of one text, of a text with commas or of nothing."""
    if value is None:
        return []
    entries: Iterable[object] = value if isinstance(value, list) else str(value).split(",")
    return [str(entry).strip() for entry in entries if not isinstance(entry, dict | list)]


def _whole(text: str) -> bool:
    return text.startswith("{{") and text.endswith("}}") and text.count("{{") == 1


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_REASON else line[: _LONGEST_REASON - 1] + "…"


def _merged(outer: object, own: object) -> object:
    """Environments add up, the inner one last; Ansible also takes a list of them."""
    result = outer
    for layer in own if isinstance(own, list) else [own]:
        values = known(layer)
        if not isinstance(values, dict):
            return values if isinstance(values, Unknown) else Unknown("not a mapping")
        result = {**result, **values} if isinstance(result, dict) else result
    return result


def _defaults(outer: object, own: object, collections: object) -> object:
    """What a play or block says for all its tasks; the inner word on a module replaces the outer one."""
    result: object = outer
    for layer in own if isinstance(own, list) else [own]:
        if layer is None:
            continue
        if not isinstance(layer, dict) or not isinstance(result, dict):
            return result if isinstance(result, Unknown) else Unknown(f"a template: {_short(str(layer))}")
        named = collections if isinstance(collections, tuple) else ()
        result = {**result, **{_module(key, named): value for key, value in layer.items()}}
    return result


def _module(written: str, collections: tuple[str, ...]) -> str:
    name = module_name(written, collections)
    return written if isinstance(name, Unknown) else name
