"""A policy reference in a folder, for tests, with real keys where they are asked for."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from policies.facts import Facts
from policies.model import Kind, Subject
from policies.waivers import Waiver

MINIMUM = "default: standard\nclients:\n  acme: {demo: demo, vault: demo}\n"
TAGS = {"client": "acme", "environment": "demo", "owner": "o", "profile": "demo", "stackId": "s"}
RULE = "network.private-range"
WAIVER = """\
id: W-1
rule: network.private-range
subject: "urn:pulumi:acme-demo::steward::local:index:Network::app"
owner: ann@acme.example
approver: bob@acme.example
reason: The old office still routes this range.
ticket: OPS-17
created: 2026-11-01
expires: 2026-11-29
compensating_control: The edge firewall drops it.
"""


def write(folder: Path, files: Mapping[str, str] | None = None) -> Path:
    """A reference with these files; `minimum.yaml` is there in any case."""
    for name, text in {"minimum.yaml": MINIMUM, **(files or {})}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def network(name: str = "app", cidr: str = "8.8.8.0/24", stack: str = "acme-demo") -> Subject:
    """A network that RULE finds wrong, unless it is given a private range."""
    urn = f"urn:pulumi:{stack}::steward::local:index:Network::{name}"
    return Subject(Kind.RESOURCE, "network", name, urn, stack, Facts({"cidr": cidr, "tags": TAGS}))


def waiver(**other: object) -> Waiver:
    """The waiver of WAIVER, but for these fields."""
    usual: dict[str, object] = {
        "id": "W-1", "rule": RULE, "subject": network().urn, "owner": "ann@acme.example",
        "approver": "bob@acme.example", "reason": "r", "ticket": "OPS-17", "created": date(2026, 11, 1),
        "expires": date(2026, 11, 29), "compensating_control": "c",
    }  # fmt: skip
    return Waiver(**(usual | other))  # type: ignore[arg-type]


def make_key(folder: Path, name: str) -> Path:
    """A real key; the path is of its private part."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(path)]
    subprocess.run(argv, check=True)
    return path


def public(key: Path) -> str:
    """Type and key, without comment."""
    return " ".join(key.with_suffix(".pub").read_text().split()[:2])


def signer(key: Path, who: str, namespace: str, more: str = "") -> str:
    """A line of allowed_signers."""
    return f'{who} namespaces="{namespace}"{more} {public(key)}\n'


def sign(key: Path, namespace: str, content: bytes, to: Path) -> None:
    """As a person does it, over standard input."""
    argv = ["ssh-keygen", "-q", "-Y", "sign", "-f", str(key), "-n", namespace]
    to.write_bytes(subprocess.run(argv, input=content, check=True, capture_output=True).stdout)
