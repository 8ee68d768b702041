"""Rules about secrets in playbooks: none in clear, and none in the output of a run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from policies.facts import Facts, shown
from policies.model import Finding, Outcome, Subject
from policies.rules._secret_words import (
    fallback,
    holds_secret,
    is_placeholder,
    looks_random,
    secret_in_templates,
    secret_shape,
)
from policies.rules._task_facts import module, not_for, written

_SILENT: Final = frozenset(
    f"ansible.builtin.{name}"
    for name in ("assert", "meta", "import_tasks", "include_tasks", "import_role", "include_role")
)
"""Modules that show a condition or a name, never a value."""
_SHOWN: Final = ("args", "freeForm", "vars", "environment", "loop", "with_")
_EXPECTED: Final = "a reference: Ansible Vault, or a variable that Steward gives"


def no_plain_secrets(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """No secret stands in clear; a finding says where and how long, never what."""
    bits = params.number("max_entropy_bits")

    def judge(row: Facts) -> Iterator[Outcome]:
        if row.flag("vaulted"):
            return
        key, text, is_template = row.text("key"), row.text("text"), row.flag("template")
        value = fallback(text) if is_template else text
        what = ""
        if value and holds_secret(key) and not is_placeholder(value):
            what = "the value of a secret"
        elif secret_shape(text):
            what = secret_shape(text)
        elif value and looks_random(key, value, bits):
            what = "a text as random as a key"
        if what:
            size = f"{len(value or text)} characters"
            yield Finding(shown(row.text("path")), f"{what} stands in clear", size, _EXPECTED)

    yield from written(subject, judge)


def secrets_not_logged(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """A task that handles a secret by its name does not show what it does."""
    if module(subject) in _SILENT:
        yield not_for(subject, "modules that show values")
        return
    told = False

    def judge(row: Facts) -> Iterator[Outcome]:
        nonlocal told
        if told or not row.text("path").startswith(_SHOWN):
            return
        name = _secret(row)
        if name and subject.facts.flag("noLog"):
            told = True
        elif name:
            told = True
            problem = f"{shown(name)} can be read in the output of the run"
            yield Finding(subject.facts.where("noLog"), problem, "no_log is not set", "no_log: true")

    yield from written(subject, judge)


def _secret(row: Facts) -> str:
    """The name by which a text is a secret, or nothing."""
    key, text = row.text("key"), row.text("text")
    if holds_secret(key) and (row.flag("vaulted") or not is_placeholder(text)):
        return key
    return secret_in_templates(text) if row.flag("template") else ""
