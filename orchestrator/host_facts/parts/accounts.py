"""Who may come in and become what: accounts, groups, sudo and keys. Hashes and keys never leave the host."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import pwd
import re
from typing import Any

from orchestrator.host_facts.parts.reading import (
    UnreadableError,
    bounded,
    listed,
    mode_of,
    settings,
    text,
    text_or,
)

ALGORITHMS = {"y": "yescrypt", "gy": "gost-yescrypt", "7": "scrypt", "6": "sha512", "5": "sha256",
              "2b": "bcrypt", "2a": "bcrypt", "2y": "bcrypt", "1": "md5"}  # fmt: skip
POWERFUL = ("root", "sudo", "wheel", "admin", "adm", "shadow", "disk", "docker", "lxd", "incus", "libvirt",
            "kvm", "staff", "systemd-journal")  # fmt: skip
AGES = ("changed_day", "min_days", "max_days", "warn_days", "inactive_days", "expire_day")
MOST_KEYS = 2_000
KEY_TYPE = re.compile(r"(?:^|\s)((?:sk-)?(?:ssh|ecdsa)-[A-Za-z0-9@.-]+)\s+([A-Za-z0-9+/=]+)(?:\s+(.*))?$")


def fields(path: str) -> list[list[str]]:
    """The lines of an account file, each split at its colons."""
    return bounded([line.split(":") for line in text(path).splitlines() if line.strip()])


def accounts() -> list[dict[str, Any]]:
    """Every account with the state of its password, never the hash."""
    secrets = {each[0]: each for each in fields("/etc/shadow") if len(each) >= 8}
    found = []
    for each in fields("/etc/passwd"):
        if len(each) < 7:
            raise UnreadableError(f"/etc/passwd: a line with {len(each)} fields")
        shadow = secrets.get(each[0])
        held = each[1] if each[1] != "x" else shadow[1] if shadow else "!"
        ages = [number(value) for value in shadow[2:8]] if shadow else [None] * 6
        found.append(
            {
                "name": each[0],
                "uid": int(each[2]),
                "gid": int(each[3]),
                "home": each[5],
                "shell": each[6],
                "password": password(held),
                "in_passwd": each[1] not in {"x", "*", "!"},
                **{name: ages[place] for place, name in enumerate(AGES)},
            }
        )  # fmt: skip
    return found


def number(value: str) -> int | None:
    """A field of shadow(5), which may be empty."""
    return int(value) if value.strip().lstrip("-").isdigit() else None


def password(held: str) -> dict[str, str]:
    """Whether there is one, and by which algorithm it is kept."""
    if not held:
        return {"state": "empty", "algorithm": ""}
    bare = held.lstrip("!*")
    locked = held != bare
    if not bare.startswith("$"):
        # Thirteen characters without a dollar are the DES of 1979; anything else matches no password.
        des = len(bare) == 13 and not locked
        return {"state": "set" if des else "locked", "algorithm": "des" if des else ""}
    named = bare.split("$")[1]
    return {"state": "locked" if locked else "set", "algorithm": ALGORITHMS.get(named, "unknown")}


def groups() -> list[dict[str, Any]]:
    """Groups whose members are as good as root, with those who have them as their first group."""
    first: dict[str, list[str]] = {}
    for each in fields("/etc/passwd"):
        first.setdefault(each[3], []).append(each[0])
    rows = [each for each in fields("/etc/group") if len(each) == 4 and each[0] in POWERFUL]
    return [
        {
            "name": name,
            "gid": int(gid),
            "members": sorted({*filter(None, members.split(",")), *first.get(gid, [])}),
        }
        for name, _, gid, members in rows
    ]


def sudo() -> dict[str, Any]:
    """Sudo's rules and defaults out of all its files; what is not understood is named, never left out."""
    if not os.path.exists("/etc/sudoers"):
        return {"installed": os.path.exists("/usr/bin/sudo"), "files": [], "rules": [], "defaults": [],
                "not_understood": []}  # fmt: skip
    files, lines = ["/etc/sudoers"], []
    for path in files:
        for line in settings(_with_includes(text(os.path.realpath(path)))):
            include = re.match(r"@(include|includedir)\s+(\S+)$", line)
            if include and len(files) < 200:
                more = [include[2]] if include[1] == "include" else listed(include[2])
                # sudo itself passes over names with a dot or a tilde at their end.
                files += [each for each in more if "." not in os.path.basename(each) and each[-1] != "~"]
            else:
                lines.append((path, " ".join(line.split())))
    aliases = {hit[1]: hit[2] for _, line in lines for hit in [_ALIAS.match(line)] if hit}
    rules = [_rule(path, line, aliases) for path, line in lines if not line.startswith("Defaults")
             and not _ALIAS.match(line)]  # fmt: skip
    return {
        "installed": True,
        "files": [mode_of(path) for path in files],
        "rules": [rule for rule in rules if rule["who"]],
        "defaults": [line[:300] for _, line in lines if line.startswith("Defaults")],
        "not_understood": [rule["line"] for rule in rules if not rule["who"]],
    }


_ALIAS = re.compile(r"(?:User|Runas|Host|Cmnd)_Alias\s+([A-Z][A-Z0-9_]*)\s*=\s*(.*)$")
_RULE = re.compile(r"((?:[^\s=,]|,\s*|\\ )+)\s+([^=]+?)\s*=\s*(.*)$")


def _with_includes(content: str) -> str:
    """The old spelling of an include begins as a comment does."""
    return re.sub(r"(?m)^#(include(?:dir)?\s)", r"@\1", content)


