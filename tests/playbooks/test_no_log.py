"""`no_log`, audited: a task that any secret can reach says so, else its arguments end in logs and errors.

Which variables hold secrets is said by `no_log` in a role's argument specification, at any depth. From there
secrets are followed through role variables and templates into tasks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from jinja2 import Environment, nodes

ROLES = Path(__file__).parents[2] / "playbooks" / "roles"
EXPRESSIONS = {"when", "failed_when", "changed_when", "until", "that", "loop"}
"""Keys whose values are expressions without braces."""
BLOCKS = ("block", "rescue", "always")
INCLUDES = re.compile(r"(ansible\.builtin\.)?(import|include)_(tasks|role)")
PICKS = {"selectattr", "rejectattr", "select", "reject", "unique", "sort", "list", "default", "first", "last"}
"""Filters that give elements of what they get."""
EXCEPTED = {
    "app/main.yml: Put the release in place, or the one before it back": (
        "the module hides it: its argument says no_log, and why a release failed must be told"
    ),
}
"""Tasks that a secret reaches and that must be seen, with the reason."""
Path_ = tuple[str, ...]
PARSER = Environment(autoescape=False, extensions=["jinja2.ext.do"])  # noqa: S701  # read, never rendered


class _Filters(dict[str, Any]):
    """Any filter or test is known: what they do does not matter here."""

    def __contains__(self, _name: object) -> bool:
        return True


PARSER.filters = _Filters()
PARSER.tests = _Filters()


@dataclass
class Role:
    """One role as the audit sees it."""

    folder: Path
    secrets: dict[str, Any] = field(default_factory=dict)
    """Variable to its specification, for those that hold a secret somewhere."""
    derived: dict[str, str] = field(default_factory=dict)
    """Variables of defaults and vars to what they are made of."""


def read(path: Path) -> Any:
    return yaml.load(path.read_text(), Loader=_Loader) if path.exists() else None  # noqa: S506  # a safe one, see below


class _Loader(yaml.SafeLoader):
    """Safe, with Ansible's own tags read as plain values."""


_Loader.add_multi_constructor(
    "!", lambda loader, _tag, node: loader.construct_object(_untagged(node), deep=True)
)


def _untagged(node: yaml.Node) -> yaml.Node:
    kinds = {yaml.ScalarNode: "str", yaml.SequenceNode: "seq", yaml.MappingNode: "map"}
    node.tag = f"tag:yaml.org,2002:{kinds[type(node)]}"
    return node


def load(folder: Path) -> Role:
    """The role's specification and variables."""
    role = Role(folder)
    document = read(folder / "meta" / "argument_specs.yml") or {}
    for name, spec in ((document.get("argument_specs") or {}).get("main", {}).get("options") or {}).items():
        if holds_secret(spec):
            role.secrets[name] = spec
    for part in ("defaults", "vars"):
        for name, value in (read(folder / part / "main.yml") or {}).items():
            role.derived[name] = " ".join(texts(value))
    return role


def holds_secret(spec: Mapping[str, Any]) -> bool:
    """Whether a value of this specification is, or has in it, a secret."""
    inner = (spec.get("options") or {}).values()
    return bool(spec.get("no_log")) or any(holds_secret(each) for each in inner)


def texts(value: Any, *, bare: bool = False) -> Iterator[str]:
    """Every text in a value as a template; `bare` ones are expressions without braces."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from texts(item, bare=key in EXPRESSIONS)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item, bare=bare)
    elif isinstance(value, str):
        yield f"{{{{ {value} }}}}" if bare and "{{" not in value else value


def uses(text: str) -> Iterator[tuple[str, ...]]:
    """Every variable in a template, with the attributes that are read of it as far as they are plain."""
    tree = PARSER.parse(text)
    each_in = [each for each in tree.find_all(nodes.For) if isinstance(each.target, nodes.Name)]
    loops = {each.target.name: each.iter for each in each_in}
    inner = {id(each.iter) for each in each_in}  # it counts by what is read of its elements
    for each in tree.find_all((nodes.If, nodes.CondExpr)):  # whether there is any is no secret
        inner.update(map(id, (each.test, *chain(each.test, loops)[1])))
    found: list[tuple[int, tuple[str, ...]]] = []
    for node in tree.find_all((nodes.Filter, nodes.Getattr, nodes.Getitem, nodes.Name)):
        if isinstance(node, nodes.Name) and node.ctx != "load":
            continue
        counted = isinstance(node, nodes.Filter) and node.name in ("length", "count")
        path, steps = chain(node.node if counted else node, loops)  # type: ignore[union-attr]  # a Filter has one
        inner.update(map(id, steps))
        if counted:  # how many there are is no secret
            inner.update((id(node), id(node.node)))  # type: ignore[union-attr]
        if path:
            found.append((id(node), path))
    yield from (use for identity, use in found if identity not in inner)


def chain(
    node: nodes.Node | None, loops: Mapping[str, nodes.Node], depth: int = 0
) -> tuple[Path_, list[nodes.Node]]:
    """The variable at a chain's end with what is read of it, and the nodes between."""
    path: list[str] = []
    steps: list[nodes.Node] = []
    while (key := attribute(node)) is not None:
        path = [key, *path] if key else path
        node = node.node  # type: ignore[union-attr]  # attribute() gives a key for nodes that have one
        steps.append(node)
    if not isinstance(node, nodes.Name):
        return (), steps
    if node.name in loops and depth < 5:
        base, further = chain(loops[node.name], loops, depth + 1)
        return (*base, *path) if base else (), [*steps, *further]
    return (node.name, *path), steps


def attribute(node: nodes.Node | None) -> str | None:
    """What a node reads of the one below it; '' for a filter that only picks elements, None at an end."""
    if isinstance(node, nodes.Getattr):
        return node.attr
    if isinstance(node, nodes.Getitem):
        return str(getattr(node.arg, "value", None))
    if isinstance(node, nodes.Filter) and node.name in PICKS:
        return ""
    if isinstance(node, nodes.Filter) and node.name == "map":
        return next((str(getattr(k.value, "value", None)) for k in node.kwargs if k.key == "attribute"), None)
    return None


def reached(role: Role, text: str, seen: frozenset[str] = frozenset(), of: Path_ = ()) -> str:
    """The secret that a text can carry, '' for none; `of` is what is read of the text's value."""
    for name, *path in uses(text):
        whole = [*path, *of]
        if name in role.secrets and leads_to_secret(role.secrets[name], whole):
            return ".".join([name, *whole])
        if name in role.derived and name not in seen:
            found = reached(role, role.derived[name], seen | {name}, tuple(whole))
            if found:
                return f"{name} ← {found}"
    for template in re.findall(r"'([\w./@-]+\.j2)'", text):
        path_of = role.folder / "templates" / template
        if template not in seen and path_of.exists():
            found = reached(role, path_of.read_text(), seen | {template})
            if found:
                return f"{template} ← {found}"
    return ""


def leads_to_secret(spec: Mapping[str, Any], path: list[str]) -> bool:
    """Whether what is read of a variable can be its secret part; a list's elements count as the list."""
    if spec.get("no_log"):
        return True
    options = spec.get("options") or {}
    if not path or path[0] not in options:
        return holds_secret(spec)
    return leads_to_secret(options[path[0]], path[1:])


