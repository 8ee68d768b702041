"""Packages: installed, held, what the local lists offer, and what waits for a reboot. Asks no network."""

from __future__ import annotations

import calendar
import os
import re
import time
from typing import Any

from orchestrator.host_facts.parts.reading import UnreadableError, listed, output, said, text, text_or

STATUS = "/var/lib/dpkg/status"
LISTS = "/var/lib/apt/lists"
MOST_STATUS, MOST_PACKAGES, MOST_LIST = 64 << 20, 8_000, 256 << 20
_FIELD = re.compile(r"^(Package|Status|Version|Architecture|Source): (.*)$", re.MULTILINE)
_RELEASE = re.compile(r"^(Origin|Label|Suite|Codename|Date|Valid-Until): (.*)$", re.MULTILINE)


def packages() -> list[dict[str, Any]]:
    """Installed packages with the source each was built from."""
    found = []
    for block in text(STATUS, MOST_STATUS).split("\n\n"):
        fields = dict(_FIELD.findall(block))
        status = fields.get("Status", "").split()
        if len(status) != 3 or status[2] in {"not-installed", "config-files"}:
            continue
        source, _, version = (fields.get("Source") or fields["Package"]).partition(" ")
        found.append(
            {
                "name": fields["Package"],
                "version": fields["Version"],
                "arch": fields["Architecture"],
                "source": source,
                "source_version": version.strip("()") or fields["Version"],
                "held": status[0] == "hold",
                "state": status[2],
            }
        )
    if not found or len(found) > MOST_PACKAGES:
        raise UnreadableError(f"{STATUS}: {len(found)} packages")
    return found


def offers(installed: list[dict[str, Any]]) -> dict[str, Any]:
    """What the local lists have of what is installed, in another version; and how old each list is."""
    known = {(row["name"], row["arch"]): row["version"] for row in installed}
    names = {name.encode() for name, _ in known}
    found, lists = [], []
    for path in listed(LISTS):
        if not re.search(r"_Packages(\.\w+)?$", path):
            continue
        kept = _release(path)
        lists.append({"file": os.path.basename(path)[:200], **kept})
        for name, arch, version in _versions(path, names):
            if known.get((name, arch), version) != version:
                found.append(
                    {"package": name, "arch": arch, "version": version, "security": kept["security"]}
                )
    return {"lists": lists[:200], "offers": found[:20_000], "fetched_at": _fetched()}


def _release(path: str) -> dict[str, Any]:
    """Whose list it is, by the signed release file beside it."""
    base = re.sub(r"_[^_]+_binary-[\w-]+_Packages(\.\w+)?$", "", path)
    words: dict[str, str] = {}
    for ending in ("_InRelease", "_Release"):
        if os.path.exists(base + ending):
            words = dict(_RELEASE.findall(text(base + ending, 8_192)))
            break
    suite = words.get("Suite", "")
    return {
        "origin": words.get("Origin", "")[:80],
        "suite": suite[:80],
        "released_at": moment(words.get("Date", "")),
        "valid_until": moment(words.get("Valid-Until", "")),
        "security": words.get("Label") == "Debian-Security" or suite.endswith("-security"),
    }


def moment(words: str) -> float | None:
    """Seconds since 1970 of a date as release files write it."""
    try:
        return float(calendar.timegm(time.strptime(words[:25].strip(), "%a, %d %b %Y %H:%M:%S")))
    except ValueError:
        return None


def _versions(path: str, names: set[bytes]) -> list[tuple[str, str, str]]:
    if path.endswith("_Packages"):
        with open(path, "rb") as file:
            content = file.read(MOST_LIST)
    else:  # apt keeps them in several compressions, of which Python knows some
        content = output("/usr/lib/apt/apt-helper", "cat-file", path)
    found = []
    for block in content.split(b"\n\n"):
        end = block.find(b"\n")
        if block[9:end] in names and block.startswith(b"Package: "):
            fields = dict(_FIELD.findall(block.decode("utf-8", "replace")))
            found.append((fields["Package"], fields.get("Architecture", ""), fields.get("Version", "")))
    return found


def _fetched() -> float | None:
    """When the lists were last fetched with success, as far as apt says."""
    for path in ("/var/lib/apt/periodic/update-success-stamp", f"{LISTS}/partial", LISTS):
        if os.path.exists(path):
            return os.stat(path).st_mtime
    return None


def reboot() -> dict[str, Any]:
    """Whether something asks for a reboot, since when and for which packages."""
    for path in ("/run/reboot-required", "/var/run/reboot-required"):
        if os.path.exists(path):
            names = sorted(set(text_or(f"{path}.pkgs").split()))[:100]
            return {"required": True, "since": os.stat(path).st_mtime, "packages": names}
    return {"required": False, "since": None, "packages": []}


def automatic_upgrades() -> dict[str, Any]:
    """How apt's own daily work is set, and when it last ended well."""
    found = dict(re.findall(r'^([\w:-]+) "(.*)";$', said("apt-config", "dump"), re.MULTILINE))
    origins = re.findall(
        r'^Unattended-Upgrade::(?:Origins-Pattern|Allowed-Origins):: "(.*)";$',
        said("apt-config", "dump", "Unattended-Upgrade"),
        re.MULTILINE,
    )
    stamp = "/var/lib/apt/periodic/unattended-upgrades-stamp"
    return {
        "installed": os.path.exists("/usr/bin/unattended-upgrade"),
        "update_lists": found.get("APT::Periodic::Update-Package-Lists", "0"),
        "upgrade": found.get("APT::Periodic::Unattended-Upgrade", "0"),
        "origins": [each[:200] for each in origins][:50],
        "reboots": found.get("Unattended-Upgrade::Automatic-Reboot", "false"),
        "last_ran": os.stat(stamp).st_mtime if os.path.exists(stamp) else None,
    }
