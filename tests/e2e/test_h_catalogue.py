"""Every role on real servers: the second example fleet, an own role beside ours, rollback, grants, patching."""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import Iterator
from threading import Event

import pytest

from orchestrator.supplies.logins import LoginBook
from tests.e2e import catalogue_redis as clients
from tests.e2e.catalogue import (
    GIVEN,
    HELD,
    SAME,
    STACK,
    Catalogue,
    ask,
    asking,
    authority,
    failures,
    secrets_of,
)  # fmt: skip
from tests.e2e.catalogue_parts import (
    READ,
    change_store,
    closed_window,
    is_closed,
    may,
    raised,
    redis,
    tarball,
    visit,
)  # fmt: skip
from tests.e2e.planted import files_of, files_with, forms_of, holders
from tests.e2e.world import container_of, killed, unfolded_document

pytestmark = [pytest.mark.real, pytest.mark.e2e]


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalogue]:
    with raised(tmp_path_factory.mktemp("catalogue")) as up:
        yield up


def test_every_role_is_up_and_passes_its_checks(catalogue: Catalogue) -> None:
    verdicts = {
        f"{check['server']} {check['check']}": check["verdict"] for check in catalogue.first["checks"]
    }
    assert set(verdicts.values()) <= {"pass", "not_applicable"}  # what a container kernel refuses
    for check in (
        "edge-1 nginx.held", "edge-1 nginx.orders.certificate", "edge-1 node_exporter.listening", "app-2 app.orders.health",
        "app-1 app.orders.release", "store-1 postgresql.user.reports", "store-1 redis.refuses", "edge-1 greeting.http.3",
        "edge-1 greeting.file.4", "edge-1 greeting.command.5",
    ):  # fmt: skip
        assert check in verdicts


def test_a_second_converge_changes_nothing_and_up_leaves_the_hosts_alone(catalogue: Catalogue) -> None:
    again = catalogue.world.report("configure", "--fleet", catalogue.fleet)
    assert [host["changed"] for host in again["hosts"]] == [0, 0, 0, 0]
    up = catalogue.world.report("up", "--fleet", catalogue.fleet)
    assert all(host["unchanged_since"] for host in up["hosts"])


def test_a_request_goes_through_tls_and_proxy_to_database_and_cache(catalogue: Catalogue) -> None:
    context, port = authority(catalogue), catalogue.url("443")
    before = ask(catalogue, "/orders", context, port)["orders"]
    assert ask(catalogue, "/orders", context, port)["orders"] == before + 1
    hosts = {ask(catalogue, "/", context, port)["host"] for _ in range(8)}
    assert hosts == {"app-1", "app-2"}


def test_no_planted_secret_is_in_a_process_a_record_the_state_or_what_was_said(catalogue: Catalogue) -> None:
    wanted = forms_of(secrets_of(catalogue))
    assert len(set(wanted.values())) >= 20
    arguments = {text.partition("\n")[0] for text in catalogue.processes}
    assert len(arguments) > 20
    assert holders(arguments, wanted) == set()
    told = {text for text in catalogue.processes if not text.startswith(GIVEN)}
    assert holders(told, wanted) == set()
    home = catalogue.world.home
    kept = [path for path in home.rglob("*") if path.is_file() and not path.is_relative_to(home / "keys")]
    config = (catalogue.world.folder / "project" / "stacks" / "config").iterdir()
    assert files_of((*kept, *config), wanted) == []
    state = catalogue.world.shell("pulumi stack export", catalogue.fleet).out
    assert holders({catalogue.said, state}, wanted) == set()


@pytest.mark.parametrize("server", HELD)
def test_a_server_holds_the_secrets_that_it_uses_in_files_that_nobody_else_reads(
    catalogue: Catalogue, server: str
) -> None:
    kinds, modes = HELD[server]
    wanted = forms_of(secrets_of(catalogue))
    found = files_with(container_of(catalogue.fleet, server), wanted)
    assert found
    for path, mode in found.items():
        assert [mode] == [allowed for place, allowed in modes.items() if re.fullmatch(place, path)], found
    texts = "".join(catalogue.inside(server, "cat", path) for path in found)
    assert {kind for form, kind in wanted.items() if form in texts} == {*kinds, f"host key of {server}"}


