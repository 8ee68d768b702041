"""A lost server's backups: said, listed, brought back by a loan, put in place, accepted; and a vault's end."""

from __future__ import annotations

import json
import shlex

import pytest

from tests.e2e.conftest import Demo
from tests.e2e.world import command, container_of, on_host

pytestmark = [pytest.mark.real, pytest.mark.e2e]
LETTER = "/var/www/letter.txt"
USERS = "/etc/steward/vault/htpasswd"


def test_a_server_that_was_lost_gets_its_data_back_from_its_predecessor(demo: Demo) -> None:
    world, fleet = demo.world, ("--fleet", demo.shop)
    pair = (*fleet, "--host", "web-2", "--plan", "site")
    lost = container_of(demo.shop, "web-2")
    on_host(lost, "sh", "-c", f"echo precious > {LETTER}")
    saved = world.report("backup", "run", *pair)["backups"][0]["snapshot"]
    command(["podman", "rm", "--force", "--time", "0", lost])

    made = world.steward("up", *fleet, "--json")
    assert made.code == 1, made.all
    found = json.loads(made.out)["findings"]
    (told,) = [each for each in found if (each["subject"], each["source"]) == ("site/web-2", "backup")]
    assert "the server is new and empty" in told["title"]
    assert f"--host web-2 --plan site --snapshot {saved[:8]} --target" in told["fix"]
    again = container_of(demo.shop, "web-2")
    assert on_host(again, "sh", "-c", f"cat {LETTER} || true") == ""
    assert world.steward("backup", "status", *fleet).code == 1

    listed = world.report("backup", "list", *pair)["servers"]["web-2"]
    assert saved in [each["id"] for each in listed if each["earlier"]]
    assert any(not each["earlier"] for each in listed)

    vault = container_of(demo.vault, "vault-1")
    users = on_host(vault, "cat", USERS)
    done = world.report("backup", "restore", *pair, "--snapshot", saved[:8], "--target", "/srv/back")
    assert (done["result"]["ok"], done["predecessor"], done["copy_stays"]) == (True, True, True)
    assert not list((world.home / "keys" / "e2e-vault" / "lent").rglob("*.json"))
    assert on_host(vault, "cat", USERS) == users
    for each in done["put_back"]:
        on_host(again, *shlex.split(each))
    assert on_host(again, "cat", LETTER) == "precious\n"

    world.ok("backup", "accept", *pair)
    world.ok("backup", "run", *pair)
    world.ok("backup", "status", *fleet)


def test_a_vault_names_the_living_fleet_whose_backups_would_go(demo: Demo) -> None:
    words = ("destroy", "--fleet", demo.vault)
    refused = demo.world.steward(*words)
    assert refused.code == 2
    assert "backups of e2e-shop: db-1 " in refused.err
    refused = demo.world.steward(*words, "--delete-data", "vault-1-repositories")
    assert refused.code == 2
    assert "e2e-shop would live on without any backup; nothing was touched" in refused.err
    assert "--delete-backups-of e2e-shop" in refused.err
