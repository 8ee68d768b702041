"""What roles are given beside the fleet's words: only what they declare, secrets apart."""

from __future__ import annotations

from pathlib import Path

from orchestrator.inventory.build import Binaries, build_inventory
from orchestrator.inventory.model import InventoryHost
from orchestrator.inventory.supplies import Archive, HostCertificate, Login, Supplies
from tests.unit.orchestrator.samples import HEAD, fleet, outputs, server

FLEET = (
    HEAD
    + """\
servers:
  web:
    size: small
    network: app
    roles:
      - nginx: {sites: [{name: shop, proxy: {servers: app, port: 8000}}]}
      - greeting: {password: {env: GREETING}, text: hello}
  app:
    count: 2
    size: medium
    network: app
    roles:
      - app:
          name: shop
          source: {git: x, tag: v1}
          command: [x]
          environment: {TOKEN: {env: TOKEN}, HOST: db}
  cache:
    size: small
    network: app
    roles: [{redis: {password: {generated: cache}, further_passwords: [{env: OLD}]}}]
"""
)
OPTIONS = {
    "nginx": {"nginx_sites", "steward_addresses", "steward_certificate", "steward_certificate_key"},
    "app": {"app_name", "app_archive", "app_archive_sha256", "app_release", "steward_authority"},
}


def hosts() -> dict[str, InventoryHost]:
    made = Supplies(
        options=lambda role: OPTIONS.get(role, set()),
        own=lambda role: role == "greeting",
        secret=lambda reference: f"value of {reference.place}",
        certificates={
            name: HostCertificate(f"cert {name}", f"key {name}", "ca") for name in ("web-1", "app-1", "app-2")
        },
        archives={"app": Archive(Path("/code.tar"), "a" * 64, "v1")},
        logins=lambda name: [Login(name, "in use"), Login(name, "on its way out")],
    )
    there = outputs(server("web-1"), server("app-1"), server("app-2"), server("cache-1"))
    inventory = build_inventory(
        fleet(FLEET), there, "RUN", Binaries(Path("/r"), Path("/s")), {}, supplies=made
    )
    return {host.name: host for host in inventory.hosts}


def test_a_role_is_given_what_it_declares_and_nothing_else() -> None:
    web, app = hosts()["web-1"].variables, hosts()["app-2"].variables
    assert sorted(web["steward_addresses"]) == ["app", "cache", "web"]
    assert len(web["steward_addresses"]["app"]) == 2
    assert web["steward_certificate"] == "cert web-1"
    assert "steward_authority" not in web
    assert "steward_memory_mib" not in web
    assert (app["app_archive"], app["app_release"], app["steward_authority"]) == ("/code.tar", "v1", "ca")
    assert "steward_certificate" not in app


def test_secrets_are_apart_and_a_variable_with_one_in_it_is_one() -> None:
    web, app = hosts()["web-1"], hosts()["app-1"]
    assert web.secrets == {"greeting_password": "value of GREETING", "steward_certificate_key": "key web-1"}
    assert web.variables["greeting_text"] == "hello"
    assert app.secrets == {"app_environment": {"TOKEN": "value of TOKEN", "HOST": "db"}}
    assert "app_environment" not in app.variables


def test_redis_is_given_every_password_that_is_to_be_valid() -> None:
    assert hosts()["cache-1"].secrets == {
        "redis_password": "value of cache",
        "redis_further_passwords": ["value of OLD", "on its way out"],
    }


def test_own_roles_are_a_group_of_their_own_and_keep_their_order() -> None:
    web = hosts()["web-1"]
    assert web.variables["steward_own_roles"] == ["greeting"]
    assert "own_roles" in web.groups
    assert "own_roles" not in hosts()["app-1"].groups
