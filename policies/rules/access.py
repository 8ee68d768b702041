"""Who may come in and become what: accounts, passwords, sudo, groups and keys."""

from __future__ import annotations

from collections.abc import Iterator

from policies.facts import Facts, shown
from policies.model import Finding, Gap, NotApplicable, Outcome, Subject, each
from policies.rules._hosts import administrators, count, first, octal, rows, texts
from policies.rules._spans import DAY, days


def one_root(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """Nobody but root has the number 0, as account or as first group."""

    def judge(row: Facts) -> Iterator[Outcome]:
        name = row.text("name")
        if name != "root" and 0 in (row.whole("uid"), row.whole("gid")):
            yield Finding(
                row.where("uid"), f"{shown(name)} is root by another name", shown(name), "root alone"
            )

    yield from each(rows(subject.facts, "accounts"), judge)


def no_empty_password(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """No account without a password is open, and no hash stands where everybody reads it."""

    def judge(row: Facts) -> Iterator[Outcome]:
        name = shown(row.text("name"))
        if row.table("password").text("state") == "empty":
            place = row.table("password").where("state")
            yield Finding(place, f"{name} needs no password", "empty", "locked, or a password")
        if row.flag("in_passwd"):
            place = row.where("in_passwd")
            yield Finding(place, f"the hash of {name} stands in /etc/passwd", "readable", "in /etc/shadow")

    yield from each(rows(subject.facts, "accounts"), judge)


def system_accounts_closed(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """Accounts of packages have no shell to log in with."""
    closed, exempt = params.texts("closed_shells"), params.texts("login_accounts")
    least, nobody = params.whole("first_person"), 65_534

    def judge(row: Facts) -> Iterator[Outcome]:
        name, uid, shell = row.text("name"), row.whole("uid"), row.text("shell")
        if (uid < least or uid == nobody) and shell not in closed and name not in exempt:
            yield Finding(row.where("shell"), f"{shown(name)} can log in", shown(shell or "/bin/sh"),
                          closed[0] if closed else "no shell")  # fmt: skip

    yield from each(rows(subject.facts, "accounts"), judge)


def password_hash_strong(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """Passwords are kept by an algorithm that is slow to guess."""
    allowed = params.texts("algorithms")

    def judge(row: Facts) -> Iterator[Outcome]:
        held = row.table("password")
        if held.text("state") == "set" and held.text("algorithm") not in allowed:
            name, got = shown(row.text("name")), shown(held.text("algorithm"))
            yield Finding(held.where("algorithm"), f"password of {name} is kept by {got}", got,
                          " or ".join(allowed))  # fmt: skip

    yield from each(rows(subject.facts, "accounts"), judge)


def password_age_limited(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """A password that exists must be changed now and then, and was not changed in the future."""
    most, today = params.whole("max_days"), _today(subject)

    def judge(row: Facts) -> Iterator[Outcome]:
        if row.table("password").text("state") != "set":
            return
        name, may = shown(row.text("name")), row.get("max_days")
        if may is None or not 0 <= row.whole("max_days") <= most:
            seen = "never" if may is None else str(may)
            yield Finding(
                row.where("max_days"), f"password of {name} may stay", seen, f"at most {days(most * DAY)}"
            )
        if row.get("changed_day") is not None and row.whole("changed_day") > today:
            place = row.where("changed_day")
            yield Finding(place, f"password of {name} changed in the future", str(row.whole("changed_day")),
                          f"day {today} or before")  # fmt: skip

    yield from each(rows(subject.facts, "accounts"), judge)


def passwords_guarded(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """PAM locks after wrong tries and refuses weak passwords."""
    pam = subject.facts.table("pam")
    auth, stack = texts(pam, "auth"), texts(pam, "password")
    for place, lines, module in (("auth", auth, "pam_faillock.so"), ("password", stack, "pam_pwquality.so")):
        if not any(module in line for line in lines):
            yield Finding(pam.where(place), f"{module} is not asked", "absent", f"{module} in common-{place}")
    lock, least = pam.table("faillock"), params.whole("min_unlock_seconds")
    tries = count(lock, "deny") if lock.has("deny") else 3
    wait = count(lock, "unlock_time") if lock.has("unlock_time") else 600
    if not 1 <= tries <= params.whole("max_tries"):
        yield Finding(lock.where("deny"), "many wrong passwords before a lock", str(tries),
                      f"1 to {params.whole('max_tries')}")  # fmt: skip
    if 0 < wait < least:
        yield Finding(lock.where("unlock_time"), "a lock ends soon", f"{wait} seconds", f"{least} or never")


def sudo_listed(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """Whoever may become root by sudo is an administrator of this host in the fleet file."""
    sudo = subject.facts.table("sudo")
    if not sudo.flag("installed"):
        yield NotApplicable("sudo is not installed")
        return
    listed = administrators(subject) | {"root"}
    for place in range(len(texts(sudo, "not_understood"))):
        where = f"{sudo.where('not_understood')}[{place}]"
        yield Gap(where, reason="a line of sudo's files that the collector does not understand")

    def judge(rule: Facts) -> Iterator[Outcome]:
        become = [word.strip() for word in rule.text("become").split(":")[0].split(",")]
        if not {"root", "#0", "ALL", ""} & set(become):
            return
        for who in [word.strip() for word in rule.text("who").split(",")]:
            for person in _members(subject, who) if who.startswith("%") else (who,):
                if person not in listed:
                    may = shown(", ".join(rule.texts("commands")))
                    what, line = f"{shown(person)} may become root ({may})", shown(rule.text("line"))
                    yield Finding(rule.where("who"), what, line, "administrators of the fleet file alone")

    yield from first(each(rows(sudo, "rules"), judge))


def sudo_logged(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """What sudo does is written down, in a terminal of its own, and always asks whether one may."""
    sudo = subject.facts.table("sudo")
    if not sudo.flag("installed"):
        yield NotApplicable("sudo is not installed")
        return
    place = sudo.where("defaults")
    # Those for one account or command alone say nothing of the others.
    words = [word.strip() for line in texts(sudo, "defaults") for word in line[8:].split(",")
             if line.startswith("Defaults ")]  # fmt: skip
    if "use_pty" not in words or "!use_pty" in words:
        yield Finding(place, "a command may outlive its session", "no use_pty", "Defaults use_pty")
    if not any(word.startswith("logfile") for word in words):
        yield Finding(place, "commands leave no log of their own", "no logfile", "Defaults logfile=…")
    if any("!authenticate" in line for line in texts(sudo, "defaults")):
        yield Finding(place, "nobody is asked who they are", "!authenticate", "no such default")


def powerful_groups_listed(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """Members of groups that are as good as root are administrators of this host in the fleet file."""
    listed = administrators(subject) | set(params.texts("system_members"))
    ignored = params.texts("harmless_groups")

    def judge(row: Facts) -> Iterator[Outcome]:
        group = row.text("name")
        for member in () if group in ignored else row.texts("members"):
            if member not in listed:
                yield Finding(row.where("members"), f"{shown(member)} is in {shown(group)}", shown(member),
                              "administrators of the fleet file alone")  # fmt: skip

    yield from first(each(rows(subject.facts, "groups"), judge))


def keys_listed(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """Every key that lets somebody in is one that the fleet file lists."""
    exempt = params.texts("keys_of_others")

    def judge(row: Facts) -> Iterator[Outcome]:
        if row.text("account") not in exempt and not row.text("holder"):
            yield Finding(row.where("fingerprint"), f"a key that nobody lists lets in as {_account(row)}",
                          shown(f"{row.text('fingerprint')} {row.text('comment')}"),
                          "a key of the fleet file")  # fmt: skip

    yield from first(each(rows(subject.facts, "authorized_keys"), judge))


def leavers_out(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """Nobody comes in after the last day that the fleet file gives them."""

    def judge(row: Facts) -> Iterator[Outcome]:
        if row.get("days_past_end") is not None and row.text("holder"):
            what = f"{shown(row.text('holder'))} left and can log in still as {_account(row)}"
            seen = f"{row.number('days_past_end'):.0f} days after the end"
            yield Finding(row.where("days_past_end"), what, seen, "no key after the last day")

    yield from each(rows(subject.facts, "authorized_keys"), judge)


def key_types_strong(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """Keys are of a kind and length that nobody breaks soon."""
    allowed, least = params.texts("types"), params.whole("min_rsa_bits")

    def judge(row: Facts) -> Iterator[Outcome]:
        kind = row.text("type")
        if kind not in allowed:
            yield Finding(row.where("type"), f"a weak key lets in as {_account(row)}", shown(kind),
                          " or ".join(allowed))  # fmt: skip
        elif kind == "ssh-rsa" and row.whole("bits") < least:
            yield Finding(row.where("bits"), f"a short key lets in as {_account(row)}",
                          f"{row.whole('bits')} bits", f"{least} or more")  # fmt: skip

    yield from each(rows(subject.facts, "authorized_keys"), judge)


def keys_not_shared(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """One key lets in as one account, so that a log tells who it was."""
    seen: dict[str, str] = {}

    def judge(row: Facts) -> Iterator[Outcome]:
        key, account = row.text("fingerprint"), row.text("account")
        other = seen.setdefault(key, account)
        if other != account:
            yield Finding(row.where("fingerprint"), f"one key lets in as {shown(other)} and {shown(account)}",
                          shown(key), "a key for each account")  # fmt: skip

    yield from each(rows(subject.facts, "authorized_keys"), judge)


def root_has_no_keys(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """No key lets in as root: whoever becomes root was somebody before."""
    for row in rows(subject.facts, "authorized_keys"):
        if row.text("account") == "root":
            yield Finding(
                row.where("account"), "a key lets in as root", shown(row.text("file")), "no such key"
            )


def key_files_closed(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """Nobody but its account, or root, may add a key."""

    def judge(row: Facts) -> Iterator[Outcome]:
        owner, account = row.text("owner"), row.text("account")
        if owner not in (account, "root") or octal(row, "mode") & 0o022:
            yield Finding(row.where("mode"), f"others may add keys to {shown(row.text('file'))}",
                          shown(f"{row.text('mode')} {owner}"), f"0600 {shown(account)}")  # fmt: skip

    yield from each(rows(subject.facts, "authorized_keys"), judge)


def _account(row: Facts) -> str:
    return shown(row.text("account"))


def _members(subject: Subject, word: str) -> tuple[str, ...]:
    """Who is in a group that sudo names; one that the collector does not read counts as itself."""
    for group in rows(subject.facts, "groups"):
        if group.text("name") == word.lstrip("%"):
            return group.texts("members")
    return (word,)


def _today(subject: Subject) -> int:
    """Days since 1970 when the facts were collected, by the host's own clock."""
    return int(subject.facts.table("clock").number("epoch") // 86_400) + 1
