"""Bad fleet files, each told with its place, what was got and what to write; never a traceback, never slow."""

# ruff: noqa: E501, ISC004  # a row of the table is one case
from __future__ import annotations

import time

import pytest

from stacks.fleet.loader import parse
from stacks.fleet.mistakes import FleetInvalid
from tests.unit.stacks.fleet.demo import TEXT, changed, refusal, told

MOST_SECONDS_OF_PROCESSOR = 0.1
WEB = "  web:\n    count: 2                 # web-1, web-2\n"
SITE = "  site:\n    paths: [/var/www]\n"

# What is replaced in demo.yaml, by what, and the start of a mistake that must be told.
CASES = [
    # Wrong kinds of value, and nothing at all.
    ("version: 1", "version: 2", "version: 2 is not a choice here; known: 1."),
    ("version: 1", "version: true", "version: write version: 1; got true"),
    ("version: 1", "version: 1.0", "version: write version: 1; got 1.0"),
    ("version: 1\n", "", "version: is required and missing; add it, for example version: 1"),
    ("client: acme", "client:", "client: write text, in quotes where it looks like a number; got nothing"),
    ("client: acme", "client: 7", "client: write text, in quotes where it looks like a number; got 7"),
    ("client: acme", "client: {a: b}", "client: write text, in quotes where it looks like a number; got a mapping with a"),
    ("client: acme", "client: Acme", "client: write lower-case letters, digits and dashes, starting with a letter"),
    ("client: acme", "client: a b", "client: write lower-case letters"),
    ("client: acme", "client: ../../etc", "client: write lower-case letters"),
    ("client: acme", 'client: "a;rm -rf /"', "client: write lower-case letters"),
    ("client: acme", "client: akmé", "client: write lower-case letters"),
    ("client: acme", 'client: "acme\\n"', r"client: write lower-case letters, digits and dashes, starting with a letter, "
     r"at most 30 characters; got 'acme\x0a'"),
    ("client: acme", f"client: {'a' * 31}", "client: write lower-case letters"),
    ("environment: demo", "environment: pre-prod", "environment: write an environment without dashes"),
    ("owner: platform@acme.example", "owner: nobody", "owner: write an e-mail address, for example team@acme.example; got 'nobody'"),
    ("owner: platform@acme.example", "owner: \"{{ lookup('pipe','id') }}@x\"", "owner: write an e-mail address"),
    ("provider: local", "provider: lokal", "provider: 'lokal' is not a choice here; known: local. Did you mean 'local'?"),
    ("region: local-1", "region: local 1", "region: write a region such as local-1"),
    ("profile: demo", "profile: lax", "profile: 'lax' is not a choice here; known: demo, standard, strict."),
    ("profile: demo", "profile: [demo]", "profile: a list is not a choice here"),
    ("cost_centre: web", "cost_center: web", "cost_center: unknown key 'cost_center'; known: "),
    ("cost_centre: web", "cost_centre: .inf", "cost_centre: write lower-case letters"),
    # Money.
    ("amount: 250", "amount: .nan", "budget.amount: write an amount as a number, for example 250 or 249.90; got '.nan'"),
    ("amount: 250", "amount: '250'", "budget.amount: write an amount as a number"),
    ("amount: 250", "amount: 1e400", "budget.amount: write an amount as a number"),
    ("amount: 250", "amount: 0", "budget.amount: write a number above 0; got 0"),
    ("amount: 250", "amount: 1.234", "budget.amount: write at most 2 decimal places; got 1.234"),
    ("currency: EUR", "currency: euro", "budget.currency: write a currency as three capital letters"),
    ("per: month", "per: week", "budget.per: 'week' is not a choice here; known: month, year."),
    ("warn_at_percent: 80", "warn_at_percent: 80.5", "budget.warn_at_percent: write a whole number; got 80.5"),
    ("warn_at_percent: 80", "warn_at_percent: 101", "budget.warn_at_percent: write a number of at most 100; got 101"),
    # Networks.
    ("10.41.0.0/24", "10.41.0.1/24", "networks.app.cidr: write a network as IPv4 CIDR, for example 10.41.0.0/24: 10.41.0.1/24"),
    ("10.41.0.0/24", "10.41.0.0", "networks.app.cidr: write a network as IPv4 CIDR"),
    ("10.41.0.0/24", "10.41.0.0/255.255.255.0", "networks.app.cidr: write a network as IPv4 CIDR"),
    ("10.41.0.0/24", "fd00::/64", "networks.app.cidr: write a network as IPv4 CIDR"),
    ("10.41.0.0/24", "10.0.0.0/8", "networks.app.cidr: '10.0.0.0/8' is not between /16 and /28"),
    ("10.41.0.0/24", "127.0.0.0/16", "networks.app.cidr: no server can have an address in '127.0.0.0/16'"),
    ("10.41.0.0/24", "224.1.0.0/24", "networks.app.cidr: no server can have an address in"),
    ("  app: {cidr: 10.41.0.0/24}", "  app: {cidr: 10.41.0.0/24}\n  b: {cidr: 10.41.0.128/25}",
     "networks.b.cidr: '10.41.0.128/25' overlaps with network 'app' (10.41.0.0/24)."),
    ("  app: {cidr: 10.41.0.0/24}", "  a pp: {cidr: 10.41.0.0/24}", "networks.a pp: write lower-case letters"),
    ("networks:\n  app: {cidr: 10.41.0.0/24}", "networks: {}", "networks: declare at least 1; got an empty mapping"),
    ("networks:\n  app: {cidr: 10.41.0.0/24}", "networks: [app]", "networks: write a mapping of names, for example {name: ...}; got a list"),
    ("  app: {cidr: 10.41.0.0/24}", "  app: 10.41.0.0/24", "networks.app: write a mapping with cidr; got '10.41.0.0/24'"),
    # Services.
    ("purpose: Customers order here", 'purpose: "a\\x1b[2Jb"', "services.shop.purpose: write one line of plain text"),
    ("purpose: Customers order here", 'purpose: "a\\u202eb"', r"services.shop.purpose: write one line of plain text, without control characters; got 'a\u202eb'"),
    ("purpose: Customers order here", "purpose: ''", "services.shop.purpose: write at least 1 character; got ''"),
    ("target_percent: 99.5", "target_percent: .nan", "services.shop.availability.target_percent: write a number; got '.nan'"),
    ("target_percent: 99.5", "target_percent: 100.5", "services.shop.availability.target_percent: write a number of at most 100; got 100.5"),
    ("http: web", "http: wbe", "services.shop.availability.probe.http: no server named 'wbe'; known: db, web. Did you mean 'web'?"),
    ("path: /,", "path: /?a=$(id),", "services.shop.availability.probe.path: write a path such as / or /health"),
    ("expect: 200", "expect: 2000", "services.shop.availability.probe.expect: write a number of at most 599; got 2000"),
    ('"Sun 02:00-04:00"', "Sunday", "services.shop.maintenance.window: write a window as 'Sun 02:00-04:00'"),
    ('"Sun 02:00-04:00"', '"02:00-02:00"', "services.shop.maintenance.window: a window ends at another time"),
    ("timezone: Europe/Berlin}", "timezone: Europe/Berln}", "services.shop.maintenance.timezone: write an IANA time zone such as "
     "Europe/Berlin or UTC. Did you mean 'Europe/Berlin'?; got 'Europe/Berln'"),
    ("timezone: Europe/Berlin}", "timezone: ../../etc/passwd}", "services.shop.maintenance.timezone: write an IANA time zone"),
    ("timezone: Europe/Berlin}", "timezone: Europe}", "services.shop.maintenance.timezone: write an IANA time zone"),
    ("servers: [web, db]", "servers: [web, bd]", "services.shop.servers[1]: no server named 'bd'; known: db, web. Did you mean 'db'?"),
    ("servers: [web, db]", "servers: [web, web]", "services.shop.servers: 'web' is said twice; say it once"),
    ("servers: [web, db]", "servers: web", "services.shop.servers: write a list, for example [one, two]; got 'web'"),
    ("servers: [web, db]", "servers: []", "services.shop.servers: declare at least 1; got an empty list"),
    # Servers.
    ("count: 2 ", "count: 0 ", "servers.web.count: write a number of at least 1; got 0"),
    ("count: 2 ", "count: 10000 ", "servers.web.count: write a number of at most 100; got 10000"),
    ("count: 2 ", f"count: {'9' * 5000} ", "servers.web.count: write a whole number; got '9999"),
    ("count: 2 ", "count: two ", "servers.web.count: write a whole number; got 'two'"),
    ("count: 2 ", "count: true ", "servers.web.count: write a whole number; got true"),
    ("count: 2 ", "count: 2026-01-01 ", "servers.web.count: write a whole number; got '2026-01-01'"),
    ("size: small", "size: tiny", "servers.web.size: 'tiny' is not a choice here; known: large, medium, small."),
    ("size: small", "cpus: .nan\n    memory_gib: 1", "servers.web.cpus: write a number; got '.nan'"),
    ("size: small", "cpus: .inf\n    memory_gib: 1", "servers.web.cpus: write a number; got '.inf'"),
    ("size: small", "cpus: 1e308\n    memory_gib: 1", "servers.web.cpus: write a number of at most 128; got 1e+308"),
    ("size: small", "cpus: -1\n    memory_gib: 1", "servers.web.cpus: write a number above 0; got -1"),
    ("size: small", "cpus: 1", "servers.web: say either size (small, medium, large) or both cpus and memory_gib; got a mapping with count, cpus"),
    ("size: small", "size: small\n    cpus: 1\n    memory_gib: 1", "servers.web: say either size (small, medium, large) or both"),
    ("network: app", "network: ap", "servers.web.network: no network named 'ap'; known: app. Did you mean 'app'?"),
    (WEB, "  'web 1':\n", "servers.web 1: write lower-case letters, digits and dashes"),
    (WEB, '  "w\\x1b[2J":\n', r"servers.w\x1b[2J: write lower-case letters"),
    (WEB, "  $(id):\n", "servers.$(id): write lower-case letters"),
    (WEB, "  7:\n", "servers: the key 7 is not text; put it in quotes"),
    (WEB, "  null:\n", "servers: the key null is not text; put it in quotes"),
    (WEB, "  ? [a, b]\n  :\n", "servers: a key is a list, a mapping or an alias; write keys as plain text"),
    (WEB, WEB + "    count: 3\n", "servers.web.count: the key 'count' is said twice, first in line 25; remove one"),
    (WEB, WEB + "    <<: small\n", "servers.web.<<: merges a mapping or a list of mappings, for example <<: *common"),
    ("size: small", "size: !!python/object/apply:os.system [id]", "servers.web.size: the tag tag:yaml.org,2002:python/object/apply:os.system is not"),
    ("size: small", "size: !vault small", "servers.web.size: the tag !vault is not read; write the value without it"),
    ("- nginx: {site: debian-reference}", "- [nginx]", "servers.web.roles[0]: write a role as its name, or as name: {variable: value}; got a list"),
    ("- nginx: {site: debian-reference}", "- ../nginx", "servers.web.roles[0]: write a role's name with lower-case letters"),
    ("- nginx: {site: debian-reference}", "- nginx\n      - nginx", "servers.web.roles[1]: role 'nginx' is said twice; say it once"),
    ("from: anywhere", "from: anywere", "servers.web.ingress[0].from: no server named 'anywere'; known: anywhere, db, web. Did you mean 'anywhere'?"),
    ("from: anywhere", "from: 0.0.0.0/0", "servers.web.ingress[0].from: write 'anywhere' for a rule that lets everybody in"),
    ("from: anywhere", "from: 10.0.0.1", "servers.web.ingress[0].from: no server named '10.0.0.1'"),
    ("from: anywhere", "from: null", "servers.web.ingress[0].from: write 'anywhere', the name of a server, or a network as CIDR; got nothing"),
    ("port: 80}", "port: 0}", "servers.web.ingress[0].port: write a number of at least 1; got 0"),
    ("port: 80}", "port: 70000}", "servers.web.ingress[0].port: write a number of at most 65535; got 70000"),
    ("port: 80}", 'port: "80"}', "servers.web.ingress[0].port: write a whole number; got '80'"),
    ("port: 80}", "port: 80, proto: tcp}", "servers.web.ingress[0].proto: unknown key 'proto'; known: from, port, protocol, publish. Did you mean 'protocol'?"),
    ("port: 80}", "port: 80, publish: 8080}", "servers.web.ingress[0].publish: one port cannot be published for 2 servers"),
    ("port: 80}", "port: 80}\n      - {from: anywhere, port: 80}", "servers.web.ingress: tcp port 80 from 'anywhere' is said twice"),
    ("{from: web, port: 5432}", "{from: web, port: 5432, publish: 1}", "servers.db.ingress[0].publish: only a tcp port that is open to anywhere can be published"),
    ("size_gib: 10", "size_gib: 10 GiB", "servers.db.volumes.data.size_gib: write a whole number; got '10 GiB'"),
    ("mount: /var/lib/postgresql", "mount: var/lib", "servers.db.volumes.data.mount: write an absolute path"),
    ("mount: /var/lib/postgresql", "mount: /var/../etc", "servers.db.volumes.data.mount: write the path without '.' and '..' steps"),
    ("mount: /var/lib/postgresql", "mount: /etc", "servers.db.volumes.data.mount: the operating system lives there"),
    ("mount: /var/lib/postgresql", "mount: /srv/data", "servers.db.volumes.data: the volume 'data' bears data and no backup plan of this server covers /srv/data."),
    ("backup: [site]", "backup: [sites]", "servers.web.backup[0]: no backup plan named 'sites'; known: databases, site. Did you mean 'site'?"),
    ("backup: [site]", "backup: [site, site]", "servers.web.backup: 'site' is said twice; say it once"),
    ("backup: [site]", "backup: [databases, site]", "servers.web.backup: plan 'databases' saves databases, but the server has no role postgresql"),
    # Backups and repositories.
    ("{stack: acme-vault}", "{stack: vault}", "repositories.vault.stack: write a stack as client-environment, for example acme-vault; got 'vault'"),
    ("{stack: acme-vault}", "{stack: acme-demo}", "repositories.vault.stack: 'acme-demo' is this fleet itself; say server instead"),
    ("{stack: acme-vault}", "{stack: acme-vault, server: db}", "repositories.vault: say either stack (a vault elsewhere) or server"),
    ("{stack: acme-vault}", "{server: db}", "repositories.vault.server: server 'db' does not have the role backup_vault"),
    ("{stack: acme-vault}", "{}", "repositories.vault: say either stack (a vault elsewhere) or server (the vault of this fleet); got an empty mapping"),
    (SITE, "  site:\n    paths: [/var/www]\n    postgresql: [shop]\n", "backups.site: say either paths or postgresql"),
    (SITE, "  site:\n", "backups.site: say either paths or postgresql"),
    ("repository: vault\n    schedule: \"30", "repository: {a: b}\n    schedule: \"30", "backups.site.repository: write text"),
    ("paths: [/var/www]", "paths: [/var/www/]", "backups.site.paths[0]: write an absolute path of letters"),
    ("paths: [/var/www]", 'paths: ["/var/$(id)"]', "backups.site.paths[0]: write an absolute path of letters"),
    ("postgresql: [shop, iso]\n    repo", "postgresql: [shop, isö]\n    repo", "backups.databases.postgresql[1]: write a database's name"),
    ("postgresql: [shop, iso]\n    repo", "postgresql: [shop, isos]\n    repo", "servers.db.backup: plan 'databases': no database named 'isos' here; known: iso, shop. Did you mean 'iso'?"),
    ("repository: vault", "repository: valt", "backups.site.repository: no repository named 'valt'; known: vault. Did you mean 'vault'?"),
    ('schedule: "30 1 * * *"', 'schedule: "0 0 30 2 *"', "backups.site.schedule: '0 0 30 2 *' never fires: no month it names has such a day"),
    ('schedule: "30 1 * * *"', "schedule: daily", "backups.site.schedule: a schedule has five fields"),
    ('schedule: "30 1 * * *"', "schedule: 30", "backups.site.schedule: write a schedule as five fields in quotes"),
    ('schedule: "30 1 * * *"', 'schedule: "30 1 1 * 1"', "backups.site.schedule: say either a day of the month or a weekday"),
    ('schedule: "30 1 * * *"', 'schedule: "30 2 * * *"', "backups.site.rpo: 26h is shorter than the schedule '30 2 * * *' allows (24h apart, and 47h "
     "when the clocks change in Europe/Berlin). Say at least rpo: 47h, or timezone: UTC, where they never change."),
    ("daily: 7, weekly: 4, monthly: 6", "daily: 0", "backups.site.keep: keeps nothing; say for example {daily: 7, weekly: 4}; got a mapping with daily"),
    ("daily: 7, weekly: 4, monthly: 6", "days: 7", "backups.site.keep.days: unknown key 'days'; known: daily, hourly, monthly, weekly, yearly. Did you mean 'daily'?"),
    ("rpo: 26h", "rpo: 1h", "backups.site.rpo: 1h is shorter than the schedule '30 1 * * *' allows (25h apart). Say at least rpo: 25h, or back up more often."),
    ("rpo: 26h", "rpo: 26", "backups.site.rpo: write a duration as a whole number and a unit: 90s, 30m, 26h, 7d or 2w; got 26"),
    ("rpo: 26h", "rpo: ٢٦h", "backups.site.rpo: write a duration"),
    ("    rto: 30m\n", "", "backups.site.rto: is required and missing; add it, for example rto: 1h"),
    (SITE, "  extra:\n    paths: [/srv]\n    repository: vault\n    schedule: '0 1 * * *'\n    keep: {daily: 1}\n    rpo: 2d\n    rto: 1h\n" + SITE,
     "backups.extra: no server uses this plan. Add backup: [extra] to a server, or remove the plan."),
    # Text that is no YAML, or more of it than is read.
    ("\nservers:", "\n\tservers:", "(file): is not valid YAML: while scanning for the next token found character that cannot start any token; indent with spaces"),
    ("client: acme", "client: [acme", "(file): is not valid YAML: while parsing a flow sequence did not find expected ',' or ']'"),
    ("client: acme", "client: *acme", "(file): the alias *acme names nothing before it"),
    ("client: acme", "client: &a [*a]", "(file): the alias *a names nothing before it"),
    ("client: acme", "client: a\x00b", r"(file): the control character \x00 is not allowed; remove it"),
    ("client: acme", "client: a\x1b[2J", r"(file): the control character \x1b is not allowed; remove it"),
    ("client: acme", "client: acme\n---\nclient: b", "(file): holds more than one document"),
    ("client: acme", 'client: "\\UFFFFFFFF"', "(file): is not valid YAML"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "expected"), CASES, ids=[new.strip()[:40] for _, new, _ in CASES])
