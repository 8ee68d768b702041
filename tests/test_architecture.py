"""Rules about the code itself: who imports whom, how big things are, and which words name them."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("stacks", "policies", "orchestrator")
MOST_LINES, MOST_LINES_OF_A_FUNCTION = 300, 39

BANNED = {"manager", "helper", "helpers", "util", "utils", "info", "misc"}
"""`data` is banned as a whole name only: that a volume bears data is what fleets are about."""
NAMED_BY_OTHERS = {"GetAnalyzerInfo", "GetPluginInfo", "handle_data", "info", "module_utils"}
"""By the gRPC service of Pulumi's providers, by its SDK, by the HTML parser of Python, and by Ansible."""

SOLE_IMPORTERS = {
    "subprocess": {
        "orchestrator.process",
        "orchestrator.convergence.look",  # runs on hosts, sent there as a file
        "orchestrator.diagnosis.look",  # so does this one
        "orchestrator.patching.upgrade",  # likewise
        "orchestrator.host_facts.parts.reading",  # likewise
        "orchestrator.verification.commands_program",  # likewise
        "orchestrator.toolchain.language_host",
        "policies.apart.process",  # docs/adr/0032-own-rules-run-apart.md
        "stacks.providers.local.podman",
    },
    "pulumi.automation": {"orchestrator.provisioning.engine", "orchestrator.toolchain.language_host"},
    "ansible_runner": {"orchestrator.plays.job"},
    "ansible_mitogen": {"orchestrator.plays.job"},
    "testinfra": {"orchestrator.verification.testinfra_backend"},
    "sqlite3": {
        "orchestrator.evidence.database",
        "orchestrator.evidence.ledger",
        "orchestrator.evidence.schema",
        "orchestrator.state_folder",
    },
    "dbos": set[str](),
}

CATCHES_ALL = {
    "policies.apart.module": "a module may raise anything while it loads; the refusal names its file",
    "policies.apart.program": "a rule of a user may raise anything; this process is there for nothing else",
    "policies.checks": "a rule that raises at its stack raises the same for each subject",
    "policies.crossguard": "an answer that is none would let the engine wait for ever",
    "policies.evaluate": "a rule that raises is a blocking error under the rule's name",
    "orchestrator.cli.main": "the last line of defence between an error and a person",
    "orchestrator.plays.job": "an error that cannot be named without importing Ansible; all others pass on",
}

ANSWERS_FOR_ALL = {"policies.apart.program"}
"""Raises nothing again: what it caught is its answer, and no Ctrl-C of a person reaches it."""

MAY_PRINT = (
    "orchestrator.cli.",
    "orchestrator.verification.commands_program",
    "orchestrator.verification.probe_program",
    "orchestrator.diagnosis.look",
    "orchestrator.toolchain.language_host",
    "stacks.providers.local.plugin",
)
MAY_EXIT = (
    *("orchestrator.cli.", "orchestrator.plays.job", "orchestrator.toolchain.language_host"),
    *("policies.apart.program", "policies.sharing"),
)
"""The job of a play, the language host and the process of own rules are programs of their own; so is a copy
of the judge, which may not go on as the judge.
"""

BELOW_PORTS = {
    "orchestrator.backups.credentials",
    "orchestrator.backups.documents",
    "orchestrator.clock",
    "orchestrator.errors",
    "orchestrator.inventory.model",
    "orchestrator.inventory.own_checks",
    "orchestrator.inventory.prepared",
    "orchestrator.inventory.supplies",
    "orchestrator.process",
    "orchestrator.reporting.drift",
    "orchestrator.reporting.model",
    "orchestrator.reporting.planning",
    "orchestrator.reporting.policy.model",
    "policies.model",
    "policies.subjects.steps",
    "stacks.fleet.loader",
    "stacks.fleet.secret",
    "stacks.outputs",
}


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@cache
def modules() -> dict[str, Path]:
    """Every module of ours by its name."""
    found = {}
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def sources() -> list[Path]:
    """All Python there is, with what runs on hosts and the tests."""
    folders = (*PACKAGES, "playbooks", "tests")
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


@cache
def imported(path: Path) -> frozenset[str]:
    """What a file imports, also inside of functions, also for type checking alone."""
    return frozenset(_imported(path))


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines without signature and docstring."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return (function.end_lineno or 0) - body[0].lineno + 1 if body else 0


def test_there_is_something_to_judge() -> None:
    assert {"stacks", "policies", "orchestrator.cli.main", "orchestrator.ports"} <= set(modules())


def test_every_module_can_be_imported() -> None:
    """Much is imported inside of functions, so that a name that is gone would show only in a real run."""
    missing = []
    for name, path in modules().items():
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.ImportFrom) and node.module in modules():
                module = importlib.import_module(node.module)
                missing += [
                    f"{name}: {node.module}.{each.name}"
                    for each in node.names
                    if not hasattr(module, each.name) and f"{node.module}.{each.name}" not in modules()
                ]
    assert missing == []


