"""What is declared of a server changes with what the playbooks are given, and with nothing else."""

from __future__ import annotations

from orchestrator.inventory.declared import declared
from stacks.fleet.model import Fleet
from stacks.fleet.server import Role
from tests.unit.orchestrator.samples import fleet, outputs


def with_group(made: Fleet, group: str, **changes: object) -> Fleet:
    """The fleet with other fields of one group."""
    servers = {**made.servers, group: made.servers[group].model_copy(update=changes)}
    return made.model_copy(update={"servers": servers})


def differing(changed: Fleet) -> set[str]:
    before, after = declared(fleet(), outputs()), declared(changed, outputs())
    return {name for name in after if after[name] != before.get(name)}


def test_a_value_of_a_role_is_seen_on_the_servers_that_have_it() -> None:
    group = next(name for name, spec in fleet().servers.items() if spec.role("nginx"))
    role = Role(name="nginx", variables={"site": "debian-faq"})
    names = set(fleet().servers[group].names(group))
    assert differing(with_group(fleet(), group, roles=(role,))) == names


def test_what_no_playbook_sees_changes_nothing() -> None:
    made = fleet()
    assert differing(made.model_copy(update={"owner": "somebody@else.example", "services": {}})) == set()


def test_a_secret_is_named_by_its_place_alone() -> None:
    group = next(iter(fleet().servers))
    role = Role(name="own", variables={"key": {"env": "API_KEY"}})
    (text, *_) = [
        t for t in declared(with_group(fleet(), group, roles=(role,)), outputs()).values() if "own" in t
    ]
    assert '"env": "API_KEY"' in text
