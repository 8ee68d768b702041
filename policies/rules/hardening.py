"""How a host is closed: kernel, files, firewall, watchers and clock; docs/hardening.md says how."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv6Address, ip_address

from policies.facts import Facts, MalformedFactError, UnknownFactError, shown
from policies.model import Finding, Gap, NotApplicable, Outcome, Subject, each
from policies.rules._hosts import first, is_container, modes, not_held, octal, rows, settings, texts

_HOME = 0o750


def network_settings(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """The kernel neither routes nor believes what strangers say of routes."""
    yield from settings(subject, params)


def kernel_settings(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """The kernel hides its addresses, mixes memory, and keeps programs from each other."""
    yield from settings(subject, params)


def core_dumps_off(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """A program that dies leaves no copy of its memory on the disk."""
    dumps = subject.facts.table("core_dumps")
    if dumps.text_or_none("hard_limit") != "0":
        got = shown(dumps.text_or_none("hard_limit") or "no limit")
        yield Finding(dumps.where("hard_limit"), "core dumps are written", got, "* hard core 0")
    if "systemd-coredump" in dumps.text("pattern") and dumps.text("storage") != "none":
        got = shown(dumps.text("storage"))
        yield Finding(dumps.where("storage"), "systemd keeps core dumps", got, "Storage=none")


def modules_blocked(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """Nobody loads drivers that a server has no use for."""
    modules = subject.facts.table("modules")
    excuse = not_held(subject, "sys_module")
    if not modules.flag("loadable"):
        excuse = NotApplicable("this kernel loads no modules")
    if excuse is not None:
        yield excuse
        return
    for row in rows(modules, "asked"):
        name = shown(row.text("name"))
        if row.flag("loaded"):
            yield Finding(row.where("loaded"), f"{name} is loaded", "loaded", "not loaded")
        elif not row.flag("blocked") and not modules.flag("listed"):
            yield Gap(row.where("available"), reason="the kernel's list of modules was not found")
        elif not row.flag("blocked") and row.flag("available"):
            yield Finding(row.where("blocked"), f"{name} can be loaded", "free", f"install {name} /bin/false")


def mounts_restricted(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """Nothing is run from folders that everybody may write to."""
    excuse = not_held(subject, "sys_admin")
    if excuse is not None:
        yield excuse
        return
    mounts = {row.text("path"): row for row in rows(subject.facts, "mounts")}
    for folder in params.texts("folders"):
        row = mounts.get(folder)
        if row is None:
            place = subject.facts.where("mounts")
            yield Finding(place, f"{folder} is no mount of its own", "none", "nodev, nosuid, noexec")
            continue
        lacking = sorted({"nodev", "nosuid", "noexec"} - set(texts(row, "options")))
        if lacking:
            seen = f"without {', '.join(lacking)}"
            yield Finding(row.where("options"), f"{folder} is {seen}", seen, "nodev, nosuid, noexec")


def file_modes(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """Files that decide who may do what are closed and root's."""
    if not rows(subject.facts, "file_modes"):
        raise MalformedFactError(subject.facts.where("file_modes"), "the modes of the system's files", None)
    yield from first(modes(subject, params))


