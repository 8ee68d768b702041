"""Bad input as a user meets it at `steward policy check`: a named error or finding, no trace, never green."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from policies import evaluate as evaluating
from policies.limits import Watch
from tests.commands import steward
from tests.policies.test_seeded import COMMAND, named

PREVIEWS = Path(__file__).parent / "previews"
ENTRY: dict[str, Any] = {
    "title": "A rule of ours",
    "rationale": "It is tried here.",
    "severity": "low",
    "kind": "resource",
    "scope": "subject",
    "subjects": ["network"],
    "controls": {},
    "params": {},
    "on_unknown": "block",
    "remediation": "Mend the rule.",
    "owner": "tests",
    "reviewed_on": "2026-11-25",
    "version": 1,
}
HOSTILE = (
    "\x1b[31m=cmd|' /C calc'!A0<script>alert(1)</script>::error::x ##[error]y @all\u202e\r\n::warning::z"
)
Check = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scratch project as `steward init` makes it, with a preview of a good fleet."""
    made = tmp_path_factory.mktemp("made") / "project"
    done = steward("init", str(made), "--client", "acme")
    assert done.returncode == 0, done.stderr
    (made / "vault.json").write_bytes((PREVIEWS / "vault.json").read_bytes())
    return made


@pytest.fixture
def project(made: Path, tmp_path: Path) -> Path:
    return shutil.copytree(made, tmp_path / "project", symlinks=True)


def check(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    done = steward("policy", "check", *arguments, cwd=project)
    assert done.returncode in (0, 1, 2), done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    return done


def rules(project: Path, source: str, *names: str, **changes: Any) -> None:
    """Own rules in a room `ours`."""
    catalog = [{"id": f"ours.{name}", **ENTRY, **changes} for name in names]
    text = yaml.safe_dump(catalog, sort_keys=False).replace("'2026-11-25'", "2026-11-25")
    (project / "rules" / "ours.yaml").write_text(text, encoding="utf-8")
    (project / "rules" / "ours.py").write_text(source, encoding="utf-8")


def test_the_project_itself_is_green(project: Path) -> None:
    """In a process of its own, as a user has it."""
    done = subprocess.run(
        [*COMMAND, "--from", "vault.json"], cwd=project, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout[:6]) == (0, "Green:"), done.stderr
    assert done.stdout == check(project, "--from", "vault.json").stdout


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("raise ZeroDivisionError('it is wrong')", "ZeroDivisionError: it is wrong"),
        ("while True:\n        pass", "it did not end within"),
        ("while True:\n        try:\n            sum(range(9))\n        except Exception:\n            pass",
         "it did not end within"),
        ("return ['x' * (1 << 34)]", "MemoryError"),
        ("return [7]", "expected a Finding, a Gap or NotApplicable, got 7"),
        ("return None", "'NoneType' object is not iterable"),
        ("raise RecursionError('\\x1b[2J')", "RecursionError"),
    ],
)  # fmt: skip
def test_a_rule_that_breaks_blocks_under_its_name_and_hides_no_other(
    project: Path, body: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluating, "WATCH", Watch(2.0))  # as it would be after ten seconds
    rules(project, f"def breaks(subject, params):\n    {body}\n", "breaks")

    done = check(project, "--from", "vault.json", "--json")
    report = json.loads(done.stdout)

    broken = [result for result in report["results"] if result["state"] == "error"]
    assert {result["rule"] for result in broken} == {"ours.breaks"}
    assert told in broken[0]["message"]
    assert report["counts"]["pass"] >= 40
    assert (done.returncode, report["verdict"]["green"]) == (1, False)


def test_two_rules_of_one_id_are_refused(project: Path) -> None:
    rules(project, "def breaks(subject, params):\n    return []\n", "breaks", "breaks")
    done = check(project, "--from", "vault.json")
    assert done.returncode == 2
    assert "ours.breaks" in done.stderr
    assert "Green" not in done.stdout