def test_new_database_passwords_refuse_nobody_though_the_rotation_is_killed_at_every_stage(
    catalogue: Catalogue,
) -> None:
    book = LoginBook(catalogue.world.home / "keys" / STACK)
    log = "/var/log/postgresql/postgresql-15-main.log"
    words = ["rotate", "database", "--fleet", catalogue.fleet]
    old = book.password("orders_cache")
    with asking(catalogue, "/orders", clients=2) as seen, clients.watched(catalogue, old) as cache:
        for stage in ("begun", "switched", "closed"):
            killed(catalogue.world.start(*words), lambda: book.stage("orders_app") == stage)  # noqa: B023
        said = catalogue.inside("store-1", "grep", "-c", "FATAL", log, check=False)
        done = catalogue.world.steward(*words)
    assert done.code == 0, done.all
    assert said.strip() == "0"  # no connection was refused, until the run itself tried the old password
    assert (failures(seen), len(seen) > 20) == ([], True)
    assert "orders_app: logs in as orders_app_2; the old password is refused" in done.err
    assert book.current("orders_app").name == "orders_app_2"
    assert "is not permitted to log in" in catalogue.inside("store-1", "grep", "FATAL", log)
    owners = "select distinct tableowner from pg_tables where schemaname = 'public'"
    argv = ["runuser", "-u", "postgres", "--", "psql", "-XAtqc", owners, "orders"]
    assert catalogue.inside("store-1", *argv).strip() == "orders_app"
    new = book.password("orders_cache")
    assert (cache.interruptions(catalogue), cache.told["wrote"] > 1_000) == ([], True)
    assert "orders_cache: the old password is refused" in done.err
    assert "WRONGPASS" in clients.entered(catalogue, old)
    assert (clients.entered(catalogue, new), clients.in_users_file(catalogue)) == ("accepted", [new])
    assert holders({*cache.processes, done.all}, forms_of({"old": old, "new": new})) == set()
    up = catalogue.world.report("up", "--fleet", catalogue.fleet)
    assert all(host["unchanged_since"] for host in up["hosts"])


def test_a_password_of_redis_that_changes_in_the_fleet_needs_no_restart(catalogue: Catalogue) -> None:
    made, own = clients.made_by_steward(catalogue), clients.OWN
    configure = ["configure", "--fleet", catalogue.fleet, *clients.CONCERNED]
    with clients.watched(catalogue, made) as cache:
        clients.give_it_its_own(catalogue, both=True)
        said = catalogue.world.ok(*configure).all
        assert [clients.entered(catalogue, each) for each in (made, own)] == ["accepted", "accepted"]
        clients.give_it_its_own(catalogue, both=False)
        said += catalogue.world.ok("-v", *configure).all
    assert cache.interruptions(catalogue) == []
    assert "WRONGPASS" in clients.entered(catalogue, made)
    assert (clients.entered(catalogue, own), clients.in_users_file(catalogue)) == ("accepted", [own])
    said += clients.changed_by_hand(catalogue)
    assert "was not given its passwords: NOAUTH" in said
    assert redis(catalogue, "ping") == "PONG"
    assert holders({*cache.processes, said}, forms_of({"made": made, "own": own})) == set()


def test_a_reload_of_nginx_drops_no_request(catalogue: Catalogue) -> None:
    with asking(catalogue, "/") as seen:
        for _ in range(10):
            begun = len(seen)
            catalogue.inside("edge-1", "systemctl", "reload", "nginx")
            while len(seen) < begun + SAME * 3:
                Event().wait(0.02)
    assert failures(seen) == []
    print(f"{len(seen)} requests over 10 reloads, none dropped")