def test_import_contracts_hold() -> None:
    argv = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache", "--no-logo"]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    assert f"{len(contracts)} kept, 0 broken" in done.stdout


def test_every_module_of_the_orchestrator_is_in_a_layer() -> None:
    """Else a new one could import whatever it likes."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (layers,) = (contract["layers"] for contract in contracts if contract["type"] == "layers")
    placed = {f"orchestrator.{name.strip(' ()')}" for layer in layers for name in re.split("[|:]", layer)}
    ours = [name for name in modules() if name.startswith("orchestrator.")]
    packages = {name.rsplit(".", 1)[0] for name in ours}
    homeless = [
        name
        for name in ours
        if name not in packages and not any(name == each or name.startswith(f"{each}.") for each in placed)
    ]
    assert homeless == []
    assert {name for name in placed if name not in modules()} == set(), "layers of modules that are gone"


def test_ports_speak_in_models_and_nothing_else() -> None:
    rooms = [path for name, path in modules().items() if name.startswith("orchestrator.ports.")]
    ours = {name for path in rooms for name in imported(path) if name in modules()}
    assert rooms
    assert {name for name in ours if not name.startswith("orchestrator.ports")} <= BELOW_PORTS


@pytest.mark.parametrize("library", sorted(SOLE_IMPORTERS))
def test_a_library_has_its_sole_importers(library: str) -> None:
    importers = {
        name
        for name, path in modules().items()
        if any(each == library or each.startswith(f"{library}.") for each in imported(path))
    }
    assert importers <= SOLE_IMPORTERS[library]


def test_only_the_command_line_prints_and_exits() -> None:
    offenders = []
    for name, path in modules().items():
        called = {ast.unparse(node.func) for node in ast.walk(tree(path)) if isinstance(node, ast.Call)}
        if "print" in called and not name.startswith(MAY_PRINT):
            offenders.append(f"{name} prints")
        if called & {"sys.exit", "exit", "quit", "os._exit"} and not name.startswith(MAY_EXIT):
            offenders.append(f"{name} exits")
    assert offenders == []


def test_errors_are_caught_by_name() -> None:
    """`except BaseException` may tidy up but must raise again; `except Exception` is for the places above."""
    offenders = []
    for name, path in modules().items():
        for node in ast.walk(tree(path)):
            if not isinstance(node, ast.ExceptHandler):
                continue
            caught = {each.id for each in ast.walk(node.type or ast.Name("")) if isinstance(each, ast.Name)}
            raised_again = any(isinstance(each, ast.Raise) and each.exc is None for each in ast.walk(node))
            everything = bool(caught & {"", "BaseException"}) and not raised_again
            if (everything and name not in ANSWERS_FOR_ALL) or (
                "Exception" in caught and name not in CATCHES_ALL
            ):
                offenders.append(f"{name}:{node.lineno}")
    assert offenders == []


@pytest.mark.parametrize("name", sorted(CATCHES_ALL))
def test_whoever_catches_all_says_why(name: str) -> None:
    text = modules()[name].read_text()
    place = text.index("except Exception" if "except Exception" in text else "except BaseException")
    assert "#" in text[place - 300 : place + 300]


def test_files_are_short() -> None:
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in sources()}
    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES} == {}


def test_functions_are_short() -> None:
    lengths = {
        f"{name}.{function.name}": body_lines(function)
        for name, path in modules().items()
        for function in functions(path)
    }
    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES_OF_A_FUNCTION} == {}


def test_nothing_is_named_by_a_word_that_says_nothing() -> None:
    offenders = []
    for path in sources():
        names = {path.stem, path.parent.name}
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        names |= {node.name for node in ast.walk(tree(path)) if isinstance(node, kinds)}
        for name in names - NAMED_BY_OTHERS:
            words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().strip("_").split("_")
            if BANNED & set(words) or words == ["data"]:
                offenders.append(f"{path.relative_to(ROOT)}: {name}")
    assert offenders == []


def test_every_folder_of_unit_tests_mirrors_a_package() -> None:
    folders = [
        path
        for path in (ROOT / "tests" / "unit").rglob("*")
        if path.is_dir() and list(path.glob("test_*.py"))
    ]
    assert folders
    for folder in folders:
        mirrored = folder.relative_to(ROOT / "tests" / "unit")
        assert any(
            (base / mirrored / "__init__.py").is_file()
            for base in (ROOT, ROOT / "orchestrator", ROOT / "stacks")
        ), folder


def test_every_package_of_the_orchestrator_has_unit_tests() -> None:
    unit = ROOT / "tests" / "unit"
    for package in (path.parent for path in (ROOT / "orchestrator").glob("*/__init__.py")):
        folders = (unit / "orchestrator" / package.name, unit / package.name)
        assert any(list(folder.glob("test_*.py")) for folder in folders), package.name