def _rule(path: str, line: str, aliases: dict[str, str]) -> dict[str, Any]:
    hit = _RULE.match(line)
    if not hit:
        return {"who": "", "line": f"{path}: {line[:200]}"}
    rest = hit[3]
    targets = re.match(r"\(([^)]*)\)\s*", rest)
    if targets:
        rest = rest[targets.end() :]
    commands = re.sub(r"\b[A-Z_]+:\s*", "", rest)
    return {
        "file": path,
        "who": aliases.get(hit[1], hit[1])[:200],
        "become": aliases.get(targets[1].strip(), targets[1])[:100] if targets else "root",
        "nopasswd": "NOPASSWD:" in rest,
        "commands": [aliases.get(each.strip(), each.strip())[:200] for each in commands.split(",")][:100],
        "line": f"{path}: {line[:200]}",
    }


def authorized_keys(patterns: list[str]) -> list[dict[str, Any]]:
    """Every key that lets somebody in as an account, by the files that sshd reads; fingerprints only."""
    found: list[dict[str, Any]] = []
    for account in pwd.getpwall():
        for pattern in patterns:
            path = pattern.replace("%h", account.pw_dir).replace("%u", account.pw_name)
            path = path.replace("%%", "%").replace("%U", str(account.pw_uid))
            if not path.startswith("/"):
                path = os.path.join(account.pw_dir, path)
            if os.path.lexists(path):
                found += _keys(account.pw_name, path)
    return bounded(found, MOST_KEYS)


def _keys(account: str, path: str) -> list[dict[str, Any]]:
    try:
        lines = settings(text(path))
    except UnreadableError as problem:
        return [{"account": account, "file": path, "unknown": str(problem)}]
    kept = mode_of(path)
    rows = []
    for line in lines:
        key = _key(line)
        rows.append({"account": account, "file": path, "mode": kept["mode"], "owner": kept["owner"], **key})
    return rows


def _key(line: str) -> dict[str, Any]:
    """Type, length, fingerprint and options of one line; a line that is no key says so and nothing else."""
    hit = KEY_TYPE.search(_without_quoted(line))
    try:
        blob = base64.b64decode(hit[2], validate=True) if hit else b""
    except binascii.Error:
        blob = b""
    if not hit or not blob:
        return {"unknown": "a line that is no public key"}
    options = _without_quoted(line)[: hit.start(1)].strip()
    return {
        "type": hit[1],
        "bits": bits(hit[1], blob),
        "fingerprint": "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("="),
        "comment": (hit[3] or "")[:120],
        "options": [each.split("=")[0].lower() for each in options.split(",") if each],
    }


def _without_quoted(line: str) -> str:
    """Quoted values may hold blanks and commas; only the names of options are told."""
    return re.sub(r'"(?:[^"\\]|\\.)*"', '""', line)


def bits(kind: str, blob: bytes) -> int | None:
    """The length of a key: of RSA its modulus, the third part of the blob; of DSA the second."""
    parts: list[bytes] = []
    at = 0
    while at + 4 <= len(blob) and len(parts) < 4:
        size = int.from_bytes(blob[at : at + 4], "big")
        parts.append(blob[at + 4 : at + 4 + size])
        at += 4 + size
    if kind in {"ssh-rsa", "ssh-dss"}:
        place = 2 if kind == "ssh-rsa" else 1
        return int.from_bytes(parts[place], "big").bit_length() if len(parts) > place else None
    curve = re.search(r"nistp(\d+)", kind)
    return int(curve[1]) if curve else 256 if "ed25519" in kind else None


def login_defs() -> dict[str, str]:
    """The defaults of new accounts and of shadow's tools."""
    pairs = [line.split(None, 1) for line in settings(text_or("/etc/login.defs"))]
    wanted = ("PASS_MAX_DAYS", "PASS_MIN_DAYS", "PASS_WARN_AGE", "UMASK", "HOME_MODE", "ENCRYPT_METHOD")
    return {pair[0].lower(): pair[1].strip() for pair in pairs if len(pair) == 2 and pair[0] in wanted}


def pam() -> dict[str, Any]:
    """The modules of the common stacks, and how passwords are locked and judged."""
    stacks = {}
    for name in ("auth", "account", "password", "session"):
        lines = settings(text_or(f"/etc/pam.d/common-{name}"))
        stacks[name] = [" ".join(line.split())[:300] for line in lines][:100]
    quality = list(listed("/etc/security/pwquality.conf.d", ".conf"))
    return {
        **stacks,
        "faillock": _pairs(["/etc/security/faillock.conf"]),
        "pwquality": _pairs(["/etc/security/pwquality.conf", *quality]),
    }


def _pairs(paths: list[str]) -> dict[str, str]:
    pairs = (line.partition("=") for path in paths for line in settings(text_or(path)))
    return {key.strip(): value.strip()[:100] for key, _, value in pairs}


def banners() -> dict[str, str]:
    """What is shown before and after a login."""
    named = {"issue": "/etc/issue", "issue_net": "/etc/issue.net", "motd": "/etc/motd"}
    return {name: text_or(path)[:500] for name, path in named.items()}


def shell_umask() -> list[str]:
    """Every umask that shells are given, by the file that says so."""
    paths = ["/etc/profile", "/etc/bash.bashrc", *listed("/etc/profile.d", ".sh")]
    hits = ((path, re.match(r"umask\s+(\d{3,4})\b", line)) for path in paths
            for line in settings(text_or(path)))  # fmt: skip
    return [f"{path} {hit[1]}" for path, hit in hits if hit][:50]
