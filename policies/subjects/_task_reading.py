"""One task, play or file of variables as facts: what it does, with what, and each text as it was written."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterator, Mapping
from typing import Final

from policies.facts import Unknown, shown
from policies.model import PackError
from policies.subjects._lined_yaml import VAULTED, Lined
from policies.subjects._task_context import MOST_TEXT, Context, is_template, known, texts, too_long
from policies.subjects._task_words import FREE_FORM, SHELL_WORDS, TASK_KEYWORDS, module_name

COMMANDS: Final = frozenset(f"ansible.builtin.{name}" for name in ("command", "shell", "raw", "script"))
_WRITTEN_KEYWORDS: Final = (
    *("vars", "environment", "when", "loop", "changed_when", "failed_when", "until", "delegate_to", "name"),
)
_LOCAL: Final = "localhost"


def task_facts(
    task: Lined, context: Context, place: str, shadowed: Collection[str] = frozenset()
) -> dict[str, object]:
    """The facts of a task under what it inherits; raises PackError where Ansible would refuse it too.

    `shadowed`: names of modules that lie beside the playbooks.
    """
    written, raw, local = action_of(task, place)
    own = context.below(task)
    module = module_name(written, own.collections, shadowed)
    line, args = _arguments(module, raw, place)
    if isinstance(task.get("args"), dict):
        args = {**args, **_mapping(task["args"])}
    elif "args" in task:
        args = {"": task["args"], **args}
    args = _with_defaults(args, own.module_defaults, module)
    facts: dict[str, object] = {
        "name": _name(task),
        "module": module,
        "args": _known_arguments(args, own.module_defaults),
        "become": own.become,
        "becomeUser": own.become_user,
        "noLog": own.no_log,
        "ignoreErrors": own.ignore_errors,
        "delegateTo": _LOCAL if local else own.delegate_to,
        "connection": own.connection,
        "environment": own.environment,
        "vars": known(_mapping(task.get("vars"))),
        "when": [str(each) for each in _listed(task.get("when"))],
        "loop": _loop(task),
        "changedWhen": _said(task.get("changed_when")),
        "failedWhen": _said(task.get("failed_when")),
        "notify": texts(task.get("notify")),
        "register": _said(task.get("register")),
        "taskTags": list(own.tags),
        "play": own.play,
        "role": own.role,
    }
    if module in COMMANDS:
        facts["commandLine"] = _command_line(line, args)
    facts["freeForm"] = None if line is None else known(line)
    facts["written"] = list(_task_texts(task, written, line, args))
    return facts


def head_facts(head: Mapping[str, object], leave_out: frozenset[str]) -> dict[str, object]:
    """The facts of a play or block without its tasks, or of a file of variables."""
    return {
        "name": _name(head),
        "vars": known(_mapping(head.get("vars"))),
        "written": [
            row
            for key, value in head.items()
            if key not in leave_out
            for row in written_texts(value, key, key)
        ],
    }


def written_texts(value: object, path: str, key: str) -> Iterator[dict[str, object]]:
    """Each scalar below a value as text, with its path and the nearest key, as written."""
    if isinstance(value, dict):
        for name, each in value.items():
            yield from written_texts(each, f"{path}.{name}", name)
    elif isinstance(value, list):
        for place, each in enumerate(value):
            yield from written_texts(each, f"{path}[{place}]", key)
    elif value == VAULTED:
        yield {"path": path, "key": key, "text": "", "template": False, "number": False, "vaulted": True}
    elif value is not None:
        yield {
            "path": path,
            "key": key,
            "text": too_long(value) if isinstance(value, str) and len(value) > MOST_TEXT else _text(value),
            "template": is_template(value),
            "number": isinstance(value, int | float) and not isinstance(value, bool),
            "vaulted": False,
        }


def action_of(task: Lined, place: str) -> tuple[str, object, bool]:
    """The module as written, its raw arguments, and whether it is said to run on the control machine."""
    for key in ("action", "local_action"):
        if key in task:
            return (*_named_action(task[key], f"{place} line {task.line}"), key == "local_action")
    modules = [key for key in task if key not in TASK_KEYWORDS and not key.startswith("with_")]
    if len(modules) != 1:
        found = ", ".join(shown(key) for key in modules[:3]) or "none"
        raise PackError(f"{shown(place)} line {task.line}: a task names one module, got {found}")
    return modules[0], task[modules[0]], False


def _named_action(value: object, place: str) -> tuple[str, object]:
    if isinstance(value, dict) and isinstance(value.get("module"), str):
        return str(value["module"]), {key: each for key, each in value.items() if key != "module"}
    if not isinstance(value, str) or not value.strip():
        raise PackError(f"{shown(place)}: an action is a module with its arguments, got {shown(value)}")
    name, _, rest = value.strip().partition(" ")
    return (value.strip(), "") if "{{" in name or "{%" in name else (name, rest)


def _with_defaults(args: dict[str, object], defaults: object, module: object) -> dict[str, object]:
    """The arguments on top of what a play or block says for all tasks of the module."""
    if not isinstance(defaults, dict) or not isinstance(module, str) or module not in defaults:
        return args
    said = defaults[module]
    return {**said, **args} if isinstance(said, dict) else {"": said, **args}


def _known_arguments(args: Mapping[str, object], defaults: object) -> object:
    if isinstance(defaults, Unknown):
        return Unknown(f"module_defaults: {defaults.reason}")
    return Unknown("a template as all arguments") if "" in args else known(args)


def _arguments(module: object, raw: object, place: str) -> tuple[str | None, dict[str, object]]:
    """The free text and the named arguments; `word=value` in a text is an argument, as Ansible has it."""
    if raw is None:
        return None, {}
    if isinstance(raw, dict):
        line = raw.get("_raw_params", raw.get("cmd") if module in COMMANDS else None)
        return (str(line) if isinstance(line, str) else None), dict(raw)
    if isinstance(raw, str) and module in FREE_FORM:
        return _split_command(raw)
    if isinstance(raw, str):
        return (raw, {"": raw}) if is_template(raw) and "=" not in raw else (None, _words(raw))
    if isinstance(raw, Unknown):
        return None, {"": raw}
    raise PackError(f"{shown(place)}: arguments of {shown(module)} are a mapping or a text, got {shown(raw)}")


def _split_command(text: str) -> tuple[str, dict[str, object]]:
    """A command without the `creates=` and the like that Ansible takes out of it."""
    kept, args = [], dict[str, object]()
    for word in text.split(" "):
        key, sign, value = word.partition("=")
        if sign and key in SHELL_WORDS:
            args[key] = value
        else:
            kept.append(word)
    return " ".join(kept), args


def _words(text: str) -> dict[str, object]:
    try:
        words = shlex.split(text)
    except ValueError:
        words = text.split()
    pairs = (word.partition("=") for word in words)
    return {key: value for key, sign, value in pairs if sign}


def _command_line(line: str | None, args: Mapping[str, object]) -> object:
    """The command as one line, however it was given; raises nothing: what cannot be read is unknown."""
    argv = args.get("argv")
    if line is None and isinstance(argv, list):
        words = " ".join(str(word) for word in argv)
        return too_long(words) if len(words) > MOST_TEXT else words
    text = known(line if line is not None else argv if argv is not None else args.get("cmd"))
    return Unknown("no command is given") if text is None else text


def _task_texts(
    task: Lined, action: str, line: str | None, args: Mapping[str, object]
) -> Iterator[dict[str, object]]:
    for key, value in args.items():
        yield from written_texts(value, f"args.{key}" if key else "args", key or action)
    if line is not None and line not in args.values():
        yield from written_texts(line, "freeForm", action)
    for key in task:
        if key in _WRITTEN_KEYWORDS or key.startswith("with_"):
            yield from written_texts(task[key], key, key)


def _text(value: object) -> object:
    return value if isinstance(value, Unknown) else str(value)


def _name(entry: Mapping[str, object]) -> str:
    name = entry.get("name")
    return "" if name is None else str(name)


def _loop(task: Mapping[str, object]) -> object:
    value = next((task[key] for key in task if key == "loop" or key.startswith("with_")), None)
    return None if value is None else shown(value)


def _said(value: object) -> str | None:
    return None if value is None else shown(value)


def _listed(value: object) -> list[object]:
    return [] if value is None else value if isinstance(value, list) else [value]


def _mapping(value: object) -> dict[str, object]:
    return dict(value) if isinstance(value, dict) else {}
