"""Which accounts may log in, and how old a password may be. Pure: files in, commands out."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

NOBODY = 65534
NO_SHELL = "/usr/sbin/nologin"
_NEVER = ("", "-1", "99999")


def steps(
    passwd: Sequence[Sequence[str]],
    shadow: Mapping[str, Sequence[str]],
    shells: Collection[str],
    keep: Collection[str],
    uid_min: int,
) -> list[list[str]]:
    """Commands that bring accounts to their state; `keep` are those of the system that may have a shell."""
    found: list[list[str]] = []
    for name, _, uid, _, _, _, shell in passwd:
        aged = shadow.get(name)
        if aged is not None and aged[1] == "":
            found.append(["passwd", "--lock", name])
        if 0 < int(uid) < uid_min and name not in keep:
            found += _system(name, shell, aged, shells)
        elif int(uid) >= uid_min and int(uid) != NOBODY and aged is not None:
            found += _person(name, aged, name in keep)
    return found


def _system(
    name: str, shell: str, aged: Sequence[str] | None, shells: Collection[str]
) -> Iterator[list[str]]:
    if shell in shells or not shell:
        yield ["usermod", "--shell", NO_SHELL, name]
    if aged is not None and aged[1].startswith("$"):
        yield ["usermod", "--lock", name]


def _person(name: str, aged: Sequence[str], keep: bool) -> Iterator[list[str]]:
    """A password grows old; an account without one must not, because PAM would refuse its key then."""
    least, most, warn, inactive = aged[3], aged[4], aged[5], aged[6]
    if keep or not aged[1].startswith("$"):
        if most not in _NEVER or inactive not in ("", "-1"):
            yield ["chage", "--maxdays", "-1", "--inactive", "-1", name]
        return
    change: list[str] = []
    if most in ("", "-1") or int(most) > 365:
        change += ["--maxdays", "365"]
    if least in ("", "-1", "0"):
        change += ["--mindays", "1"]
    if warn in ("", "-1") or int(warn) < 7:
        change += ["--warndays", "7"]
    if inactive in ("", "-1") or int(inactive) > 45:
        change += ["--inactive", "45"]
    if change:
        yield ["chage", *change, name]


def records(text: str, fields: int) -> list[list[str]]:
    """Lines of passwd or shadow with the right number of fields; what else is there is not an account."""
    split = [line.split(":") for line in text.splitlines()]
    return [parts for parts in split if len(parts) == fields and parts[0]]


def homes(passwd: Sequence[Sequence[str]], uid_min: int) -> list[tuple[str, int]]:
    """Home folders of people with the number of their owner."""
    return [
        (parts[5], int(parts[2]))
        for parts in passwd
        if int(parts[2]) >= uid_min and int(parts[2]) != NOBODY and parts[5].startswith("/home/")
    ]
