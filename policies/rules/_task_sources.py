"""Rules about where software comes from, and whether it is what somebody chose."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from policies.facts import Facts, UnknownFactError, shown
from policies.model import Finding, NotApplicable, Outcome, Subject
from policies.rules._task_facts import (
    COMMANDS,
    SYSTEM_PACKAGES,
    has_template,
    literal,
    module,
    named,
    not_for,
    short,
    true,
    written,
)

_LANGUAGE_PACKAGES: Final = frozenset(
    {
        "ansible.builtin.pip",
        *(f"community.general.{name}" for name in ("npm", "gem", "pipx", "cargo", "yarn")),
    }
)
_EVERYTHING: Final = frozenset({"dist", "full"})
_FROM_NETWORK: Final = re.compile(r"^(?:https?|ftp)://", re.IGNORECASE)
_CLEAR: Final = re.compile(r"\b(?:http|ftp)://(?!localhost\b|127\.|\[::1\])\S", re.IGNORECASE)
_FETCHES: Final = frozenset(
    f"ansible.builtin.{name}"
    for name in ("get_url", "uri", "unarchive", "git", "apt", "dnf", "pip", "apt_key", "rpm_key")
)
_SOURCES: Final = ("url", "src", "repo", "deb", "name", "key", "extra_args")
_BLIND: Final = re.compile(
    r"\bcurl\b[^\n;|]*\s(?:-\w*k\w*|--insecure)\b|--no-check-certificate|GIT_SSL_NO_VERIFY=(?:1|true)"
    r"|http\.sslVerify=false|--trusted-host"
)
_WEAK_DIGEST: Final = re.compile(r"^(?:md5|sha1):", re.IGNORECASE)
_UNSIGNED: Final = re.compile(
    r"--allow-unauthenticated|--force-yes|--nogpgcheck|--no-gpg-checks|\bapt-key\s+(?:adv|add)\b|\btrusted=yes"
)
_BRANCHES: Final = frozenset(
    {"HEAD", "head", "main", "master", "develop", "devel", "dev", "trunk", "latest", "stable"}
)
_COMMIT: Final = re.compile(r"^[0-9a-f]{40}$|^[0-9a-f]{64}$")


def packages_chosen(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """A package comes in the version that somebody chose, as far as the profile asks."""
    name, args = module(subject), subject.facts.table("args")
    level = params.whole("min_pinning")
    if name not in SYSTEM_PACKAGES | _LANGUAGE_PACKAGES:
        yield not_for(subject, "packages")
        return
    state = literal(args, "state")
    if state == "latest":
        yield Finding(
            args.where("state"), "the version is that of the day", "latest", "present and a version"
        )
    if literal(args, "upgrade") in _EVERYTHING:
        yield Finding(args.where("upgrade"), "every package is replaced at once", "a whole upgrade", "no")
    if state in ("absent", "removed", "latest"):
        return
    wanted = 1 if name in _LANGUAGE_PACKAGES else 2
    if level >= wanted and not args.has("version") and not args.has("requirements"):
        for place, package in named(args, "name", "pkg"):
            if package and not re.search(r"[=@]\S", package):
                yield Finding(place, f"{shown(package)} has no version", "any version", "a version")


def downloads_have_digests(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """A download is what somebody looked at, by its digest."""
    name, args = module(subject), subject.facts.table("args")
    if name == "ansible.builtin.get_url":
        digest = args.text("checksum") if args.has("checksum") else ""
        if not digest:
            yield Finding(args.where("checksum"), "the download is not compared", "nothing", "sha256:…")
        elif _WEAK_DIGEST.match(digest):
            yield Finding(
                args.where("checksum"), "the digest can be forged", digest.partition(":")[0], "sha256"
            )
    elif name == "ansible.builtin.unarchive":
        if (args.has("remote_src") and true(args, "remote_src")) or _is_address(args, "src"):
            yield from _not_from_network(args, "src")
    elif name in ("ansible.builtin.apt", "ansible.builtin.uri"):
        if name.endswith(".apt") and args.has("deb"):
            yield from _not_from_network(args, "deb")
        elif name.endswith(".uri") and args.has("dest"):
            yield Finding(
                args.where("dest"), "the download is not compared", "uri", "get_url with a checksum"
            )
    else:
        yield not_for(subject, "downloads")


def downloads_over_tls(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """What is fetched comes over TLS from whom it says."""
    name, args = module(subject), subject.facts.table("args")
    if name in COMMANDS:
        line = subject.facts.text("commandLine")
        clear = re.search(r"\b(?:curl|wget|git)\b", line) and _CLEAR.search(line)
        if clear or _BLIND.search(line):
            place, seen = (
                subject.facts.where("commandLine"),
                "http://" if clear else "no look at certificates",
            )
            yield Finding(place, "anybody on the way can change it", seen, "https with certificates")
        return
    if name not in _FETCHES:
        yield not_for(subject, "downloads")
        return
    if not true(args, "validate_certs", default=True):
        yield Finding(args.where("validate_certs"), "anybody can say to be the source", "no", "yes")
    for key in _SOURCES:
        value = (
            args.get(key)
            if args.has(key) and not (key == "name" and name.endswith((".apt", ".dnf")))
            else None
        )
        if isinstance(value, str) and _CLEAR.search(value):
            yield Finding(args.where(key), "anybody on the way can change it", "http://", "https://")
        elif isinstance(value, str) and value.startswith("{{"):
            raise UnknownFactError(args.where(key), reason=f"a template in it: {shown(value)}")


def repositories_signed(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """Each package repository is believed for its own key alone, and every package is checked."""
    name, args = module(subject), subject.facts.table("args")
    kind = short(name)
    if literal(args, "state") == "absent" if args.has("state") else False:
        yield NotApplicable("takes away")
    elif name in COMMANDS:
        found = _UNSIGNED.search(subject.facts.text("commandLine"))
        if found:
            yield Finding("commandLine", "packages are not checked", found.group(), "signed packages")
    elif name == "ansible.builtin.apt_key":
        yield Finding(
            "module", "the key is believed for every repository", kind, "deb822_repository with signed_by"
        )
    elif name == "ansible.builtin.apt_repository":
        yield from _apt_line(args)
    elif name == "ansible.builtin.deb822_repository":
        if not args.has("signed_by"):
            yield Finding(args.where("signed_by"), "any trusted key can sign for it", "nothing", "a key")
        yield from _switched(args, ("trusted", "allow_insecure", "allow_weak"), wanted=False)
    elif name in SYSTEM_PACKAGES:
        yield from _switched(args, ("allow_unauthenticated", "force", "disable_gpg_check"), wanted=False)
    elif name == "ansible.builtin.yum_repository":
        yield from _switched(args, ("gpgcheck",), wanted=True)
    else:
        yield not_for(subject, "package repositories")


def git_at_a_version(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """A checkout is of a version that does not move."""
    args = subject.facts.table("args")
    if module(subject) != "ansible.builtin.git":
        yield not_for(subject, "git")
        return
    version, place = literal(args, "version"), args.where("version")
    if version is None or version in _BRANCHES or version.startswith("refs/heads/"):
        yield Finding(place, "the version moves", shown(version), "a tag or a commit")
    elif params.whole("min_git_pin") > 1 and not _COMMIT.match(version):
        yield Finding(place, "a tag can be moved", shown(version), "a commit in full")


def host_keys_checked(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """The host that answers over SSH is the one that is meant."""

    def judge(row: Facts) -> Iterator[Outcome]:
        key, text = row.text("key").lower(), row.text("text")
        off = key in _KEY_SWITCHES and text.strip().lower() in ("false", "no", "off", "0")
        blind = key == "accept_hostkey" and text.strip().lower() in ("true", "yes", "on", "1")
        if off or blind or _NO_HOST_KEY.search(text):
            yield Finding(
                shown(row.text("path")),
                "any host can say to be this one",
                "host keys are not checked",
                "known keys",
            )
        elif key in (*_KEY_SWITCHES, "accept_hostkey") and has_template(text):
            raise UnknownFactError(shown(row.text("path")), reason=f"a template: {shown(text)}")

    yield from written(subject, judge)


_KEY_SWITCHES: Final = (*("host_key_checking", "ansible_host_key_checking", "ansible_ssh_host_key_checking"),)
_NO_HOST_KEY: Final = re.compile(
    r"StrictHostKeyChecking[= ]+[\"']?(?:no|off|accept-new)\b|UserKnownHostsFile[= ]+[\"']?/dev/null"
    r"|ANSIBLE_HOST_KEY_CHECKING=(?:0|false|no)",
    re.IGNORECASE,
)


def _apt_line(args: Facts) -> Iterator[Outcome]:
    line, place = args.text("repo"), args.where("repo")
    if re.search(r"\b(?:trusted|allow-insecure)=yes", line):
        yield Finding(place, "packages are not checked", "trusted=yes", "signed-by=KEY")
    elif "signed-by=" not in line and not line.startswith("ppa:"):
        yield Finding(place, "any trusted key can sign for it", "nothing", "signed-by=KEY")


def _switched(args: Facts, keys: tuple[str, ...], *, wanted: bool) -> Iterator[Outcome]:
    for key in keys:
        if true(args, key, default=wanted) is not wanted:
            yield Finding(
                args.where(key),
                "packages are not checked",
                f"{key}: {not wanted}".lower(),
                str(wanted).lower(),
            )


def _is_address(args: Facts, key: str) -> bool:
    value = args.get(key) if args.has(key) else None
    return isinstance(value, str) and bool(_FROM_NETWORK.match(value))


def _not_from_network(args: Facts, key: str) -> Iterator[Outcome]:
    value = args.text(key)
    if _FROM_NETWORK.match(value):
        yield Finding(
            args.where(key), "the download is not compared", "an address", "get_url with a checksum first"
        )
    elif value.startswith("{{"):
        raise UnknownFactError(args.where(key), reason=f"a template in it: {shown(value)}")
