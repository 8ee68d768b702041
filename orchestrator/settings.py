"""Where this installation keeps its state, caches and code, read once from the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, cast, get_args

from orchestrator.errors import InputError

ToolchainSource = Literal["auto", "path", "official", "modules"]

PROJECT_FILE = "Pulumi.yaml"
_OURS = re.compile(r"""^name:\s*["']?steward["']?\s*(#.*)?$""", re.MULTILINE)
_PROJECT_BYTES = 65_536


def code_root() -> Path:
    """The folder that holds our packages: the checkout, or where the wheel was installed."""
    return Path(__file__).resolve().parent.parent


_OTHERS: Final = ("ANSIBLE_", "MITOGEN_", "PULUMI_")
_LOOPBACK: Final = ("127.0.0.1", "localhost")


def forget_foreign(environ: MutableMapping[str, str]) -> None:
    """Take out what would change Pulumi and Ansible behind our back: their own variables narrow a run to some
    tasks or resources (ANSIBLE_RUN_TAGS, PULUMI_OPTION_TARGET) or bring another passphrase, and whoever set
    them for work of his own would read that all is well. A proxy is kept, but never asked for this machine.
    """
    for name in [each for each in environ if each.startswith(_OTHERS)]:
        del environ[name]
    if any(name.lower().endswith("_proxy") and name.lower() != "no_proxy" for name in environ):
        known = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
        hosts = [each.strip() for each in known.split(",") if each.strip()]
        hosts += [each for each in _LOOPBACK if each not in hosts]
        environ["no_proxy"] = environ["NO_PROXY"] = ",".join(hosts)


@dataclass(frozen=True)
class Settings:
    """Paths and switches; nothing is secret, nothing read twice. A plain dataclass: `--help` loads it too."""

    home: Path
    """State: Pulumi backend, ledger, runs, keys, evidence. Mode 0700, never inside the checkout."""
    cache: Path
    """Per machine and re-creatable: toolchain, base image, collections."""
    project: Path
    """The user's repository, with Pulumi.yaml; fleets in stack configuration are relative to it."""
    toolchain: ToolchainSource = "auto"
    code: Path = field(default_factory=code_root)
    """Where this version's own playbooks, rules and program are; never written to."""
    prices: Path | None = None
    """A price book for every client, instead of each client's own in `home`."""
    anchor: Path | None = None
    """A folder outside of `home`, such as a Git checkout that CI pushes, for heads of evidence chains."""
    tsa: str = ""
    """Address of a time stamp authority (RFC 3161) that stamps heads of evidence chains."""
    tsa_certificates: Path | None = None
    """Certificates (PEM) by which its stamps are believed; names an anchor also without an address."""
    policy_reference: str = ""
    """What judges: a folder, or REPO@REF:FOLDER; where empty, what comes with this version."""
    feed: Path | None = None
    """What is known of vulnerable packages; where none is named, `feed.json` in `home`, if it is there."""
    ready_seconds: float = 180.0
    """How long `ready` waits as a whole, package lock included."""

    @property
    def playbooks(self) -> Path:
        """The playbooks and roles that come with this version."""
        return self.code / "playbooks"

    @property
    def policy_pack(self) -> Path:
        """The policy pack that comes with this version; it loads `own_rules` too."""
        return self.code / "policies"

    @property
    def own_roles(self) -> Path:
        """The user's own roles, one folder each; need not exist."""
        return self.project / "roles"

    @property
    def own_rules(self) -> Path:
        """The user's own rules, a catalog and a module each; need not exist."""
        return self.project / "rules"

    def stack_keys(self, stack: str) -> Path:
        """Folder of one stack's passphrase, admin key and repository credentials."""
        return self.home / "keys" / stack

    def history_folder(self, stack_id: str) -> Path:
        """Folder of the index over all runs of one stack; by id, so that a reused name inherits nothing."""
        return self.home / "history" / stack_id

    def run_folder(self, run: str) -> Path:
        """Folder of one run's record, logs and reports."""
        return self.home / "runs" / run


def find_project(start: Path) -> Path | None:
    """The nearest folder at or above `start` whose Pulumi.yaml is of a Steward project, not of another."""
    return next((folder for folder in (start, *start.parents) if is_project(folder)), None)


def is_project(folder: Path) -> bool:
    """Whether the folder is a repository of fleets."""
    try:
        with (folder / PROJECT_FILE).open(encoding="utf-8", errors="replace") as file:
            return _OURS.search(file.read(_PROJECT_BYTES)) is not None
    except OSError:
        return False


def load_settings(environ: Mapping[str, str] | None = None, *, beside: Path | None = None) -> Settings:
    """Read STEWARD_HOME, _CACHE, _PROJECT, _TOOLCHAIN, _PRICES, _ANCHOR, _TSA, _TSA_CA, _FEED,
    _POLICY_REFERENCE, _READY_SECONDS.

    Raises InputError.
    Without STEWARD_PROJECT the project is the one of the working folder, else the one of the file `beside`.
    """
    env = os.environ if environ is None else environ
    source = env.get("STEWARD_TOOLCHAIN") or "auto"
    if source not in get_args(ToolchainSource):
        raise InputError(
            "STEWARD_TOOLCHAIN", f"is not one of {', '.join(get_args(ToolchainSource))}", got=source,
            next_step="Unset it to let steward choose.",
        )  # fmt: skip
    return Settings(
        home=_folder(env.get("STEWARD_HOME"), "state"),
        cache=_folder(env.get("STEWARD_CACHE"), "cache"),
        project=_project(env.get("STEWARD_PROJECT"), beside),
        toolchain=cast("ToolchainSource", source),
        prices=_named(env.get("STEWARD_PRICES")),
        anchor=_named(env.get("STEWARD_ANCHOR")),
        tsa=env.get("STEWARD_TSA") or "",
        tsa_certificates=_named(env.get("STEWARD_TSA_CA")),
        feed=_named(env.get("STEWARD_FEED")),
        policy_reference=env.get("STEWARD_POLICY_REFERENCE") or "",
        ready_seconds=_seconds("STEWARD_READY_SECONDS", env.get("STEWARD_READY_SECONDS"), 180.0),
    )


def _project(named: str | None, beside: Path | None) -> Path:
    if named:
        return Path(named).expanduser().absolute()
    here = found = None
    with suppress(OSError):  # the working folder was deleted
        here = Path.cwd()
        found = find_project(here)
    if found is None and beside is not None:
        found = find_project(beside.expanduser().absolute().parent)
    # Of a checkout its own examples; where a wheel was installed there is nobody's project.
    return found or (code_root() if here is None or is_project(code_root()) else here)


def _named(path: str | None) -> Path | None:
    return Path(path).expanduser().absolute() if path else None


def _seconds(name: str, text: str | None, usual: float) -> float:
    if not text:
        return usual
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 1 <= seconds <= 3600:
        raise InputError(name, "is not a number of seconds from 1 to 3600", got=text)
    return seconds


def _folder(named: str | None, kind: Literal["state", "cache"]) -> Path:
    if named:
        return Path(named).expanduser().absolute()
    from platformdirs import user_cache_path, user_state_path

    return (user_state_path if kind == "state" else user_cache_path)("steward").absolute()
