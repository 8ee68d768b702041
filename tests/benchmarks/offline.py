"""Judging files without an engine: all rules over 1,000 and 10,000 subjects, and Checkov on the same resources.

    .venv/bin/python -m tests.benchmarks.offline [--rounds 3] [--checkov PROGRAM [--resources 1000]]

Ours is the whole process `steward policy check --from preview.json`; its preview is that of the example fleet, many
times over under other names. For Checkov the same number of AWS resources stands in a plan of Terraform and in a preview
of Pulumi, since it reads no Pulumi; it is not a part of Steward: install it elsewhere (tried with 3.3.30) and name it.
"""

from __future__ import annotations

import argparse
import copy
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from policies.pack import all_rules
from tests.benchmarks.noop import STEWARD
from tests.benchmarks.pairs import in_turn, seconds

PREVIEWS = Path(__file__).parents[1] / "policies" / "previews"
MOST_SECONDS = 0.5
LINEAR = 1.5
CHECKOV_BOUND = ">= 50"
TAGS = {
    "client": "bench", "environment": "aws", "owner": "bench@acme.example", "profile": "strict",
    "region": "eu-west-1", "stack": "bench-aws", "stackId": "0" * 32, "clientId": "1" * 32,
}  # fmt: skip
SSH = {"fromPort": 22, "toPort": 22, "protocol": "tcp", "cidrBlocks": ["10.0.0.0/16"]}
AWS = {
    "aws_s3_bucket": ("aws:s3/bucket:Bucket", {"bucket": "b"}),
    "aws_security_group": ("aws:ec2/securityGroup:SecurityGroup", {"name": "g", "ingress": [SSH]}),
    "aws_ebs_volume": (
        "aws:ebs/volume:Volume",
        {"availabilityZone": "eu-west-1a", "size": 10, "encrypted": True},
    ),
    "aws_db_instance": (
        "aws:rds/instance:Instance",
        {
            "instanceClass": "db.t3.micro", "allocatedStorage": 20, "storageEncrypted": True,
            "publiclyAccessible": False,
        },
    ),
    "aws_kms_key": ("aws:kms/key:Key", {"enableKeyRotation": True}),
}  # fmt: skip
"""Terraform's type -> Pulumi's type and inputs; all have TAGS, as real ones do, and most have a mistake."""


def main() -> None:
    """Print times and ratios; exit code 1 when one misses its bound."""
    options = argparse.ArgumentParser()
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--checkov", default="")
    options.add_argument("--resources", type=int, default=1_000, help="of AWS, beside Checkov")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        small, large = (write(folder / f"{n}.json", preview(n)) for n in (1_000, 10_000))
        pair = in_turn("10,000 subjects / ten times 1,000", chosen.rounds, check(large), check(small))
        print(
            f"{len(all_rules())} rules, 1,000 subjects, whole process: {min(pair.bare):.2f} s (<= {MOST_SECONDS})"
        )
        print(f"10,000 subjects cost {pair.ratio:.1f} times as much (<= {10 * LINEAR:.0f})")
        bad = min(pair.bare) > MOST_SECONDS or pair.ratio > 10 * LINEAR
        if chosen.checkov:
            plan = write(folder / "tfplan.json", terraform(chosen.resources))
            ours = check(write(folder / "aws.json", pulumi(chosen.resources)))
            name = f"{chosen.resources:,} AWS resources, Checkov"
            other = in_turn(name, chosen.rounds, ours, scan(chosen.checkov, plan))
            print(other.line(CHECKOV_BOUND, inverse=True))
            bad |= 1 / other.ratio < 50
    sys.exit(bad)


def preview(subjects: int) -> dict[str, Any]:
    """The example fleet's preview with half as many steps as subjects: each is a step and a resource."""
    source = json.loads((PREVIEWS / "demo.json").read_text())
    steps: list[dict[str, Any]] = []
    for number in range(subjects):
        for step in source["steps"]:
            twin = copy.deepcopy(step)
            twin["urn"] = twin["newState"]["urn"] = f"{step['urn']}-{number}"
            steps.append(twin)
        if len(steps) >= subjects // 2:
            break
    return {**source, "steps": steps[: subjects // 2], "changeSummary": summary(steps[: subjects // 2])}


def summary(steps: list[dict[str, Any]]) -> Mapping[str, int]:
    """What the engine counts."""
    return Counter(step["op"] for step in steps)


def pulumi(resources: int) -> dict[str, Any]:
    """A preview that makes so many AWS resources."""
    steps = []
    for number in range(resources):
        token, inputs = list(AWS.values())[number % len(AWS)]
        urn = f"urn:pulumi:bench-aws::steward::{token}::r{number}"
        given = {**inputs, "tags": TAGS}
        state = {"urn": urn, "type": token, "custom": True, "provider": "p", "inputs": given}
        steps.append({"op": "create", "urn": urn, "newState": state})
    return {"config": {}, "steps": steps, "changeSummary": {"create": resources}}


def terraform(resources: int) -> dict[str, Any]:
    """The same as a plan of Terraform."""
    planned, changes = [], []
    for number in range(resources):
        kind = list(AWS)[number % len(AWS)]
        values = {**{snake(key): snaked(value) for key, value in AWS[kind][1].items()}, "tags": TAGS}
        head = {"address": f"{kind}.r{number}", "mode": "managed", "type": kind, "name": f"r{number}"}
        head["provider_name"] = "registry.terraform.io/hashicorp/aws"
        planned.append({**head, "schema_version": 0, "values": values})
        changes.append(
            {**head, "change": {"actions": ["create"], "before": None, "after": values, "after_unknown": {}}}
        )
    return {
        "format_version": "1.2", "terraform_version": "1.9.0",
        "planned_values": {"root_module": {"resources": planned}}, "resource_changes": changes,
        "configuration": {"root_module": {"resources": []}},
    }  # fmt: skip


def snake(name: str) -> str:
    """`fromPort` -> `from_port`."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def snaked(value: Any) -> Any:
    """Keys of mappings in Terraform's way."""
    if isinstance(value, dict):
        return {snake(key): snaked(item) for key, item in value.items()}
    return [snaked(item) for item in value] if isinstance(value, list) else value


def write(path: Path, document: Mapping[str, Any]) -> Path:
    """The document as a file."""
    path.write_text(json.dumps(document))
    return path


def check(path: Path) -> Callable[[], float]:
    """Seconds of one judgement; findings are no failure here."""
    return lambda: seconds(lambda: ended([STEWARD, "policy", "check", "--from", str(path)]))


def scan(program: str, path: Path) -> Callable[[], float]:
    """Seconds of one scan."""
    argv = [
        program,
        "--quiet",
        "--compact",
        "--framework",
        "terraform_plan",
        "-f",
        str(path),
        "--output",
        "json",
    ]
    return lambda: seconds(lambda: ended(argv))


def ended(argv: list[str]) -> None:
    """Run it; it must end by itself with a verdict."""
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        sys.exit(f"{argv[0]} ended with {done.returncode}:\n{done.stderr[-2000:]}")


if __name__ == "__main__":
    main()
