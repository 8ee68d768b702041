"""Controls of public frameworks that rules help to meet: one YAML file a framework, read on demand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from policies import yamlfile
from policies.model import PackError, Rule

_HERE: Final = Path(__file__).parent


@dataclass(frozen=True)
class Framework:
    """A framework and the controls of it that are used here, by id."""

    id: str
    title: str
    version: str
    controls: Mapping[str, str]


@cache
def load_frameworks(folder: Path = _HERE) -> Mapping[str, Framework]:
    """All frameworks by id; raises PackError."""
    return {path.stem: _framework(path) for path in sorted(folder.glob("*.yaml"))}


def unknown_controls(rules: tuple[Rule, ...]) -> list[str]:
    """Each mapping of a rule to a control that no framework file has."""
    frameworks = load_frameworks()
    return [
        f"{rule.id}: {framework} {control}"
        for rule in rules
        for framework, controls in rule.controls.items()
        for control in controls
        if framework not in frameworks or control not in frameworks[framework].controls
    ]


def _framework(path: Path) -> Framework:
    place = f"controls/{path.name}"
    keys = ("title", "version", "controls")
    body = yamlfile.mapping(yamlfile.read(path), place, required=keys, optional=())
    controls = yamlfile.mapping(body["controls"], f"{place}.controls")
    if not all(isinstance(title, str) for title in controls.values()):
        raise PackError(f"{place}.controls: every title is a text")
    return Framework(
        id=path.stem,
        title=str(body["title"]),
        version=str(body["version"]),
        controls={control: str(title) for control, title in controls.items()},
    )
