"""`steward env`: the same toolchain, backend and rules for a person's own `pulumi`."""

from __future__ import annotations

from orchestrator.cli.options import AsJson, FleetFile


def env(fleet: FleetFile, as_json: AsJson = False) -> None:
    """Print the environment for your own pulumi preview, up or destroy of this fleet.

    Example: eval "$(steward env --fleet stacks/fleets/demo.yaml)" && pulumi preview
    """
    import shlex

    from orchestrator.app import open_stack
    from orchestrator.cli.output import as_document, emit
    from orchestrator.errors import StewardError
    from orchestrator.settings import load_settings
    from orchestrator.toolchain.environment import child_environment
    from stacks.fleet.mistakes import FleetInvalid

    settings = load_settings(beside=fleet)
    try:
        target = open_stack(settings, fleet, create=True)
    except (StewardError, FleetInvalid):
        if not as_json:
            emit("false  # steward env failed, so this eval does too")
        raise
    values = child_environment(settings, target.stack.name)
    if as_json:
        emit(as_document("steward.env/1", stack=target.stack.name, environment=values))
        return
    emit("\n".join(f"export {name}={shlex.quote(value)}" for name, value in sorted(values.items())))
