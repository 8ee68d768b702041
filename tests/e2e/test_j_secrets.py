"""Secrets of a real run: searched for in what it prints and leaves, in process lists while it works, and on hosts."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from orchestrator.provisioning.credentials import admin_key
from tests.e2e.conftest import Demo
from tests.e2e.planted import files_with, forms_of, holders, processes
from tests.e2e.world import command, container_of, on_host

pytestmark = [pytest.mark.real, pytest.mark.e2e]

PEM = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIHBsYW50ZWQtaW4tdGhlLWVu\nY2hhbmdlZC1mb3ItdGhlLXRlc3Q=\n-----END PRIVATE KEY-----\n"
ENVIRONMENT = {
    "CI_JOB_TOKEN": "glcbt-64_planted-in-the-environment",
    "CI_REPOSITORY_URL": "https://gitlab-ci-token:glcbt-url_planted@git.example/acme.git",
    "DEPLOY_KEY": PEM,
    "DATABASE_URL": "postgresql://shop:pl%40nted-db@db.example/shop",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG+plantedEXAMPLEKEY",
    "SERVICE_ACCOUNT": '{"private_key_id": "planted-0123456789"}',
    "SMTP_PASSWORD": 'pla\'nted "quo$ted" pässword',
}
"""What pipelines have in their environment: none of it is Steward's business."""
MODES = {
    "/etc/steward/backup/repository.json": "600 root",
    "/etc/steward/backup/repository.password": "600 root",
    "/etc/ssh/ssh_host_ed25519_key": "600 root",
    "/etc/steward/vault/ADDRESS.key": "600 root",
}
"""Files on hosts that hold a secret, with the only mode and owner they may have."""


def kept(demo: Demo) -> dict[str, str]:
    """Every secret that this installation made, by kind."""
    found: dict[str, str] = {}
    for stack in ("e2e-shop", "e2e-vault"):
        folder = demo.world.home / "keys" / stack
        found[f"passphrase of {stack}"] = (folder / "passphrase").read_text()
        found[f"admin key of {stack}"] = admin_key(folder).private.read_text()
        for path in folder.glob("repositories/*.json"):
            record = json.loads(path.read_text())
            found[f"password of {record['server']}"] = record["password"]
            found[f"HTTP password of {record['server']}"] = record["http_password"]
    for server, fleet in (("web-1", demo.shop), ("db-1", demo.shop), ("vault-1", demo.vault)):
        container = container_of(fleet, server)
        found[f"host key of {server}"] = on_host(container, "cat", "/etc/ssh/ssh_host_ed25519_key")
    vault = container_of(demo.vault, "vault-1")
    key = on_host(vault, "sh", "-c", "cat /etc/steward/vault/*.key")
    return {**found, "TLS key of the vault": key}


def test_a_run_prints_leaves_and_shows_no_secret(demo: Demo) -> None:
    secrets = {**ENVIRONMENT, **kept(demo)}
    wanted = forms_of(secrets)
    assert len(secrets) >= 20
    on_host(container_of(demo.shop, "web-2"), "nft", "delete", "table", "inet", "steward_host")
    with processes() as seen:
        outputs = [
            demo.world.steward(*words, "--fleet", demo.shop, env=ENVIRONMENT)
            for words in (("-v", "up"), ("up", "--json"), ("backup", "run"), ("verify", "--json"))
        ]
        failed = demo.world.steward("backup", "restore", "--fleet", demo.shop, "--host", "web-1", "--plan", "site",
                                    "--snapshot", "0" * 64, env=ENVIRONMENT)  # fmt: skip
    assert [done.code for done in outputs] == [0, 0, 0, 0]
    assert failed.code == 3, failed.all
    assert "nothing was restored" in failed.err
    assert holders(seen, wanted) == set()
    for done in (*outputs, failed):
        assert [kind for form, kind in wanted.items() if form in done.all] == []
    assert in_files(demo, wanted) == []


def in_files(demo: Demo, wanted: Mapping[str, str]) -> list[str]:
    """Files of this installation, but for its keys, in which a secret is: state and its history, runs, ledger."""
    config = (Path(__file__).parents[2] / "stacks" / "config").glob("Pulumi.e2e-*.yaml")
    files = [path for path in demo.world.home.rglob("*") if path.is_file()]
    own = [path for path in files if not path.is_relative_to(demo.world.home / "keys")]
    assert any("history" in path.parts for path in own)
    assert any(path.name == "stdout" for path in own)
    found = []
    for path in (*own, *config):
        content = path.read_bytes().decode(errors="replace")
        found += [f"{kind}: {path}" for form, kind in wanted.items() if form in content]
    return found


@pytest.mark.parametrize("server", ["web-1", "db-1", "vault-1"])
def test_a_host_holds_its_own_secrets_alone_and_only_root_reads_them(demo: Demo, server: str) -> None:
    container = container_of(demo.vault if server == "vault-1" else demo.shop, server)
    secrets = {**ENVIRONMENT, **kept(demo)}
    wanted = forms_of(secrets)
    modes = files_with(container, wanted)
    for path, mode in modes.items():
        assert MODES.get(re.sub(r"/vault/[0-9.]+\.key$", "/vault/ADDRESS.key", path)) == mode, path
    assert "/etc/ssh/ssh_host_ed25519_key" in modes
    texts = "".join(on_host(container, "cat", path) for path in modes)
    held = {kind for form, kind in wanted.items() if form in texts}
    assert held <= {
        kind for kind in secrets if kind.endswith((server, "vault") if server == "vault-1" else server)
    }


def test_keys_on_the_control_machine_are_for_their_owner_alone(demo: Demo) -> None:
    listed = command(["find", str(demo.world.home / "keys"), "-perm", "/077"])
    assert listed == ""
