"""Pages made from the code: every command from the command line itself, every rule from the catalog.

`python -P docs/_extensions/steward_reference.py` writes them; a test fails while they differ from the code.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "docs" / "reference"


def commands_page() -> str:
    """Every verb with its options and an example."""
    from orchestrator.cli.main import app

    root = typer.main.get_command(app)
    lines = ["# Commands", "", "Made from the command line itself: `steward VERB --help` says the same.", ""]
    lines += [*_paragraphs(str(root.help)), "", *_options(root)]
    for words, command in leaves(root):
        lines += ["", f"## steward {words}", "", *_command(words, command)]
    return "\n".join(lines) + "\n"


def rules_page() -> str:
    """Every built-in rule: what it asks for, why, and how to mend a finding."""
    from policies.pack import load_pack

    pack = load_pack(None)
    profiles = pack.profiles.ordered
    lines = ["# Rules", "", "Made from the catalog: `steward policy explain RULE` says the same.", ""]
    lines += ["What each profile does with a rule: *mandatory* blocks, *advisory* tells.", ""]
    lines += ["| rule | severity | " + " | ".join(each.name for each in profiles) + " |"]
    lines += ["| --- | --- |" + " --- |" * len(profiles)]
    for rule in pack.rules:
        lines.append(
            f"| [{rule.id}](#{_anchor(rule.id)}) | {rule.severity} | "
            + " | ".join(each.enforcement(rule.id) for each in profiles)
            + " |"
        )
    for rule in pack.rules:
        lines += ["", f"## {rule.id}", "", rule.title + ".", "", _one_line(rule.rationale), ""]
        lines += [f"To mend: {_one_line(rule.remediation)}", ""]
        controls = [f"{name} {', '.join(ids)}" for name, ids in rule.controls.items()]
        lines += [f"Controls: {'; '.join(controls)}"]
    return "\n".join(lines) + "\n"


def leaves(command: Any, words: str = "") -> Iterator[tuple[str, Any]]:
    """The commands that do something, by their words; typer's groups have `commands`."""
    if not hasattr(command, "commands"):
        yield words, command
        return
    for name, below in command.commands.items():
        yield from leaves(below, f"{words} {name}".strip())


def _command(words: str, command: Any) -> list[str]:
    text, examples = _split(str(command.help or ""))
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    usage = " ".join(["steward", words, *(_argument(each) for each in arguments), "[OPTIONS]"])
    lines = ["```", usage, "```", "", *_paragraphs(text)]
    lines += ["", *_options(command)]
    if examples:
        lines += ["", "```console", *(f"$ {each}" for each in examples), "```"]
    return lines


def _argument(parameter: Any) -> str:
    name = str(parameter.metavar or parameter.name.upper())
    return name if parameter.required else f"[{name}]"


def _options(command: Any) -> list[str]:
    rows = [_row(each) for each in command.params if not getattr(each, "hidden", False)]
    return ["| option | what it does |", "| --- | --- |", *rows] if rows else []


def _row(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        name = f"`{_argument(parameter)}`"
    else:
        spelled = ", ".join(sorted((*parameter.opts, *parameter.secondary_opts), key=len))
        flag = getattr(parameter, "is_flag", False) or getattr(parameter, "count", False)
        name = f"`{spelled}`" if flag else f"`{spelled} {parameter.metavar or parameter.name.upper()}`"
    text = _one_line(str(getattr(parameter, "help", None) or ""))
    if parameter.required and parameter.param_type_name != "argument":
        text += " **Required.**"
    elif parameter.default not in (None, False, (), [], "") and not callable(parameter.default):
        text += f" Default: `{parameter.default}`."
    return f"| {name} | {text.strip()} |"


def _split(text: str) -> tuple[str, list[str]]:
    """The help without its examples, and these."""
    examples = re.findall(r"^Examples?: (.+)$", text, flags=re.MULTILINE)
    return re.sub(r"^Examples?: .+$", "", text, flags=re.MULTILINE).strip(), examples


def _paragraphs(text: str) -> list[str]:
    """Paragraphs, each on one line, a blank line between."""
    parts = [_one_line(part) for part in text.split("\n\n") if part.strip()]
    return "\n\n".join(parts).split("\n")


def _one_line(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _anchor(heading: str) -> str:
    return re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-")


PAGES = {"commands.md": commands_page, "rules.md": rules_page}


def main() -> None:
    """Write the pages."""
    for name, make in PAGES.items():
        (REFERENCE / name).write_text(make())


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
