"""The main job on real parts: up, the proof of it, and a second up that changes nothing."""

from __future__ import annotations

import json
import stat
import urllib.request
from typing import Any

import pytest

from orchestrator.provisioning.state_file import last_deployment
from tests.e2e.conftest import Demo
from tests.e2e.world import container_of, on_host, unfolded_document

pytestmark = [pytest.mark.real, pytest.mark.e2e]

EXPLAINED = {
    "patches.no-fixable-vulnerability",  # nobody gives these tests a feed of vulnerabilities
    "patches.no-open-vulnerability",
    "hardening.ports-reachable",  # the vault is alone: no other server of its fleet could look
    "recovery.escrow-key-is-proven",  # nobody keeps records of these yet
    "recovery.repository-is-checked",
}
"""What is told of a good fleet, each for a true reason; none of it blocks."""


def test_first_up_ends_in_one_screen_that_says_everything(demo: Demo) -> None:
    first = demo.first["shop"]
    assert first.code == 0, first.all
    for part in (
        "web-1",
        "web-2",
        "db-1",
        "127.0.0.1:",
        "created",
        "backups",
        "checks",
        "0 failed",
        "report.html",
    ):
        assert part in first.out
    assert len(first.out.splitlines()) <= 24
    assert "Traceback" not in first.err


def test_second_up_changes_nothing_and_takes_no_backup(demo: Demo) -> None:
    for fleet in (demo.vault, demo.shop):
        report = demo.world.report("up", "--fleet", fleet)
        assert report["changes"] == []
        assert [host["changed"] for host in report["hosts"]] == [0] * len(report["hosts"])
        assert not any(row["taken_in_this_run"] for row in report["backups"])
        assert {finding["rule"] for finding in report["findings"]} <= EXPLAINED
        assert not any(finding["blocking"] for finding in report["findings"])


def test_the_site_is_served_to_the_outside(demo: Demo) -> None:
    report = latest(demo)
    urls = [url for server in report["servers"] for url in server["urls"]]
    assert len(urls) == 2
    for url in urls:
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310  # a loopback port of our own
            assert answer.status == 200
            assert b"Debian" in answer.read()


def test_the_database_holds_real_data_and_only_web_may_ask(demo: Demo) -> None:
    database = container_of(demo.shop, "db-1")
    web = container_of(demo.shop, "web-1")
    address = next(s["address"] for s in latest(demo)["servers"] if s["name"] == "db-1")
    ask = ["runuser", "-u", "postgres", "--", "psql", "-XAtq", "-d"]
    assert on_host(database, *ask, "shop", "-c", "select count(*) from pgbench_accounts").strip() == "1000000"
    tables = on_host(
        database, *ask, "iso", "-c", "select count(*) from pg_tables where schemaname = 'public'"
    )
    assert int(tables) >= 3
    reach = "import socket, sys; socket.create_connection((sys.argv[1], 5432), timeout=5)"
    on_host(web, "python3", "-c", reach, address)
    vault = container_of(demo.vault, "vault-1")
    refused = f"import socket\ntry:\n  socket.create_connection(('{address}', 5432), timeout=3); print('open')\nexcept OSError: print('shut')"
    assert on_host(vault, "python3", "-c", refused).strip() == "shut"


def test_the_report_is_whole_in_every_format_and_private(demo: Demo) -> None:
    report = latest(demo)
    folder = demo.world.home / "runs" / report["run"]
    assert {path.name for path in folder.glob("report.*")} == {"report.json", "report.html", "report.md"}
    for path in folder.glob("report.*"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    page = (folder / "report.html").read_text()
    assert "<svg" in page
    assert "web-1" in page
    assert "http-equiv" in page
    pairs = {(p["rule"], p["urn"]) for p in report["policies"]}
    assert len(pairs) >= 10 * len(report["servers"])
    open_rows = [p for p in report["policies"] if p["state"] not in ("pass", "not_applicable")]
    assert {p["rule"] for p in open_rows} <= EXPLAINED
    assert not any(p["enforcement"] == "mandatory" for p in open_rows)
    verdicts = [check["verdict"] for check in report["checks"]]
    assert len(verdicts) > 30
    assert set(verdicts) == {"pass", "not_applicable"}
    refused = {check["check"].partition(".")[0] for check in report["checks"] if check["verdict"] != "pass"}
    assert refused <= {"kernel", "mount", "audit", "clock", "log"}


def test_ids_and_tags_are_carried_in_the_state_and_secrets_are_not(demo: Demo) -> None:
    exported = demo.world.shell("pulumi stack export", demo.shop)
    deployment = json.loads(exported.out)["deployment"]
    assert last_deployment(demo.world.home, "e2e-shop") == deployment  # the file says what Pulumi says
    resources = deployment["resources"]
    ours = [r for r in resources if r["type"].startswith("local:index:")]
    assert {"Network", "Server", "Volume", "Firewall", "Identity"} <= {
        r["type"].rsplit(":", 1)[1] for r in ours
    }
    for resource in ours:
        tags = resource["inputs"]["tags"]
        assert tags["client"] == "e2e"
        assert tags["environment"] == "shop"
        assert len(tags["stackId"]) == 32
    assert "PRIVATE KEY" not in exported.out
    for secret in secrets_of(demo):
        assert secret not in exported.out


def test_no_secret_is_in_what_a_run_leaves(demo: Demo) -> None:
    secrets = secrets_of(demo)
    assert len(secrets) >= 8
    leaks = [
        (str(path), "…")
        for path in (demo.world.home / "runs").rglob("*")
        if path.is_file()
        for secret in secrets
        if secret.encode() in path.read_bytes()
    ]
    assert leaks == []
    for outcome in demo.first.values():
        assert not any(secret in outcome.all for secret in secrets)


def test_state_is_private_and_outside_the_checkout(demo: Demo) -> None:
    assert stat.S_IMODE(demo.world.home.stat().st_mode) == 0o700
    for path in (demo.world.home / "keys").rglob("*"):
        if path.is_file() and path.name not in ("known_hosts", "config"):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def latest(demo: Demo) -> dict[str, Any]:
    """The report of the newest run on the shop."""
    runs = sorted((demo.world.home / "runs").glob("*/report.json"), reverse=True)
    for path in runs:
        report = unfolded_document(path.read_text())
        if report["stack"] == "e2e-shop" and report["verb"] == "up":
            return dict(report)
    raise AssertionError("no run on the shop")


def secrets_of(demo: Demo) -> list[str]:
    """Every secret value this installation holds for the two stacks."""
    keys = demo.world.home / "keys"
    found = [path.read_text().strip() for path in keys.glob("*/passphrase")]
    for path in keys.glob("*/repositories/*.json"):
        record = json.loads(path.read_text())
        found += [record["password"], record["http_password"]]
    found += [
        path.read_text().splitlines()[2] for path in keys.glob("*/ssh/id_ed25519*") if path.suffix != ".pub"
    ]
    return found