def test_a_mistake_is_told_where_it_is_and_how_to_mend_it(old: str, new: str, expected: str) -> None:
    mistakes = told(changed(old, new))
    assert any(each.startswith(expected) for each in mistakes), mistakes
    assert all(each.isprintable() for each in mistakes)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"", "(file): is empty. Begin with version: 1"),
        (b"# nothing\n", "(file): is empty."),
        (b"- a\n", "(file): a fleet is a mapping of keys, not a list."),
        (b"text", "(file): a fleet is a mapping of keys, not 'text'."),
        (b"\x00\x01\x02\xff\xfe", "(file): is not UTF-8 text at byte 3; save it as UTF-8"),
        ("version: 1".encode("utf-16"), "(file): is not UTF-8 text at byte 0"),
        (b"\xef\xbb\xbfversion: 1\n", "client: is required and missing"),
        (b"x" * (2 << 20), "(file): is larger than the 256 KiB a fleet may have"),
        (b"[" * 1000, "(file): is nested deeper than 20 levels"),
        (b"- " * 1000, "(file): is nested deeper than 20 levels"),
        ("".join(" " * n + "a:\n" for n in range(99)).encode(), "(file): is nested deeper than 20 levels"),
        (b"a: &a [x, x, x, x, x, x, x, x, x]\n" + b"".join(
            f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n".encode() for old, new in zip("abcdefg", "bcdefgh", strict=True)
        ), "(file): holds more than 20000 values, aliases and included files counted"),
        (b"%YAML 9.9\n---\na: b", "(file): is not valid YAML: found incompatible YAML document"),
    ],
    ids=range(13),
)  # fmt: skip
def test_a_file_that_is_no_fleet_is_refused_in_one_sentence(raw: bytes, expected: str) -> None:
    assert any(each.startswith(expected) for each in told(raw))


