"""`steward policy list|explain`: the rules, read from the pack itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.options import AsJson

if TYPE_CHECKING:
    from policies.model import Rule
    from policies.profiles import Profile

app = typer.Typer(
    help="The rules that judge every plan.", rich_markup_mode=None, no_args_is_help=True,
    pretty_exceptions_enable=False,
)  # fmt: skip


@app.command(name="list")
def list_(as_json: AsJson = False) -> None:
    """List the rules with their severity and what each profile does with them.

    Example: steward policy list
    """
    from orchestrator.cli.backup_tables import aligned
    from orchestrator.cli.output import as_document, emit
    from policies.pack import all_profiles, all_rules

    rules, profiles = all_rules(), all_profiles()
    if as_json:
        rows = [
            {"id": rule.id, "title": rule.title, "severity": rule.severity,
             "enforcement": {p.name: p.enforcement(rule.id) for p in profiles}}
            for rule in rules
        ]  # fmt: skip
        emit(as_document("steward.policy-list/1", rules=rows))
        return
    table = [["rule", "severity", *(p.name for p in profiles), "title"]]
    table += [[r.id, r.severity, *(p.enforcement(r.id) for p in profiles), r.title] for r in rules]
    emit(aligned(table))


def parameters(profile: Profile, rule: Rule) -> str:
    """`minimum_prefix 16`: what the profile asks of the rule, '' when the rule has no parameters."""
    values = profile.params(rule)
    return ", ".join(f"{name} {values.get(name)}" for name in rule.params)


@app.command()
def explain(
    rule: Annotated[str, typer.Argument(help="A rule id, for example network.ssh-not-public.")],
) -> None:
    """Say why a rule exists, what it asks for in each profile, and how to mend a finding.

    Example: steward policy explain backups.data-is-covered
    """
    from orchestrator.cli.output import emit
    from orchestrator.errors import InputError
    from policies.model import PackError
    from policies.pack import all_profiles, rule_by_id

    try:
        found = rule_by_id(rule)
    except PackError as problem:
        raise InputError("policy", str(problem), next_step="See: steward policy list") from problem
    lines = [f"{found.id}: {found.title}", "", f"why       {found.rationale}", f"severity  {found.severity}"]
    lines += [f"{p.name:<9} {p.enforcement(found.id)} {parameters(p, found)}" for p in all_profiles()]
    lines += [f"mend      {found.remediation}"]
    lines += [f"controls  {name} {', '.join(ids)}" for name, ids in found.controls.items()]
    emit("\n".join(lines))
