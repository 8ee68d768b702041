"""What the kernel's tables of a host say it listens on."""

from __future__ import annotations

from orchestrator.verification.listening import MOST_PORTS, let_through, read_listening

TABLES = """\
==> /proc/net/tcp <==
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
   1: 0100007F:1538 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2 1 0 100 0 0 10 0
   2: 8229290A:0016 0129290A:C350 01 00000000:00000000 00:00000000 00000000     0        0 3 1 0 20 4 30 10 -1
==> /proc/net/tcp6 <==
  sl  local_address                         remote_address                        st
   0: 00000000000000000000000000000000:1538 00000000000000000000000000000000:0000 0A 00000000:00000000 00
   1: 00000000000000000000000001000000:0019 00000000000000000000000000000000:0000 0A 00000000:00000000 00
   2: 0000000000000000FFFF00000100007F:001A 00000000000000000000000000000000:0000 0A 00000000:00000000 00
==> /proc/net/udp <==
   0: 00000000:0202 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 5 2 0 0
   1: 8229290A:A5A5 35353535:0035 01 00000000:00000000 00:00000000 00000000     0        0 6 2 0 0
==> /proc/net/if_inet6 <==
00000000000000000000000000000001 01 80 10 80       lo
fe8000000000000088b526fffeee6d58 02 40 20 80     eth0
"""


def test_only_what_is_open_to_more_than_the_loopback_counts() -> None:
    found = read_listening(TABLES)
    assert found.ports == (("tcp", 22), ("udp", 514), ("tcp", 5432))
    assert found.addresses_v6 == ("fe80::88b5:26ff:feee:6d58",)
    assert found.left_out == 0


def test_a_host_that_claims_every_port_is_cut_short_and_said_so() -> None:
    rows = "".join(f" {n}: 00000000:{n:04X} 00000000:0000 0A 0 0\n" for n in range(1, 3000))
    found = read_listening(f"==> /proc/net/tcp <==\n{rows}")
    assert len(found.ports) == MOST_PORTS
    assert found.left_out == 2999 - MOST_PORTS


def test_no_table_is_no_port() -> None:
    assert read_listening("tail: cannot open '/proc/net/tcp6'\n").ports == ()


def test_a_datagram_that_was_let_in_has_an_entry_of_its_sender() -> None:
    table = (
        "ipv4     2 udp      17 29 src=10.41.0.9 dst=10.41.0.2 sport=40909 dport=514 [UNREPLIED] "
        "src=10.41.0.2 dst=10.41.0.9 sport=514 dport=40909 mark=0 zone=0 use=2\n"
        "ipv4     2 udp      17 29 src=10.41.0.8 dst=10.41.0.2 sport=40909 dport=515 [UNREPLIED] "
        "src=10.41.0.2 dst=10.41.0.8 sport=515 dport=40909 mark=0 zone=0 use=2\n"
        "ipv4     2 tcp      6 431999 ESTABLISHED src=10.41.0.9 dst=10.41.0.2 sport=40909 dport=80 "
        "src=10.41.0.2 dst=10.41.0.9 sport=80 dport=40909 [ASSURED] mark=0 zone=0 use=2\n"
    )
    table += (
        "ipv6     10 udp      17 28 src=fe80:0000:0000:0000:0000:0000:0000:0001 "
        "dst=fe80:0000:0000:0000:0000:0000:0000:0002 sport=40909 dport=516 [UNREPLIED] src=x\n"
        "ipv4     2 udp      17 29 src=10.41.0.2 dst=elsewhere sport=40909 dport=517\n"
    )
    assert let_through(table, "10.41.0.2", 40909, "10.41.0.9") == {514}
    assert let_through(table, "10.41.0.2", 40909) == {514, 515}
    assert let_through(table, "10.41.0.2", 40908) == frozenset()
    assert let_through(table, "fe80::2", 40909) == {516}
