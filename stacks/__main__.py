"""What `pulumi up` runs: the fleet that the stack's configuration names."""

from pathlib import Path

import pulumi

from stacks.outputs import OUTPUT_NAME
from stacks.program import deploy, provider_for, read_fleet, read_identity


def main() -> None:
    """Load, register, export."""
    config = pulumi.Config("steward")
    stack = pulumi.get_stack()
    fleet = read_fleet(Path(pulumi.runtime.get_root_directory()), stack, config)
    identity = read_identity(stack, config)
    pulumi.export(OUTPUT_NAME, deploy(fleet, identity, provider_for(fleet.provider)))


main()
