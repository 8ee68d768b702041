"""What must not be lost: each volume with data has a plan, and each server one repository."""

from __future__ import annotations

from stacks.fleet.loader import parse
from tests.unit.stacks.fleet.demo import ROOT, TEXT, changed, told

EXTRA = """  logs:
    paths: [/var/log]
    repository: {repository}
    schedule: "0 3 * * *"
    keep: {{daily: 3}}
    rpo: 2d
    rto: 1h
"""


def with_logs(repository: str) -> str:
    plan = EXTRA.format(repository=repository)
    text = TEXT.replace("backup: [site]", "backup: [site, logs]").replace("backups:\n", f"backups:\n{plan}")
    return text.replace("  vault: {stack", "  other: {stack: acme-safe}\n  vault: {stack")


def test_two_plans_of_a_server_may_write_to_one_repository() -> None:
    fleet = parse(with_logs("vault").encode(), "demo.yaml")
    assert list(fleet.plans_of("web")) == ["site", "logs"]


def test_two_plans_of_a_server_that_write_to_different_repositories_are_refused() -> None:
    (mistake,) = told(with_logs("other"))
    assert mistake == (
        "servers.web.backup: its plans write to different repositories (site to 'vault', logs to 'other'), "
        "and a server has one; choose one of them"
    )


def test_a_plan_may_save_a_path_on_no_volume() -> None:
    assert parse(TEXT.encode(), "demo.yaml").backups["site"].paths == ("/var/www",)


def test_a_disposable_volume_needs_no_plan() -> None:
    parse(
        changed("mount: /var/lib/postgresql}", "mount: /srv/cache, disposable: true}").encode(), "demo.yaml"
    )


def test_two_volumes_have_two_places() -> None:
    text = changed("    roles:\n      - postgresql", "      more: {size_gib: 1, mount: /var/lib/postgresql}\n"
                   "    roles:\n      - postgresql")  # fmt: skip
    (mistake,) = told(text)
    assert mistake.startswith(
        "servers.db.volumes.more.mount: '/var/lib/postgresql' is where 'data' is mounted;"
    )


def test_labels_of_volumes_are_told_apart() -> None:
    disk = "{{size_gib: 1, mount: /srv/a, disposable: true}}"
    group = "  {name}: {{size: small, network: app, volumes: {{{volume}: " + disk + "}}}}\n"
    two = group.format(name="a", volume="b-1-c") + group.format(name="a-1-b", volume="c")
    assert told(changed("  web:\n", two + "  web:\n")) == [
        "servers.a-1-b.volumes.c: 'a-1-b-1-c' is the label of a volume of 'a' too; choose another name"
    ]


def test_a_vault_is_one_server() -> None:
    text = (
        (ROOT / "stacks/fleets/vault.yaml")
        .read_text()
        .replace("    size: small", "    size: small\n    count: 2")
    )
    assert told(text) == [
        "repositories.vault.server: server 'vault' is 2 servers; a repository lies on one: say count: 1"
    ]


def test_an_hourly_plan_in_a_zone_with_summer_time_waits_two_hours_once() -> None:
    text = changed('schedule: "0 * * * *"', 'schedule: "0 * * * *"\n    timezone: Europe/Berlin').replace(
        "rpo: 2h", "rpo: 1h"
    )
    (mistake,) = told(text)
    assert mistake == (
        "backups.databases.rpo: 1h is shorter than the schedule '0 * * * *' allows "
        "(1h apart, and 2h when the clocks change in Europe/Berlin). "
        "Say at least rpo: 2h, or timezone: UTC, where they never change."
    )
