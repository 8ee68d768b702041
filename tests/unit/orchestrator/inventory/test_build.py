"""Fleet and outputs to inventory."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from orchestrator.errors import ToolError
from orchestrator.inventory.build import (
    BACKUP_GROUP,
    Binaries,
    RepositoryAccess,
    build_inventory,
    jitter,
)
from orchestrator.inventory.model import Inventory, InventoryHost
from tests.unit.orchestrator.samples import FLEET, fleet, outputs, server

BINARIES = Binaries(Path("/t/restic"), Path("/t/rest-server"))
ACCESS = RepositoryAccess("https://10.42.0.2:8443/x/", "x", "PEM", "http-secret", "secret")


def built(access: dict[str, RepositoryAccess] | None = None, text: str = FLEET) -> Inventory:
    return build_inventory(fleet(text), outputs(), "RUN", BINARIES, access or {})


def host(inventory: Inventory, name: str) -> InventoryHost:
    return next(each for each in inventory.hosts if each.name == name)


def test_hosts_come_in_the_order_of_the_fleet_with_a_group_for_each_role() -> None:
    inventory = built()
    assert inventory.names() == ("web-1", "web-2", "db-1")
    assert host(inventory, "web-2").groups == ["role_nginx"]
    assert inventory.shared == {
        "steward_run": "RUN",
        "steward_stack": "acme-demo",
        "steward_client": "acme",
        "steward_environment": "demo",
        "steward_lock_seconds": "300",
    }


def test_a_server_that_was_not_provisioned_is_named() -> None:
    with pytest.raises(
        ToolError, match=r"'web-2' is in the fleet but not among the outputs\. Run steward up"
    ):
        build_inventory(fleet(), outputs(server("web-1"), server("db-1")), "RUN", BINARIES, {})


def test_role_variables_carry_the_name_of_their_role() -> None:
    assert host(built(), "web-1").variables["nginx_port"] == 8080
    assert host(built(), "db-1").variables["postgresql_databases"] == ["shop"]


def test_ingress_becomes_addresses() -> None:
    rules = {rule["name"]: rule["addresses"] for rule in host(built(), "db-1").variables["baseline_ingress"]}
    assert rules == {
        "web-5433": ["10.41.0.11/32", "10.41.0.12/32"],
        "10.9.0.0/16-5433": ["10.9.0.0/16"],
        "web-9100": ["10.41.0.11/32", "10.41.0.12/32"],
    }
    assert host(built(), "web-1").variables["baseline_ingress"][0]["addresses"] == ["0.0.0.0/0"]


@pytest.mark.parametrize(
    ("port", "allowed"),
    [
        (5433, ["10.41.0.11/32", "10.41.0.12/32", "10.9.0.0/16"]),
        (5432, []),
        (9100, ["10.41.0.11/32", "10.41.0.12/32"]),
    ],
)
def test_the_database_admits_exactly_who_may_reach_its_port(port: int, allowed: list[str]) -> None:
    inventory = built(text=FLEET.replace("databases: [shop], port: 5433", f"databases: [shop], port: {port}"))
    assert host(inventory, "db-1").variables["postgresql_allowed_networks"] == allowed


def test_only_hosts_with_access_get_the_backup_role_and_secrets_stay_apart() -> None:
    inventory = built({"db-1": ACCESS})
    database, web = host(inventory, "db-1"), host(inventory, "web-1")
    assert BACKUP_GROUP in database.groups
    assert BACKUP_GROUP not in web.groups
    assert database.secrets["backup_repository"]["password"] == "secret"
    assert "secret" not in repr(database.variables)
    plan: dict[str, Any] = database.variables["backup_plans"][0]
    assert (plan["name"], plan["id"], plan["kind"]) == ("databases", "a2" * 16, "postgresql")
    assert plan["on_calendar"] == "*-*-* *:00:00 UTC"
    assert plan["keep"]["hourly"] == 24


def test_a_plan_without_an_id_is_refused() -> None:
    known = outputs().model_copy(update={"plans": ()})
    with pytest.raises(ToolError, match="plan 'databases' has no id"):
        build_inventory(fleet(), known, "RUN", BINARIES, {"db-1": ACCESS})


def test_jitter_is_a_share_of_the_gap_and_bounded() -> None:
    plans = fleet().backups
    assert jitter(plans["databases"]) == timedelta(minutes=3)
    assert jitter(plans["site"]) == timedelta(minutes=15)