@pytest.mark.parametrize(
    ("old", "new"), [(old, new) for old, new, _ in CASES], ids=[new.strip()[:40] for _, new, _ in CASES]
)
def test_a_refusal_is_quick(old: str, new: str) -> None:
    raw = changed(old, new).encode()

    def seconds() -> float:
        begin = time.process_time()
        with pytest.raises(FleetInvalid):
            parse(raw, "demo.yaml")
        return time.process_time() - begin

    assert any(seconds() < MOST_SECONDS_OF_PROCESSOR for _ in range(3))


@pytest.mark.parametrize(
    "text",
    [
        "[" * 200_000,
        "{" + "a, " * 80_000,
        "".join(f"k{n}: 1\n" for n in range(15_000)),
        changed(
            "  web:",
            "".join(f"  s{n}: {{size: small, network: n{n}, backup: [b{n}]}}\n" for n in range(1500))
            + "  web:",
        ),
        changed("  app:", "".join(f"  n{n}: {{cidr: 10.41.0.0/24}}\n" for n in range(3000)) + "  app:"),
        changed("count: 2", "count: " + "x" * 200_000),
    ],
    ids=["deep", "wide", "unknown-keys", "dangling", "overlapping", "long"],
)
def test_a_file_made_to_be_slow_is_refused_in_seconds(text: str) -> None:
    begin = time.process_time()
    mistakes = refusal(text).mistakes
    assert time.process_time() - begin < 5
    assert len(mistakes) <= 201


def test_a_wrong_size_hides_no_wrong_name() -> None:
    problem = refusal(TEXT.replace("size: small", "size: smal", 1).replace("network: app", "network: ap", 1))
    assert [each.path for each in problem.mistakes] == ["servers.web.size", "servers.web.network"]


def test_all_mistakes_come_at_once_in_the_order_of_the_file() -> None:
    text = (
        TEXT.replace("client: acme", "client: A")
        .replace("port: 80}", "prt: 80}")
        .replace("rpo: 26h", "rpo: 1h")
    )
    problem = refusal(text)
    assert [each.path for each in problem.mistakes] == [
        "client", "servers.web.ingress[0].port", "servers.web.ingress[0].prt", "backups.site.rpo"
    ]  # fmt: skip
    assert str(problem).startswith("demo.yaml: 4 mistakes, nothing was changed\n\n  client  ")
    assert [each.line for each in problem.mistakes] == sorted(each.line or 0 for each in problem.mistakes)
