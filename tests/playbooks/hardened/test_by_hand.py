"""A host that was hardened by hand: nobody is shut out, what is others' stays, the rest becomes ours."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.playbooks.conftest import answering, run

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("hardened")]

TRAP = "/etc/ssh/sshd_config.d/01-trap.conf"
OWN = "/etc/ssh/sshd_config.d/10-steward.conf"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("AllowGroups ops", f"allowgroups ops leaves steward out (also set in {TRAP}:1)"),
        ("DenyUsers stew*", "denyusers stew* shuts out steward"),
        ("AuthorizedKeysFile /etc/ssh/keys/%u", "authorizedkeysfile /etc/ssh/keys/steward: there is no key"),
        ("Match User steward\n PubkeyAuthentication no", "pubkeyauthentication would be no for steward"),
        ("AllowUsers mallory", "allowusers would be steward mallory for steward, not steward"),
        ("PermitRootLogin", "01-trap.conf: terminating, 1 bad configuration options"),
    ],
)  # fmt: skip
def test_settings_that_would_shut_the_admin_out_are_refused_before_anything_is_replaced(
    place: Any, by_hand: Any, line: str, told: str
) -> None:
    before = by_hand.root(f"sha256sum {OWN} /etc/ssh/sshd_config /etc/sudoers").out
    by_hand.root(f"printf '%s\\n' '{line}' >{TRAP}")
    try:
        place.converge("baseline", limit="hand", must=False)
    finally:
        by_hand.root(f"rm {TRAP}")

    assert any(told in problem for problem in place.failed), place.failed
    assert by_hand.root(f"sha256sum {OWN} /etc/ssh/sshd_config /etc/sudoers").out == before
    assert by_hand.root("nft list tables; sshd -t").out.count("steward_host") == 0


def test_a_firewall_that_would_shut_the_control_machine_out_is_refused(place: Any, by_hand: Any) -> None:
    right = place.variables["hand"]["baseline_gateway"]
    place.variables["hand"]["baseline_gateway"] = "192.0.2.1"
    try:
        place.converge("baseline", limit="hand", must=False)
    finally:
        place.variables["hand"]["baseline_gateway"] = right

    assert any(f"SSH would be open to 192.0.2.1 only, but this host is reached from\n{right}" in each
               or f"SSH would be open to 192.0.2.1 only, but this host is reached from {right}" in each
               for each in place.failed), place.failed  # fmt: skip


@pytest.fixture(scope="session")
def converged(place: Any, by_hand: Any) -> Any:
    """The host after its first converge."""
    place.converge("baseline", limit="hand")
    return by_hand


def test_it_converges_and_stays(place: Any, converged: Any) -> None:
    again = place.converge("baseline", limit="hand")["hand"]

    assert (again["changed"], again["failures"]) == (0, 0)


def test_ssh_holds_our_values_and_keeps_those_that_we_do_not_set(converged: Any) -> None:
    shown = set(converged.sudo("sshd", "-T").out.splitlines())

    wanted = {"permitrootlogin no", "passwordauthentication no", "maxauthtries 3", "x11forwarding no"}
    assert wanted | {"printlastlog no"} <= shown


def test_what_was_immutable_is_written_and_immutable_again(converged: Any) -> None:
    shown = converged.sudo("lsattr", "/etc/issue", "/etc/login.defs").out.splitlines()

    assert [line.split()[0].count("i") for line in shown] == [1, 1]
    assert "private system" in converged.sudo("cat", "/etc/issue").out
    assert "PASS_MAX_DAYS\t365" in converged.sudo("cat", "/etc/login.defs").out


def test_what_the_kernel_allows_holds_and_what_it_refuses_is_recorded(converged: Any) -> None:
    refused = json.loads(converged.sudo("cat", "/etc/steward/baseline.json").out)["not_applicable"]
    names = ["net.ipv4.conf.all.send_redirects", "net.ipv4.tcp_syncookies", "net.ipv4.conf.all.rp_filter"]

    assert converged.sudo("sysctl", "-n", *names).out.split() == ["0", "1", "1"]
    assert not [name for name in refused if name.removeprefix("sysctl ") in names]
    assert refused["sysctl kernel.kptr_restrict"].startswith("read-only file system")
    assert not [name for name in refused if name.startswith("mount ")]


def test_nothing_is_run_from_folders_that_anybody_may_write_to(converged: Any) -> None:
    for folder in ("/tmp", "/var/tmp", "/dev/shm"):
        copied = f"cp /bin/true {folder}/run-me; {folder}/run-me"
        assert "Permission denied" in converged.root(copied).err


def test_the_firewall_that_was_there_stays_beside_ours(converged: Any) -> None:
    tables = converged.sudo("nft", "list", "tables").out

    assert ("inet hand" in tables, "inet steward_host" in tables) == (True, True)
    assert converged.sudo("grep", "-c", "hand", "/etc/nftables.conf").out.strip() == "1"


def test_accounts_are_closed_and_a_key_does_not_age(converged: Any) -> None:
    passwd = converged.sudo("getent", "passwd", "legacy").out.strip()
    shadow = converged.sudo("getent", "shadow", "deploy", "legacy", "steward").out.split()

    assert passwd.endswith("/usr/sbin/nologin")
    assert [line.split(":")[1][:1] for line in shadow] == ["!", "!", "*"]
    assert shadow[2].split(":")[4] in ("", "-1")
    assert converged.sudo("stat", "-c", "%a", "/home/deploy").out.strip() == "750"


def test_a_persons_own_lists_and_stricter_settings_stay(converged: Any) -> None:
    assert converged.sudo("cat", "/etc/cron.allow").out == "deploy\n"
    assert converged.sudo("stat", "-c", "%a:%G", "/etc/cron.allow").out.strip() == "640:crontab"
    assert converged.root("runuser -l deploy -s /bin/bash -c 'umask; echo $TMOUT'").out.split() == [
        "0077",
        "300",
    ]


def test_sudo_reads_its_folder_again(converged: Any) -> None:
    assert converged.root("tail -1 /etc/sudoers").out.strip() == "@includedir /etc/sudoers.d"
    assert "umask_override" in converged.root("sudo -n -l -U steward").out
    assert converged.root("umask").out.strip() == "0022"


def test_it_holds_after_a_boot(converged: Any) -> None:
    run("podman", "restart", "-t", "10", converged.container)
    host = answering(converged)

    assert host.sudo("sysctl", "-n", "net.ipv4.conf.all.send_redirects").out.strip() == "0"
    assert (
        "Permission denied"
        in host.root("cp /bin/true /tmp/x; /tmp/x; cp /bin/true /var/tmp/x; /var/tmp/x").err
    )
    assert "steward_host" in host.sudo("nft", "list", "tables").out
    assert host.sudo("systemctl", "--failed", "--no-legend", "--plain").out == ""
