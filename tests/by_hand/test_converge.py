"""Converging on real hosts: idempotent with either strategy, and `up` sees what was changed by hand."""

from __future__ import annotations

import json

import pytest

from tests.e2e.conftest import Demo
from tests.e2e.world import container_of, on_host

pytestmark = [pytest.mark.real, pytest.mark.e2e]

CHANGES = {
    "web-1": """
        echo '# by hand' >> /etc/nginx/nginx.conf
        systemctl stop nginx
    """,
    "db-1": """
        sed -i 's/^PasswordAuthentication.*/PasswordAuthentication yes/' /etc/ssh/sshd_config.d/10-steward.conf
        systemctl disable --now steward-backup@databases.timer
        nft delete table inet steward_host
        echo '#!/bin/sh' > /usr/local/sbin/steward-backup
    """,
}
"""What hands do between two runs, by server; one server is left as it was."""


@pytest.mark.parametrize("strategy", ["auto", "linear"])
def test_a_second_converge_changes_nothing(demo: Demo, strategy: str) -> None:
    done = demo.world.steward("configure", "--fleet", demo.shop, "--json", env={"STEWARD_STRATEGY": strategy})
    assert done.code == 0, done.all
    hosts = hosts_of(done.out)
    assert {name: (host["changed"], host["failed"]) for name, host in hosts.items()} == dict.fromkeys(
        hosts, (0, 0)
    )
    assert all(host["ok"] > 10 for host in hosts.values())
    assert demo.world.__dict__.setdefault("ok_counts", counts(hosts)) == counts(hosts)  # the same with either


def test_up_converges_exactly_the_hosts_that_were_changed_by_hand(demo: Demo) -> None:
    for server, script in CHANGES.items():
        on_host(container_of(demo.shop, server), "sh", "-ec", script)
    done = demo.world.ok("up", "--fleet", demo.shop, "--json")
    hosts = hosts_of(done.out)
    assert {name for name, host in hosts.items() if not host["unchanged_since"]} == set(CHANGES)
    assert all(hosts[server]["changed"] > 0 for server in CHANGES)  # type: ignore[operator]
    settled = demo.world.report("up", "--fleet", demo.shop)
    assert all(host["unchanged_since"] for host in settled["hosts"])


def hosts_of(text: str) -> dict[str, dict[str, object]]:
    """The hosts of a report by name."""
    return {str(host["name"]): dict(host) for host in json.loads(text)["hosts"]}


def counts(hosts: dict[str, dict[str, object]]) -> dict[str, object]:
    """How many tasks were looked at on each host."""
    return {name: host["ok"] for name, host in hosts.items()}
