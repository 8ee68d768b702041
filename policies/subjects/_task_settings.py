"""Settings of Ansible that bring in code and roles: which folders an ansible.cfg names."""

from __future__ import annotations

import configparser
from collections.abc import Iterator, Mapping
from typing import Final

from policies.facts import Unknown, shown
from policies.model import PackError
from policies.subjects._task_paths import within

CONFIGURATION: Final = "ansible.cfg"
ROLES: Final = "roles_path"
_CODE: Final = frozenset({"library", "module_utils"})
_COLLECTIONS: Final = frozenset({"collections_path", "collections_paths"})
_PROGRAMS: Final = frozenset(
    {"vault_password_file", "become_password_file", "connection_password_file", "vault_identity_list"}
)
"""Files that Ansible runs where they may be executed."""
_PLUGINS: Final = "_plugins"
_DISCOVERED: Final = frozenset({"enable_plugins", "run_vars_plugins"})
"""Which plugins are used and when, not where they lie."""


def read_settings(text: str, name: str) -> Mapping[str, Mapping[str, str]]:
    """The sections of an ansible.cfg; raises PackError."""
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(text)
    except configparser.Error as error:
        raise PackError(f"{shown(name)}: not a settings file: {shown(str(error))}") from None
    return {section: dict(parser.items(section)) for section in parser.sections()}


def named_folders(
    sections: Mapping[str, Mapping[str, str]], name: str
) -> Iterator[tuple[str, str, str | Unknown | None]]:
    """Setting, path as written, and where that leads: in the folder, out of it (None), or nobody knows."""
    parent = name.rpartition("/")[0]
    for section, settings in sections.items():
        for key, value in settings.items():
            if _is_place(key):
                for path in filter(None, (each.strip() for each in _paths(key, value))):
                    yield f"{section}.{key}", path, _led(parent, path)


def folders_of_code(text: str, name: str) -> Iterator[str]:
    """The folders in which an ansible.cfg has Ansible look for modules and plugins."""
    for key, _, folder in named_folders(read_settings(text, name), name):
        if isinstance(folder, str) and _is_code(key.rpartition(".")[2]):
            yield folder


def role_folders(text: str, name: str) -> Iterator[str]:
    """The folders in which an ansible.cfg has Ansible look for roles."""
    for key, _, folder in named_folders(read_settings(text, name), name):
        if isinstance(folder, str) and key.endswith(f".{ROLES}"):
            yield folder


def _is_code(key: str) -> bool:
    return key in _CODE or (key.endswith(_PLUGINS) and key not in _DISCOVERED)


def _is_place(key: str) -> bool:
    return _is_code(key) or key in _COLLECTIONS | _PROGRAMS | {ROLES}


def _paths(key: str, value: str) -> list[str]:
    if key == "vault_identity_list":
        sources = (each.rpartition("@")[2] for each in value.split(","))
        return [source for source in sources if source.strip() != "prompt"]
    return [value] if key in _PROGRAMS else value.split(":")


def _led(parent: str, path: str) -> str | Unknown | None:
    if "{{" in path or "$" in path:
        return Unknown(f"known where Ansible runs: {shown(path)}")
    return within(parent, path)
