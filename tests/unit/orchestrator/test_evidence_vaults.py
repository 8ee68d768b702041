"""When a vault is asked to make room for a chain, and what is kept of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.errors import InputError
from orchestrator.evidence_vaults import enrol_chain
from orchestrator.ports.provisioning import Preview, Provisioned
from orchestrator.settings import Settings
from orchestrator.vault_anchor import VaultAccess, access_path, read_accesses, retire_accesses
from tests.fakes import FakeProvisioner
from tests.unit.orchestrator.bench import CHANGE, Bench, bench_of
from tests.unit.orchestrator.samples import outputs

CHAIN = "1" * 32


@pytest.fixture
def bench() -> Bench:
    return bench_of(FakeProvisioner(outputs(), Preview([CHANGE], 0, ()), Provisioned([CHANGE], 0)))


def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", cache=tmp_path / "cache", project=tmp_path)


def enrolled(bench: Bench, tmp_path: Path) -> tuple[list[str], list[VaultAccess]]:
    said: list[str] = []
    enrol_chain(settings(tmp_path), bench.adapters, outputs(), said.append)
    return said, list(read_accesses(tmp_path / "home", CHAIN))


def test_a_chain_gets_room_once_under_its_own_id(bench: Bench, tmp_path: Path) -> None:
    said, (access,) = enrolled(bench, tmp_path)
    assert bench.store.chains == [(CHAIN, access.password)]
    assert said == ["evidence is anchored on acme-vault from now on"]
    assert enrolled(bench, tmp_path) == ([], [access])
    assert len(bench.store.chains) == 1


def test_the_vault_itself_carries_first_then_those_that_it_lets_in(bench: Bench, tmp_path: Path) -> None:
    _, (access,) = enrolled(bench, tmp_path)
    writers = [server.name for server in outputs().servers]
    assert [(route.stack, route.server.name) for route in access.routes] == [
        ("acme-vault", "vault-1"), *(("acme-demo", name) for name in writers)
    ]  # fmt: skip


def test_a_vault_that_moved_is_found_by_the_same_credential(bench: Bench, tmp_path: Path) -> None:
    _, (before,) = enrolled(bench, tmp_path)
    bench.store.address = "10.42.0.9"
    said, (after,) = enrolled(bench, tmp_path)
    assert (after.address, after.password, said) == ("10.42.0.9", before.password, [])
    assert len(bench.store.chains) == 1


def test_a_vault_that_is_away_is_said_and_asked_again(bench: Bench, tmp_path: Path) -> None:
    bench.store.away = "SSH failed: connection lost"
    said, _ = enrolled(bench, tmp_path)
    assert said == ["evidence has no new anchor on acme-vault: vault-1: SSH failed: connection lost."]
    bench.store.away = ""
    assert enrolled(bench, tmp_path)[0] == ["evidence is anchored on acme-vault from now on"]
    assert len(bench.store.chains) == 1


def test_a_vault_that_was_made_anew_is_asked_again(bench: Bench, tmp_path: Path) -> None:
    _, (access,) = enrolled(bench, tmp_path)
    bench.store.repositories.clear()
    enrolled(bench, tmp_path)
    assert bench.store.chains == [(CHAIN, access.password)] * 2


def test_a_fleet_without_a_vault_asks_nobody(bench: Bench, tmp_path: Path) -> None:
    target = bench.adapters.target
    fleet = target.loaded.fleet.model_copy(update={"repositories": {}})
    loaded = replace(target.loaded, fleet=fleet)
    bench.adapters = replace(bench.adapters, target=replace(target, loaded=loaded))
    assert enrolled(bench, tmp_path) == ([], [])
    assert bench.store.chains == []


def test_how_a_vault_is_reached_is_kept_for_its_owner_alone(bench: Bench, tmp_path: Path) -> None:
    enrolled(bench, tmp_path)
    (path,) = (tmp_path / "home" / "keys" / "evidence" / "anchors").iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_accesses(tmp_path / "home", "b" * 32) == []
    path.write_text("{}")
    with pytest.raises(InputError, match="cannot be read"):
        read_accesses(tmp_path / "home", CHAIN)


def test_a_vault_that_was_destroyed_is_asked_no_more_and_a_new_one_gets_a_new_credential(
    bench: Bench, tmp_path: Path
) -> None:
    _, (before,) = enrolled(bench, tmp_path)
    home = tmp_path / "home"
    retire_accesses(home, "acme-other")
    assert read_accesses(home, CHAIN) == [before]
    retire_accesses(home, "acme-vault")
    assert read_accesses(home, CHAIN) == []
    kept = access_path(home, CHAIN, before.name).parent / "gone" / f"{CHAIN}-{before.name}.json"
    assert kept.stat().st_mode & 0o077 == 0
    said, (after,) = enrolled(bench, tmp_path)
    assert said == ["evidence is anchored on acme-vault from now on"]
    assert after.password != before.password
