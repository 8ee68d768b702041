"""What lies in a vault becomes members of the population, each under the name of the server that wrote it."""

from __future__ import annotations

import json

from orchestrator.backups.credentials import RepositoryCredentials, make_credentials
from orchestrator.backups.documents import VaultDescription
from orchestrator.backups.listing import vault_listing
from policies.evaluate import evaluate
from policies.model import State
from policies.pack import all_rules
from policies.profiles import load_profiles
from policies.subjects.population import fleet_listing, read_listing, reconcile
from tests.fakes import NOON
from tests.unit.orchestrator.samples import fleet, server

WEB, DB, STRANGER = server("web-1").incarnation, server("db-1").incarnation, "ee" * 16
TAGS = {"client": "acme", "environment": "demo", "owner": "platform@acme.example", "profile": "demo"}
RULES = [rule for rule in all_rules() if rule.id.startswith("population.")]


def vault(*repositories: str) -> VaultDescription:
    return VaultDescription(
        schema="steward.vault/1", certificate="c", fingerprint="f", port=8443, repositories=repositories
    )


def owned(*pairs: tuple[str, str], stack: str = "acme-demo") -> dict[str, RepositoryCredentials]:
    return {each: make_credentials(each, name, stack, "acme-vault", NOON) for each, name in pairs}


def test_a_repository_has_the_name_of_its_server_and_one_of_nobody_its_own() -> None:
    known = owned((WEB, "web-1")) | owned((DB, "db-1"), stack="acme-other")
    document = vault_listing("acme-demo", [vault(WEB, DB), vault(WEB, STRANGER)], known)
    assert [(each["name"], each["identity"]) for each in document["entries"]] == [
        ("web-1", WEB),
        (STRANGER, STRANGER),
    ]


def test_vaults_that_were_not_asked_are_a_source_that_nobody_looked_at() -> None:
    assert read_listing(json.loads(json.dumps(vault_listing("acme-demo", None, {})))) is None


def test_the_population_tells_what_fleet_and_vault_do_not_share() -> None:
    document = vault_listing("acme-demo", [vault(WEB, STRANGER)], owned((WEB, "web-1")))
    asked = fleet_listing(fleet().model_dump(mode="json"))
    held = read_listing(json.loads(json.dumps(document)))
    members = reconcile(asked, None, None, held, stack="acme-demo", tags=TAGS)
    found = {
        (result.rule, result.subject.name)
        for result in evaluate(members, load_profiles(), rules=RULES)
        if result.state is State.FAIL
    }
    assert found == {
        ("population.plan-has-repository", "repository/web-2"),
        ("population.plan-has-repository", "repository/db-1"),
        ("population.repository-has-plan", f"repository/{STRANGER}"),
    }