def test_a_parameter_of_another_type_is_refused(project: Path) -> None:
    least = {"type": "integer", "default": "many", "minimum": 1, "description": "how many"}
    rules(project, "def counts(subject, params):\n    return []\n", "counts", params={"least": least})
    done = check(project, "--from", "vault.json")
    assert done.returncode == 2
    assert "least" in done.stderr
    assert "many" in done.stderr


@pytest.mark.parametrize(
    ("profile", "told"),
    [
        ("enforcement: {default: mandatory, rules: {network.no-such: advisory}}\nparams: {}",
         "network.no-such"),
        ("enforcement: {default: mandatory, rules: {}}\nparams: {network.private-range: {widest_prefix: 8}}",
         "widest_prefix"),
    ],
)  # fmt: skip
def test_a_profile_that_fits_no_rule_is_refused(
    project: Path, profile: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = tmp_path / "policy"
    (reference / "profiles").mkdir(parents=True)
    (reference / "minimum.yaml").write_text("default: demo\nclients: {}\n")
    text = f"name: office\ndescription: Of the office\nafter: demo\n{profile}\n"
    (reference / "profiles" / "office.yaml").write_text(text)
    monkeypatch.setenv("STEWARD_POLICY_REFERENCE", str(reference))

    done = check(project, "--from", "vault.json")

    assert done.returncode == 2
    assert told in done.stderr
    assert "office" in done.stderr


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("cut.json", (PREVIEWS / "demo.json").read_text("utf-8")[:-900], "not whole JSON"),
        ("holes.json", '{"steps": [], "changeSummary": {"create": 3}}', "counts 3, the file has 0"),
        ("empty.json", '{"schema": "steward.backup-records/1", "records": []}', "an empty population"),
        ("other.json", '{"schema": "acme.thing/1"}', "nothing that can be judged"),
        ("facts.json", '{"schema": "steward.host-facts/1", "host": "a"}', "collected_at"),
        ("bad.yml", "- hosts: [", "bad.yml"),
    ],
)
def test_a_file_that_is_not_whole_is_refused_by_name(
    project: Path, name: str, content: str, told: str
) -> None:
    (project / name).write_text(content, encoding="utf-8")
    for more in ((), ("--json",)):
        done = check(project, "--from", name, *more)
        assert done.returncode == 2
        assert told in done.stdout + done.stderr
        assert name in done.stdout + done.stderr
        assert "Green" not in done.stdout


def test_hostile_names_act_in_no_format(project: Path) -> None:
    (project / "facts.json").write_text(
        json.dumps({"schema": "steward.host-facts/1", "host": HOSTILE, "collected_at": "2026-11-28T20:00:00Z",
                    "sshd": {"installed": True, "permitrootlogin": HOSTILE}})
    )  # fmt: skip
    line = {"name": HOSTILE, "identity": HOSTILE, "kind": HOSTILE, "monthly": "0", "currency": HOSTILE}
    (project / "costs.json").write_text(
        json.dumps({"schema": "steward.cost-lines/1", "lines": [line], "budget": None})
    )

    done = check(project, "--from", "facts.json", "--from", "costs.json", "--output", "report")

    formats = {path.name: path.read_text("utf-8") for path in (project / "report").iterdir()}
    assert len(formats) == 7
    for name, text in {**formats, "terminal": done.stdout}.items():
        assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e]", text), name
        if not name.endswith(("html", "xml", "json", "sarif")):  # nobody prints these into a log
            assert not re.search(r"^\s*(::|##\[)", text, re.MULTILINE), name
    for name in ("policy-report.html", "policy-report.junit.xml", "policy-report.md"):
        assert "<script>alert" not in formats[name], name
    cells = [cell for row in csv.reader(io.StringIO(formats["policy-report.csv"])) for cell in row]
    assert not [cell for cell in cells if cell.lstrip().startswith(("=", "+", "-", "@"))]
    first = next(
        each for each in json.loads(formats["policy-report.json"])["subjects"] if "cmd" in each["id"]
    )
    told = steward(
        *("policy", "explain", "ssh.root-login-off", first["id"], "--report", "report/policy-report.json"),
        cwd=project,
    )
    assert "\x1b" not in told.stdout + told.stderr
    assert named(first)
    assert done.returncode == 1