def test_an_application_is_confined_and_cannot_change_its_code(catalogue: Catalogue) -> None:
    catalogue.inside("app-1", "systemctl", "is-active", "app-orders")
    pid = catalogue.inside("app-1", "systemctl", "show", "-p", "MainPID", "--value", "app-orders").strip()
    status = catalogue.inside("app-1", "cat", f"/proc/{pid}/status")
    assert "CapEff:\t0000000000000000" in status
    assert "NoNewPrivs:\t1" in status
    write = ["runuser", "-u", "app-orders", "--", "touch", "/opt/orders/current/app/x"]
    assert "Permission denied" in catalogue.inside("app-1", "sh", "-c", f"{' '.join(write)} 2>&1 || true")


def test_a_release_that_is_not_healthy_is_rolled_back_and_nobody_notices(catalogue: Catalogue) -> None:
    catalogue.change(**{"tag: v1.0.0": "tag: v1.2.0", "seconds: 20": "seconds: 6"})
    with asking(catalogue, "/") as seen:
        done = catalogue.world.steward("configure", "--fleet", catalogue.fleet, "--json")
    assert done.code == 3, done.all
    hosts = {host["name"]: host for host in json.loads(done.out)["hosts"]}
    assert "The previous release v1.0.0 serves again" in hosts["app-1"]["message"]
    assert "this release cannot start" in hosts["app-2"]["message"]
    assert hosts["edge-1"]["failed"] == 0  # its plays come after the one in which every host failed
    assert failures(seen) == []
    assert {each.get("release", "v1.0.0") for each in seen} == {"v1.0.0"}
    assert catalogue.inside("app-1", "readlink", "/opt/orders/current").strip().endswith("-v1.0.0")


def test_a_new_release_goes_out_host_by_host_without_a_lost_request(catalogue: Catalogue) -> None:
    """From a tarball with a build command this time."""
    digest = tarball(catalogue.fleet.parent, "v1.1.0")
    built = "          build: [[python3, -m, compileall, -q, .]]\n"
    catalogue.change(
        **{
            "source: {git: {env: ORDERS_GIT_URL}, tag: v1.0.0}": f"source: {{archive: orders.tar.gz, sha256: {digest}}}",
            "          port: 8000\n": f"          port: 8000\n{built}",
        }
    )
    with asking(catalogue, "/") as seen:
        done = catalogue.world.steward(
            "configure", "--fleet", catalogue.fleet, "--host", "app-1", "--host", "app-2"
        )
    assert done.code == 0, done.all
    assert failures(seen) == []
    assert ask(catalogue, "/", authority(catalogue), catalogue.url("443"))["release"] == "v1.1.0"
    assert ".pyc" in catalogue.inside("app-2", "ls", "/opt/orders/current/app/__pycache__")


def test_sites_by_name_a_certificate_of_ones_own_and_a_redirect(catalogue: Catalogue) -> None:
    plain, secure = catalogue.url("80"), catalogue.url("443")
    status, headers, _ = visit(plain, "orders.acme.example", "/x?y=1")
    assert (status, headers["Location"]) == (301, "https://orders.acme.example/x?y=1")
    assert visit(plain, "any.example", "/")[0] == 200  # the manual, which answers to every name

    catalogue.inside("edge-1", "sh", "-c", "mkdir -p /var/www/pay; echo paid >/var/www/pay/index.html")
    own = ssl.create_default_context(cafile=str(catalogue.fleet.parent / "pay.crt"))
    status, headers, page = visit(secure, "pay.example", "/", own)
    assert (status, page) == (200, "paid\n")
    assert headers["Strict-Transport-Security"] == "max-age=31536000"


@pytest.fixture(scope="module")
def store(catalogue: Catalogue) -> list[bool]:
    """The store's roles changed in one converge; whether `reports` might read and write before."""
    return change_store(catalogue)


def test_grants_hold_and_are_taken_back(catalogue: Catalogue, store: list[bool]) -> None:
    assert store == [True, False]  # the table was made by the application after the grant
    assert not may(catalogue, READ)


