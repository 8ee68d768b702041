"""How the SSH daemon lets people in, by its own word: `sshd -T`."""

from __future__ import annotations

from collections.abc import Iterator

from policies.facts import Facts, MalformedFactError, shown
from policies.model import Finding, Outcome, Subject
from policies.rules._hosts import count, expect, on_sshd, within


def root_login_off(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """Root cannot log in at all."""
    yield from on_sshd(
        subject, lambda sshd: expect(sshd, "permitrootlogin", ("no",), "root may log in over SSH")
    )


def keys_only(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """No way in but a public key."""

    def judge(sshd: Facts) -> Iterator[Outcome]:
        for key in ("passwordauthentication", "kbdinteractiveauthentication", "hostbasedauthentication"):
            yield from expect(sshd, key, ("no",), "SSH lets in by something else than a key")
        yield from expect(sshd, "pubkeyauthentication", ("yes",), "SSH takes no keys")

    yield from on_sshd(subject, judge)


def empty_passwords_off(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """An account without a password is no open door."""
    yield from on_sshd(
        subject, lambda sshd: expect(sshd, "permitemptypasswords", ("no",), "an empty password lets in")
    )


def tries_limited(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """Few tries a connection, in little time, and few connections that have not logged in."""

    def judge(sshd: Facts) -> Iterator[Outcome]:
        yield from within(sshd, "maxauthtries", 1, params.whole("max_tries"), "many tries a connection")
        grace = params.whole("max_grace_seconds")
        yield from within(sshd, "logingracetime", 1, grace, "a login may take very long")
        yield from _startups(sshd, params)

    yield from on_sshd(subject, judge)


def accounts_listed(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """Who may log in is a list, not everybody who has an account."""

    def judge(sshd: Facts) -> Iterator[Outcome]:
        if not sshd.texts("allowusers") and not sshd.texts("allowgroups"):
            place = sshd.where("allowusers")
            yield Finding(place, "every account may log in", "no list", "AllowUsers or AllowGroups")

    yield from on_sshd(subject, judge)


def accounts_untrusted(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """Files in a home folder do not change how the daemon treats its account."""

    def judge(sshd: Facts) -> Iterator[Outcome]:
        yield from expect(sshd, "permituserenvironment", ("no",), "accounts set the environment of logins")
        yield from expect(sshd, "ignorerhosts", ("yes",), "accounts name hosts to be trusted")
        yield from expect(sshd, "strictmodes", ("yes",), "files that others may write to are believed")
        yield from expect(sshd, "usepam", ("yes",), "account rules of PAM are passed over")

    yield from on_sshd(subject, judge)


def algorithms_strong(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """No cipher, MAC or key exchange that is known to be weak."""

    def judge(sshd: Facts) -> Iterator[Outcome]:
        for key in ("ciphers", "macs", "kexalgorithms"):
            weak = params.texts(f"weak_{key}")
            found = sshd.texts(key)
            if not found:
                raise MalformedFactError(sshd.where(key), "a list of algorithms", None)
            hit = [each for each in found if each.removesuffix("@openssh.com") in weak]
            if hit:
                seen = shown(", ".join(hit))
                yield Finding(sshd.where(key), f"weak {key} are offered", seen, f"none of: {', '.join(weak)}")

    yield from on_sshd(subject, judge)


def sessions_bounded(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """A dead session ends, and one connection carries few of them."""

    def judge(sshd: Facts) -> Iterator[Outcome]:
        place, most = sshd.where("clientaliveinterval"), params.whole("max_idle_seconds")
        silent = count(sshd, "clientaliveinterval") * count(sshd, "clientalivecountmax")
        if not 1 <= silent <= most:
            yield Finding(place, "a dead session stays open", f"{silent} seconds", f"1 to {most} seconds")
        yield from within(sshd, "maxsessions", 1, params.whole("max_sessions"), "many sessions a connection")

    yield from on_sshd(subject, judge)


def forwarding_off(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """SSH is no tunnel around the firewall."""

    def judge(sshd: Facts) -> Iterator[Outcome]:
        if sshd.text_or_none("disableforwarding") == "yes":
            return
        for key in ("allowtcpforwarding", "allowagentforwarding", "x11forwarding", "permittunnel"):
            yield from expect(sshd, key, ("no",), "SSH forwards connections")

    yield from on_sshd(subject, judge)


def banner_shown(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """A warning is shown before a login, and says nothing about the system."""

    def judge(sshd: Facts) -> Iterator[Outcome]:
        banner = sshd.text("banner")
        if banner == "none":
            yield Finding(sshd.where("banner"), "no warning before a login", "none", "a file with a warning")
            return
        banners = subject.facts.table("banners")
        for key in ("issue", "issue_net"):
            words = banners.text(key)
            told = [each for each in params.texts("revealing") if each.lower() in words.lower()]
            if told or not words.strip():
                seen = shown(told[0] if told else "empty")
                yield Finding(banners.where(key), "the warning is none, or tells of the system", seen,
                              "a warning without names and versions")  # fmt: skip

    yield from on_sshd(subject, judge)


def _startups(sshd: Facts, params: Facts) -> Iterator[Outcome]:
    """`10:30:60`: refuse some from the first number on, all from the last."""
    got = sshd.text("maxstartups")
    numbers = got.split(":")
    if len(numbers) != 3 or not all(each.isascii() and each.isdigit() for each in numbers):
        raise MalformedFactError(sshd.where("maxstartups"), "three numbers", got)
    most = params.whole("max_startups")
    if int(numbers[2]) > most:
        yield Finding(sshd.where("maxstartups"), "many may wait to log in", got, f"at most {most} at once")
