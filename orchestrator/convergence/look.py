"""Run on a host as root, from standard input: what the playbooks manage there, as one digest a part.

Stays within Python's standard library and Python 3.9. Prints one JSON document:
{"schema": "steward.host-state/2", "parts": {name: digest}}, and for whoever asks, of parts whose digest is
not the known one: "entries": {name: {key: [value, changed]}}, `changed` in Unix seconds, 0 where nobody can
say; "unnamed": [name], too many entries; "unit_files": {unit: state}; "updated": {package: version}.

Contents and password fields leave as keyed digests only: a record must not help to guess at secrets.
"""

import gzip
import hashlib
import json
import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress

TREES = ("/etc", "/usr/local", "/usr/share/pam-configs", "/root/.ssh", "/home", "/var/www", "/var/spool/cron",
         "/opt")  # fmt: skip
REWRITTEN = {
    "/etc/mtab",
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/hostname",
    "/etc/.updated",
    "/etc/.pwd.lock",
    "/etc/ld.so.cache",
    "/etc/group-",
    "/etc/gshadow-",
    "/etc/passwd-",
    "/etc/shadow-",
    "/etc/subgid-",
    "/etc/subuid-",
}
"""Written by the machine itself at every boot or by its tools, not by the playbooks."""
PROVIDERS_FILE, PROVIDERS_TABLE = "/etc/steward/edge.nft", "table inet steward_edge"
"""They change with the addresses of other servers; the resource of the firewall tells what they hold."""
ACCOUNT_FILES = ("/etc/passwd", "/etc/shadow", "/etc/group", "/etc/gshadow", "/etc/subuid", "/etc/subgid")
"""Told line by line as accounts; of the files themselves only mode and owner count."""
PERSONAL = {".bash_history", ".python_history", ".psql_history", ".lesshst", ".viminfo", ".wget-hsts",
            ".sudo_as_admin_successful", ".cache", ".ansible", ".local", "__pycache__"}  # fmt: skip
"""What working on a host leaves behind in a home."""
HOMES = ("/home",)
LARGE = 1 << 20
RELEASES = "/opt/"
"""Code of applications, perhaps very much of it: told by size and time, as large files are."""
MOST_ENTRIES = 6_000
MOST_TEXT = 64 * 1024
UNITS = ("*.service", "*.timer", "*.socket")
AT_BOOT = ("enabled", "enabled-runtime", "masked", "masked-runtime")
PER_NETWORK = ("accept_redirects", "accept_source_route", "rp_filter", "send_redirects", "log_martians")
NETWORK_SETTINGS = {
    "net.ipv4.ip_forward", "net.ipv4.tcp_syncookies", "net.ipv6.conf.all.forwarding",
    *(f"net.{ip}.conf.{which}.{name}" for ip in ("ipv4", "ipv6") for which in ("all", "default")
      for name in PER_NETWORK),
}  # fmt: skip
"""Kernel settings that every network namespace has for itself."""
OPEN_TO_ALL = ("/tmp", "/var/tmp", "/dev/shm")  # noqa: S108  # only looked at
MAY = ("login", "super", "createdb", "createrole", "replication", "bypassrls")
_MAY = ", ".join(f"case when rol{word.replace('login', 'canlogin')} then '{word}' end" for word in MAY)
QUERIES = (
    "select 'database', datname, pg_get_userbyid(datdba) from pg_database order by 2",
    "select 'access', datname, coalesce(array_to_string(datacl, ' '), '') from pg_database order by 2",
    f"select 'role', rolname, concat_ws(' ', {_MAY}), coalesce(rolpassword, '') from pg_authid order by 2",  # noqa: S608
    "select 'setting', name, setting from pg_file_settings where sourcefile like '%postgresql.auto.conf'",
)
JOURNAL = "/var/lib/dpkg/updates"
STATUS = "/var/lib/dpkg/status"
HISTORY = ("/var/log/apt/history.log", "/var/log/apt/history.log.1.gz")

Entries = dict[str, tuple[str, int]]