def test_postgresql_serves_the_certificate_it_was_given(catalogue: Catalogue, store: list[bool]) -> None:
    shown = "openssl s_client -starttls postgres -connect localhost:5432 </dev/null 2>/dev/null | openssl x509 -noout -subject"
    assert "CN = store" in catalogue.inside("store-1", "sh", "-c", shown)
    assert ask(catalogue, "/orders", authority(catalogue), catalogue.url("443"))["orders"] > 0


def test_snapshots_of_redis_outlive_a_restart(catalogue: Catalogue, store: list[bool]) -> None:
    assert redis(catalogue, "get", "carried") == "yes", "written while it kept an append-only file"
    assert redis(catalogue, "set", "kept", "yes") == "OK"
    catalogue.inside("store-1", "systemctl", "restart", "redis-server")
    assert redis(catalogue, "get", "kept") == "yes"
    assert redis(catalogue, "config", "get", "appendonly").split() == ["appendonly", "no"]


def test_memory_decides_what_postgresql_and_redis_take(catalogue: Catalogue) -> None:
    show = ["runuser", "-u", "postgres", "--", "psql", "-XAtqc", "show shared_buffers"]
    assert catalogue.inside("store-1", *show).strip() == "512MB"
    assert "maxmemory 1228mb" in catalogue.inside("store-1", "cat", "/etc/redis/redis.conf")


def test_patch_is_refused_outside_of_the_window(catalogue: Catalogue) -> None:
    catalogue.change(**{'window: "Sun 02:00-04:00"': f'window: "{closed_window()}"'})
    done = catalogue.world.steward("patch", "--fleet", catalogue.fleet)
    assert done.code == 2, done.all
    assert "is outside of its maintenance window" in done.err
    assert "--now" in done.err


def test_patch_upgrades_what_was_pinned_reboots_and_finds_nothing_the_second_time(
    catalogue: Catalogue,
) -> None:
    offered = catalogue.inside("edge-1", "apt-cache", "madison", "nginx").splitlines()
    versions = [line.split("|")[1].strip() for line in offered]
    if len(set(versions)) < 2:
        pytest.skip(f"the mirror offers one version of nginx ({versions}): nothing could be upgraded")
    older, newer = versions[-1], versions[0]
    catalogue.change(**{"      - nginx:\n": f"      - nginx:\n          version: {older}\n"})
    # All of them, whatever a test before this one left: nothing is patched while a server is not as the fleet says.
    redis(catalogue, "set", "carried", "back")
    catalogue.world.ok("configure", "--fleet", catalogue.fleet)
    assert redis(catalogue, "get", "carried") == "back"
    host = ("--fleet", catalogue.fleet, "--host", "edge-1")
    looked = catalogue.world.steward("verify", *host, "--json")
    assert looked.code == 1, "a version that is held though it has a fix is a finding"
    seen = unfolded_document(looked.out)
    assert {f["rule"] for f in seen["findings"] if f["blocking"]} == {"patches.held-without-fix"}
    checks = {c["check"]: c for c in seen["checks"]}
    assert checks["nginx.held"]["observed"] == f"{older}, held"

    catalogue.change()  # no pin any more, and nothing moves: it is held
    catalogue.world.ok("configure", *host)
    catalogue.inside("edge-1", "touch", "/run/reboot-required")
    report = catalogue.world.report("patch", *host, "--now", "--security-only", seconds=900)
    (patched,) = report["patched"]
    moved = {each["package"]: each for each in patched["upgrades"]}
    assert [moved["nginx"][key] for key in ("before", "after", "security")] == [older, newer, True]
    assert patched["rebooted"] == "/run/reboot-required exists"
    assert patched["unhealthy"] == []
    assert any("by --now" in step["message"] for step in report["steps"]) or not is_closed(report)
    assert "nginx" in catalogue.inside("edge-1", "apt-mark", "showhold").split()

    again = catalogue.world.report("patch", *host, "--now", seconds=900)
    assert [(each["upgrades"], each["rebooted"]) for each in again["patched"]] == [([], "")]
