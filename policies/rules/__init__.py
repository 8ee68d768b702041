"""The rules: catalog metadata and check functions, joined by id and checked against each other both ways."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Final

from policies.catalog import load_catalog
from policies.model import PackError, Rule, Scope, StackCheck, SubjectCheck
from policies.rules import backups, network, quality, storage

SUBJECT_CHECKS: Final[Mapping[str, SubjectCheck]] = {
    "network.ssh-not-public": network.ssh_not_public,
    "network.sources-not-too-wide": network.sources_not_too_wide,
    "network.private-range": network.private_range,
    "storage.data-is-protected": storage.data_is_protected,
    "backups.vault-is-elsewhere": backups.vault_is_elsewhere,
    "backups.rpo-within-profile": backups.rpo_within_profile,
    "backups.keep-within-profile": backups.keep_within_profile,
    "quality.tags-complete": quality.tags_complete,
    "quality.service-has-owner": quality.service_has_owner,
    "quality.type-is-known": quality.type_is_known,
}
STACK_CHECKS: Final[Mapping[str, StackCheck]] = {
    "backups.data-is-covered": backups.data_is_covered,
}


@cache
def all_rules() -> tuple[Rule, ...]:
    """Every rule in catalog order; raises PackError when catalog and functions do not match."""
    return join(load_catalog(), SUBJECT_CHECKS, STACK_CHECKS)


def join(
    catalog: tuple[Rule, ...],
    subject_checks: Mapping[str, SubjectCheck],
    stack_checks: Mapping[str, StackCheck],
) -> tuple[Rule, ...]:
    """Give each entry its function; raises PackError naming each entry and each function left alone."""
    entries = {rule.id: rule.scope for rule in catalog}
    functions = dict.fromkeys(subject_checks, Scope.SUBJECT) | dict.fromkeys(stack_checks, Scope.STACK)
    mistakes = [f"{name}: in the catalog, but no function" for name in entries.keys() - functions.keys()]
    mistakes += [f"{name}: a function, but not in the catalog" for name in functions.keys() - entries.keys()]
    mistakes += [
        f"{name}: scope {entries[name]} in the catalog, {functions[name]} by its function"
        for name in entries.keys() & functions.keys()
        if entries[name] is not functions[name]
    ]
    if mistakes:
        raise PackError("; ".join(sorted(mistakes)))
    return tuple(
        replace(rule, check=subject_checks.get(rule.id), stack_check=stack_checks.get(rule.id))
        for rule in catalog
    )