class Look:
    """One look; `key` keys every digest of what could be secret."""

    def __init__(self, key: bytes) -> None:
        self.key = key

    def keyed(self, content: bytes) -> str:
        """A digest that says nothing to whoever has not the key."""
        return hashlib.blake2b(content, key=self.key, digest_size=12).hexdigest()

    def entry(self, path: str) -> tuple[str, int]:
        """Kind, mode, owner, size and content of a file, folder or link, and when it was changed."""
        seen = os.lstat(path)
        owner, mode = f"{seen.st_uid}:{seen.st_gid}", f"{stat.S_IMODE(seen.st_mode):04o}"
        changed = int(seen.st_ctime)  # also when only mode or owner were changed
        if stat.S_ISLNK(seen.st_mode):
            return f"link {owner} {os.readlink(path)}", changed
        if stat.S_ISDIR(seen.st_mode):
            return f"folder {mode} {owner}", changed
        if not stat.S_ISREG(seen.st_mode):
            return f"special {mode} {owner}", changed
        if path in ACCOUNT_FILES or path == PROVIDERS_FILE:
            return f"file {mode} {owner}", changed
        if seen.st_size > LARGE or path.startswith(RELEASES):
            content = f"{seen.st_mtime_ns} {seen.st_ino}".encode()
        else:
            with open(path, "rb") as file:
                content = file.read()
        return f"file {mode} {owner} {seen.st_size} {self.keyed(content)}", changed

    def tree(self, root: str) -> Entries:
        """All entries below a folder; what vanishes meanwhile was never there."""
        found: Entries = {}
        for folder, folders, files in os.walk(root):
            if root in HOMES:
                folders[:] = [name for name in folders if name not in PERSONAL]
            for name in folders + files:
                path = os.path.join(folder, name)
                personal = root in HOMES and name in PERSONAL
                if path not in REWRITTEN and "/__pycache__" not in path and not personal:
                    with suppress(FileNotFoundError):
                        found[path] = self.entry(path)
        return found

    def accounts(self) -> Entries:
        """People and groups, whatever file says so."""
        secrets = {fields[0]: ":".join(fields[1:]) for fields in lines("/etc/shadow")}
        groups = lines("/etc/group")
        found: Entries = {}
        for fields in lines("/etc/passwd"):
            name = fields[0]
            also = sorted(group[0] for group in groups if name in group[-1].split(","))
            rest = f"uid {fields[2]}, gid {fields[3]}, home {fields[5]}, shell {fields[6]}"
            member = f", in {','.join(also)}" if also else ""
            found[f"user {name}"] = (f"{rest}{member} {self.keyed(secrets.get(name, '').encode())}", 0)
        found.update({f"group {fields[0]}": (" ".join(fields[2:]), 0) for fields in groups})
        for name in ("subuid", "subgid"):
            found.update({f"{name} {each[0]}": (" ".join(each[1:]), 0) for each in lines(f"/etc/{name}")})
        return found

    def databases(self) -> Entries:
        """Databases with their owners, roles with what they may, settings made by hand."""
        if not os.path.exists("/etc/postgresql"):
            return {}
        asked = [word for query in QUERIES for word in ("-c", query)]
        text = said("runuser", "-u", "postgres", "--", "psql", "-XAtq", "-F", "\t", *asked)
        found: Entries = {}
        for line in text.splitlines():
            kind, _, rest = line.partition("\t")
            name, _, value = rest.partition("\t")
            if kind == "role":
                may, _, password = value.partition("\t")
                value = f"{may} {self.keyed(password.encode())}".strip()
            found[f"{kind} {name}".strip()] = (value, 0)
        return found


def lines(path: str) -> list[list[str]]:
    """The lines of an account file, each split at its colons."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return [line.rstrip("\n").split(":") for line in file if line.strip()]
    except OSError:
        return []


def said(*argv: str) -> str:
    """Standard output of a program; a failure is part of the state too."""
    done = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
    return done.stdout if done.returncode == 0 else f"exit {done.returncode}"


def packages() -> Entries:
    """Installed packages with their versions, and those that are half so."""
    found: Entries = {}
    with open(STATUS, encoding="utf-8", errors="replace") as file:
        for block in file.read().split("\n\n"):
            fields = dict(re.findall(r"^(Package|Status|Version): (.*)$", block, re.MULTILINE))
            status = fields.get("Status", "")
            if status and "not-installed" not in status and "config-files" not in status:
                known = {"install ok installed": "", "hold ok installed": " held"}.get(status, f" {status}")
                found[fields["Package"]] = (fields.get("Version", "") + known, 0)
    if any(name.isdigit() for name in os.listdir(JOURNAL)):
        found["dpkg"] = (found.get("dpkg", ("", 0))[0] + " ended in the middle of its work", 0)
    return found


def updated() -> dict[str, str]:
    """Packages that the machine's own security updates brought, with the newest version each."""
    found: dict[str, str] = {}
    for path in reversed(HISTORY):
        with suppress(OSError, EOFError):
            with open(path, "rb") as file:
                whole = gzip.GzipFile(fileobj=file) if path.endswith(".gz") else file
                text = whole.read(4 * LARGE).decode("utf-8", "replace")
            for block in text.split("\n\n"):
                if "unattended-upgrade" in block:
                    found.update(re.findall(r"([a-z0-9.+-]+):[a-z0-9]+ \([^,()]*, ([^,()]+)\)", block))
    return found