def cron_closed(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """Only root changes what cron and at run, and only who is listed may use them."""
    programs = subject.facts.table("scheduling")
    here = [name for name in ("cron", "at") if programs.table(name).flag("installed")]
    if not here:
        yield NotApplicable("neither cron nor at is installed")
        return
    for name in here:
        program = programs.table(name)
        if program.get("allow") is None:
            yield Finding(
                program.where("allow"), f"everybody may use {name}", "no list", f"/etc/{name}.allow"
            )
        for user in program.texts("allow"):
            if user not in params.texts("users"):
                yield Finding(program.where("allow"), f"{shown(user)} may use {name}", shown(user),
                              " or ".join(params.texts("users")))  # fmt: skip
    yield from modes(subject, params)


def world_writable(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """No file, and no folder without the sticky bit, is open to everybody."""
    ignored = tuple(params.texts("ignored"))
    seen = subject.facts.table("open_files")

    def judge(row: Facts) -> Iterator[Outcome]:
        path = row.text("path")
        if not path.startswith(ignored):
            yield Finding(row.where("mode"), f"everybody may write to {shown(path)}", row.text("mode"),
                          "not writable by others")  # fmt: skip

    yield from first(each(rows(seen, "world_writable"), judge))
    yield from _whole(seen)


def setuid_known(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """Every program that runs as another is one that somebody decided on."""
    known, seen = params.texts("programs"), subject.facts.table("open_files")

    def judge(row: Facts) -> Iterator[Outcome]:
        path = row.text("path")
        if path not in known:
            kind = "owner" if row.flag("by_owner") else "group"
            yield Finding(row.where("path"), f"{shown(path)} runs as its {kind}", shown(row.text("owner")),
                          "a program of the list")  # fmt: skip

    yield from first(each(rows(seen, "setuid"), judge))
    yield from _whole(seen)


def umask_closed(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """New files are closed to others, and so are the homes of people."""
    defaults = subject.facts.table("login_defs")
    if octal(defaults, "umask") & 0o027 != 0o027:
        yield Finding(
            defaults.where("umask"), "new files are open", defaults.text("umask"), "027 or stricter"
        )

    def judge(row: Facts) -> Iterator[Outcome]:
        if row.text("kind") == "folder" and octal(row, "mode") & ~_HOME:
            yield Finding(row.where("mode"), f"home {shown(row.text('path'))} is open", row.text("mode"),
                          f"{_HOME:04o} or less")  # fmt: skip

    yield from first(each(rows(subject.facts, "homes"), judge))


def firewall_denies(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """What no rule lets in is dropped, for both families of addresses."""
    firewall = subject.facts.table("firewall")
    closed: set[str] = set()
    for chain in rows(firewall, "chains"):
        if chain.text("hook") == "input" and chain.text("policy") == "drop":
            closed |= {"ip", "ip6"} if chain.text("family") == "inet" else {chain.text("family")}
    for family, name in (("ip", "IPv4"), ("ip6", "IPv6")):
        if family not in closed:
            yield Finding(firewall.where("chains"), f"{name} that no rule names comes in", "accept", "drop")


def ports_allowed(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """Nothing listens to others but what the fleet file opens."""
    allowed = _allowed(subject, params)

    def judge(row: Facts) -> Iterator[Outcome]:
        port = f"{row.text('protocol')}/{row.whole('port')}"
        if not _local(row) and port not in allowed:
            yield Finding(row.where("port"), f"{shown(row.text('process') or 'a program')} listens on {port}",
                          shown(f"{row.text('address')} {port}"), "a port of the fleet file")  # fmt: skip

    yield from first(each(rows(subject.facts, "listening"), judge))


def ports_reachable(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """Seen from another server, nothing answers but what the fleet file opens."""
    allowed, looks = _allowed(subject, params, only_opened=True), rows(subject.facts, "listening_outside")
    if not looks:
        yield Gap(subject.facts.where("listening_outside"), reason="no port was tried from outside")

    def judge(row: Facts) -> Iterator[Outcome]:
        port, answer, witness = (
            f"{row.text('protocol')}/{row.whole('port')}",
            row.text("answer"),
            row.text("witness"),
        )
        if answer.startswith("unreachable"):
            yield Gap(row.where("answer"), reason=f"{witness} has no way to this host: {answer}")
        elif answer == "open" and (port not in allowed or (row.has("allowed") and not row.flag("allowed"))):
            yield Finding(row.where("port"), f"{port} answers {shown(witness)}", "open", "closed",
                          witness=shown(witness))  # fmt: skip

    yield from first(each(looks, judge))


def audit_running(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """The kernel's audit is on, somebody reads it, and rules say what is written down."""
    audit = subject.facts.table("audit")
    refused = audit.text("refused")
    if refused and is_container(subject):
        yield NotApplicable(f"a container: its kernel refuses audit ({shown(refused)})")
        return
    if refused or not audit.flag("enabled") or not audit.whole("daemon"):
        got = shown(refused) if refused else "off" if not audit.flag("enabled") else "no daemon"
        yield Finding(audit.where("enabled"), "nothing is audited", got, "on, read by auditd")
    if audit.whole("rules") < params.whole("min_rules"):
        least = params.whole("min_rules")
        yield Finding(audit.where("rules"), "few audit rules", str(audit.whole("rules")), f"{least} or more")


def apparmor_enforced(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """AppArmor confines programs, and does not only complain."""
    apparmor = subject.facts.table("apparmor")
    refused = apparmor.text("refused")
    if refused and is_container(subject):
        yield NotApplicable(f"a container: AppArmor is its host's ({shown(refused)})")
        return
    if not apparmor.flag("enabled") or not apparmor.whole("enforced"):
        got = shown(refused or "no profile enforced")
        yield Finding(apparmor.where("enforced"), "no program is confined", got, "profiles enforced")
    mild = texts(apparmor, "complaining")
    if len(mild) > params.whole("max_complaining"):
        yield Finding(apparmor.where("complaining"), "profiles only complain", shown(", ".join(mild)),
                      f"at most {params.whole('max_complaining')}")  # fmt: skip


def journal_kept(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """The log of the system outlives a boot."""
    journal = subject.facts.table("journal")
    volatile = [row for row in rows(subject.facts, "mounts") if row.text("path") == "/var/log/journal"]
    if volatile and volatile[-1].text("type") == "tmpfs" and is_container(subject):
        yield NotApplicable("a container whose /var/log/journal lies in memory, mounted by its host")
        return
    storage = journal.text("storage")
    if storage != "persistent" and not (storage == "auto" and journal.flag("folder")):
        yield Finding(
            journal.where("storage"), "the journal ends with the boot", shown(storage), "persistent"
        )


def clock_kept(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """A daemon keeps the clock, and the kernel knows it to be right."""
    excuse = not_held(subject, "sys_time")
    if excuse is not None:
        yield excuse
        return
    if not texts(subject.facts, "time_daemons"):
        place = subject.facts.where("time_daemons")
        yield Finding(place, "no daemon keeps the clock", "none", "timesyncd, chrony or ntpsec")
    clock = subject.facts.table("clock")
    if not clock.flag("synchronised"):
        yield Finding(clock.where("synchronised"), "the clock is not synchronised", "no", "yes")


def clock_agrees(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """The host's clock agrees with the control machine's, so that two logs can be laid side by side."""
    clock, most = subject.facts.table("clock"), params.number("max_skew_seconds")
    skew = clock.number("skew_seconds")
    if skew > most:
        place = clock.where("skew_seconds")
        yield Finding(place, "the clock disagrees with the control machine's", f"{skew:.1f} s", f"{most:g} s")


def units_healthy(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """No unit has failed: a watcher that died watches nothing."""
    units, ignored = subject.facts.table("units"), params.texts("ignored")
    failed = [name for name in texts(units, "failed") if name not in ignored]
    if failed:
        yield Finding(units.where("failed"), f"{len(failed)} units failed", shown(", ".join(failed)), "none")


def _whole(seen: Facts) -> Iterator[Outcome]:
    """What a walk did not reach may hold anything."""
    unseen = texts(seen, "unseen")
    if unseen:
        yield Gap(seen.where("unseen"), reason=f"not looked at to the end: {', '.join(unseen)}")


def _allowed(subject: Subject, params: Facts, *, only_opened: bool = False) -> frozenset[str]:
    """`tcp/443` for each port of the fleet file, and those that every host needs for itself.

    `only_opened` leaves out what a role listens on behind a firewall that lets nobody in.
    """
    expected = subject.facts.table("expected")
    if not expected.has("ports"):
        raise UnknownFactError(expected.where("ports"), reason="the fleet does not say which ports are open")
    own = {
        f"{row.text('protocol')}/{row.whole('port')}"
        for row in rows(expected, "ports")
        if not (only_opened and row.has("opened") and not row.flag("opened"))
    }
    return frozenset(own | set(params.texts("own_ports")))


def _local(row: Facts) -> bool:
    """Whether only the host itself can speak to it."""
    try:
        address = ip_address(row.text("address"))
    except ValueError:
        raise MalformedFactError(row.where("address"), "an address", row.text("address")) from None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback
