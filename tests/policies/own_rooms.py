"""Rooms of own rules in a folder, for tests: one that does what it likes beside one that is good."""

from __future__ import annotations

from pathlib import Path

from policies.evaluate import evaluate
from policies.model import CheckResult
from policies.pack import Pack, load_pack
from tests.policies.references import RULE, network
from tests.policies.test_own import CATALOG

OWN = "own.strange"
OTHER = "other.good"
ENTRY = CATALOG.replace("naming.server-says-its-client", "ROOM.NAME").replace(
    "subjects: [server]", "subjects: [network]"
)
GOOD = """\
from policies.model import Finding


def good(subject, params):
    yield Finding("name", "is seen", subject.name, "nothing")
"""


def rooms(folder: Path, module: str, catalog: str = "") -> Pack:
    """Our rules, and two rooms of one rule each; the module is that of OWN."""
    folder.mkdir(exist_ok=True)
    (folder / "own.yaml").write_text(catalog or entry("own", "strange"))
    (folder / "own.py").write_text(module)
    (folder / "other.yaml").write_text(entry("other", "good"))
    (folder / "other.py").write_text(GOOD)
    return load_pack(folder)


def entry(room: str, name: str) -> str:
    """A catalog's entry of a rule about networks."""
    return ENTRY.replace("ROOM", room).replace("NAME", name)


def judged(pack: Pack, count: int = 2) -> dict[str, list[CheckResult]]:
    """What own rules, and RULE of ours, say of networks that RULE finds wrong; by rule."""
    subjects = [network(f"n{number}") for number in range(count)]
    rules = [rule for rule in pack.rules if rule.id in pack.own or rule.id == RULE]
    found: dict[str, list[CheckResult]] = {}
    for result in evaluate(subjects, pack.profiles, rules=rules):
        found.setdefault(result.rule, []).append(result)
    return found


def lives(pid: int) -> bool:
    """Whether a process runs by that id; one that nobody has waited for yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