def units() -> Entries:
    """Which units start at boot or are shut off for good, and whether they are up now."""
    shown = said("systemctl", "show", "--property=Id,ActiveState,UnitFileState,NeedDaemonReload", *UNITS)
    found: Entries = {}
    for block in shown.split("\n\n"):
        fields = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        if fields.get("UnitFileState") in AT_BOOT:
            stale = ", changed on disk and not loaded" if fields.get("NeedDaemonReload") == "yes" else ""
            found[fields.get("Id", "")] = (
                f"{fields.get('ActiveState')}, {fields['UnitFileState']}{stale}",
                0,
            )
    return found or {"systemd": (shown[:200], 0)}


def unit_files() -> dict[str, str]:
    """Whether each unit that has a file starts at boot."""
    shown = said("systemctl", "list-unit-files", "--no-legend", "--no-pager", "--full")
    return dict(line.split()[:2] for line in shown.splitlines() if len(line.split()) >= 2)


def firewall() -> Entries:
    """The loaded rules, a chain, set or other block of a table each; a very long one ends in its digest."""
    found: dict[str, list[str]] = {}
    table = block = ""
    for line in said("nft", "--stateless", "list", "ruleset").splitlines():
        bare = line.strip()
        if line.startswith("table "):
            table, block = bare.rstrip(" {"), ""
            if table != PROVIDERS_TABLE:
                found[table] = ["loaded"]
        elif table == PROVIDERS_TABLE:
            continue
        elif line.startswith("\t") and not line.startswith("\t\t") and bare.endswith("{"):
            found[block := f"{table} {bare.rstrip(' {')}"] = []
        elif bare and bare != "}":
            found.setdefault(block or table or "nft", []).append(bare)
    return {name: (shortened("\n".join(rules)), 0) for name, rules in found.items()}


def shortened(text: str) -> str:
    """The text, or its beginning with a digest of all of it."""
    return text if len(text) <= MOST_TEXT else f"{text[:2_000]}\n{hashlib.sha256(text.encode()).hexdigest()}"


def kernel() -> Entries:
    """Network settings as they hold now, and those that a file asks for."""
    wanted = set(NETWORK_SETTINGS)
    asked = re.compile(r"^\s*-?(net[./][\w./-]+)\s*=", re.MULTILINE)
    for path in ["/etc/sysctl.conf", *sorted(listed("/etc/sysctl.d"))]:
        with suppress(OSError), open(path, encoding="utf-8", errors="replace") as file:
            wanted |= {name.replace("/", ".") for name in asked.findall(file.read())}
    found: Entries = {}
    for name in wanted:
        with suppress(OSError), open("/proc/sys/" + name.replace(".", "/"), encoding="ascii") as file:
            found[name] = (" ".join(file.read().split()), 0)
    return found


def mounts() -> Entries:
    """File system and options of folders that anybody may write to."""
    with open("/proc/self/mounts", encoding="utf-8", errors="replace") as file:
        parts = [line.split() for line in file]
    return {each[1]: (" ".join(each[2:4]), 0) for each in parts if each[1] in OPEN_TO_ALL}


def listed(folder: str) -> Iterator[str]:
    """The files of a folder; none where there is none."""
    with suppress(FileNotFoundError):
        yield from (os.path.join(folder, name) for name in os.listdir(folder) if name.endswith(".conf"))


def digest(entries: Mapping[str, str]) -> str:
    """One digest over entries, whatever their order; the control machine computes it in the same way."""
    found = hashlib.sha256()
    for key in sorted(entries):
        found.update(f"{key}\0{entries[key]}\n".encode("utf-8", "surrogateescape"))
    return found.hexdigest()


def look(key: str, known: "Mapping[str, str] | None" = None) -> dict[str, object]:
    """The document; without `known` digests alone."""
    at = Look(bytes.fromhex(key))
    parts = {root: at.tree(root) for root in TREES if os.path.isdir(root)}
    parts.update(accounts=at.accounts(), packages=packages(), units=units(), firewall=firewall(),
                 databases=at.databases(), kernel=kernel(), mounts=mounts())  # fmt: skip
    digests = {
        name: digest({key: value for key, (value, _) in found.items()}) for name, found in parts.items()
    }
    document: dict[str, object] = {"schema": "steward.host-state/2", "parts": digests}
    if known is not None:
        differing = [name for name in parts if digests[name] != known.get(name)]
        document["unnamed"] = [name for name in differing if len(parts[name]) > MOST_ENTRIES]
        document["entries"] = {name: parts[name] for name in differing if len(parts[name]) <= MOST_ENTRIES}
        document["unit_files"] = unit_files() if "units" in differing else {}
        document["updated"] = updated() if "packages" in differing else {}
    return document


def main(key: str, known: "Mapping[str, str] | None" = None) -> None:
    """Look once and print; control characters and broken names leave as escapes."""
    json.dump(look(key, known), sys.stdout, sort_keys=True)