def tasks(role: Role) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every task of a role, and what a block says above it holds for it too."""
    for part in ("tasks", "handlers"):
        for path in sorted((role.folder / part).glob("*.yml")):
            for task in read(path) or []:
                yield from flat(path.name, task, {})


def flat(
    file: str, task: Mapping[str, Any], above: Mapping[str, Any]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    inherited = {**above, **{key: task[key] for key in ("no_log",) if key in task}}
    if not any(block in task for block in BLOCKS):
        yield file, {**inherited, **task}
        return
    for block in BLOCKS:
        for each in task.get(block) or []:
            yield from flat(file, each, inherited)


def unguarded(role: Role) -> list[str]:
    """Tasks that a secret reaches and that do not say no_log; what an include passes on is judged there.

    An assertion tells the expression that did not hold, never its values; one in a loop shows the item.
    """
    found = []
    for file, task in tasks(role):
        asserts = "ansible.builtin.assert" in task and "loop" not in task
        if task.get("no_log") is True or asserts or any(INCLUDES.fullmatch(key) for key in task):
            continue
        if f"{role.folder.name}/{file}: {task.get('name')}" in EXCEPTED:
            continue
        for text in texts(dict(task)):
            if carried := reached(role, text):
                found.append(f"{role.folder.name}/{file}: {task.get('name')}: {carried}")
                break
    return found


@pytest.mark.parametrize("folder", sorted(ROLES.iterdir()), ids=lambda each: each.name)
def test_a_task_that_a_secret_reaches_says_no_log(folder: Path) -> None:
    assert unguarded(load(folder)) == []


def test_there_are_secrets_to_follow_and_guarded_tasks() -> None:
    role = load(ROLES / "backup")
    assert role.secrets
    assert reached(role, "{{ backup_repository.password }}")
    assert not reached(role, "{{ backup_repository.url }}")
    assert any(task.get("no_log") is True for _, task in tasks(role))


SPEC = """
argument_specs: {main: {options: {
  r_word: {type: str, no_log: true},
  r_users: {type: list, elements: dict, options: {name: {type: str}, password: {type: str, no_log: true}}}}}}
"""


@pytest.mark.parametrize(
    ("task", "caught"),
    [
        ("{name: a, copy: {content: '{{ r_word }}'}}", True),
        ("{name: a, copy: {content: '{{ r_word }}'}, no_log: true}", False),
        ("{name: a, copy: {content: '{{ r__line }}'}}", True),
        ("{name: a, copy: {content: \"{{ lookup('template', 'r.j2') }}\"}}", True),
        ("{name: a, debug: {msg: x}, loop: '{{ r_users }}'}", True),
        ("{name: a, debug: {msg: x}, when: r_word == 'x'}", True),
        ("{block: [{name: a, copy: {content: '{{ r_word }}'}}], no_log: true}", False),
        ("{block: [{name: a, copy: {content: '{{ r_word }}'}}]}", True),
        ("{name: a, copy: {content: '{{ r_other }}'}}", False),
        ("{name: a, copy: {content: \"{{ r_users | map(attribute='name') | join }}\"}}", False),
        ("{name: a, copy: {content: \"{{ r_users | map(attribute='password') | join }}\"}}", True),
        ("{name: a, copy: {content: \"{{ r__picked | map(attribute='name') | join }}\"}}", False),
        ("{name: a, copy: {content: \"{{ r__picked | length }}\"}}", False),
        ("{name: a, copy: {content: \"{% if r_word %}yes{% endif %}\"}}", False),
        ("{name: a, copy: {content: \"{% if r_word %}{{ r_word }}{% endif %}\"}}", True),
        ("{name: a, copy: {content: \"{{ r__picked | to_json }}\"}}", True),
        ("{name: a, copy: {content: \"{% for u in r__picked %}{{ u.name }}{% endfor %}\"}}", False),
        ("{name: a, copy: {content: \"{% for u in r__picked %}{{ u.password }}{% endfor %}\"}}", True),
        ("{name: a, copy: {content: \"{% for u in r__picked %}{{ u }}{% endfor %}\"}}", True),
        ("{name: a, ansible.builtin.assert: {that: [r_word | length > 0]}}", False),
        ("{name: a, ansible.builtin.assert: {that: [item.x]}, loop: '{{ r_users }}'}", True),
        ("{name: a, debug: {msg: \"{{ r_word }}\"}, no_log: '{{ quiet }}'}", True),
    ],
)  # fmt: skip
def test_the_audit_finds_what_it_is_for(tmp_path: Path, task: str, caught: bool) -> None:
    folder = tmp_path / "r"
    for name, text in {
        "meta/argument_specs.yml": SPEC,
        "defaults/main.yml": "r__line: 'password={{ r_word }}'\n"
        "r__picked: \"{{ r_users | selectattr('name') }}\"\n",
        "templates/r.j2": "{% for user in r_users %}{{ user.password }}{% endfor %}",
        "tasks/main.yml": f"- {task}\n",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    assert bool(unguarded(load(folder))) is caught
