"""`steward policy list|explain|test|check|waive|baseline`: the rules, ours and the project's own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli import completion
from orchestrator.cli.options import AsJson
from orchestrator.cli.policy_check import check
from orchestrator.cli.policy_exceptions import baseline, waive

if TYPE_CHECKING:
    from policies.model import Rule
    from policies.profiles import Profile

app = typer.Typer(
    help="The rules that judge every plan.", rich_markup_mode=None, no_args_is_help=True,
    pretty_exceptions_enable=False,
)  # fmt: skip

app.command()(check)
app.command()(waive)
app.command()(baseline)


@app.command(name="list")
def list_(as_json: AsJson = False) -> None:
    """List the rules with their severity and what each profile does with them.

    Example: steward policy list
    """
    from orchestrator.cli.output import as_document, emit
    from orchestrator.cli.tables import aligned
    from orchestrator.policy_pack import open_pack
    from orchestrator.settings import load_settings

    pack = open_pack(load_settings())
    rules, profiles = pack.rules, pack.profiles.ordered
    if as_json:
        rows = [
            {"id": rule.id, "title": rule.title, "severity": rule.severity, "own": rule.id in pack.own,
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
    rule: Annotated[
        str,
        typer.Argument(
            help="A rule id, for example network.ssh-not-public.",
            autocompletion=completion.rules,
        ),
    ],
    subject: Annotated[
        str,
        typer.Argument(help="A subject of a policy report, by its name or id: what the rule said of it."),
    ] = "",
    report: Annotated[
        Path | None,
        typer.Option(
            "--report",
            metavar="FILE",
            help="The policy report to read; the newest one when none is named.",
            show_default=False,
        ),
    ] = None,
    stack: Annotated[
        str,
        typer.Option(
            "--stack", metavar="STACK", help="Whose newest report: client-environment.", show_default=False
        ),
    ] = "",
) -> None:
    """Say why a rule exists, what it asks for in each profile, and how to mend a finding.

    With a SUBJECT: what it said of that in a policy report, what was observed and expected, with which
    parameters, by whose witness, under which waiver, and what it said in earlier runs.

    Example: steward policy explain backups.data-is-covered
    """
    if subject:
        _explain_pair(rule, subject, report, stack)
    elif report or stack:
        raise typer.BadParameter("needs a SUBJECT before it", param_hint="--report" if report else "--stack")
    else:
        _explain_rule(rule)


def _explain_pair(rule: str, subject: str, file: Path | None, stack: str) -> None:
    """The pair as a report has it."""
    from orchestrator.cli.output import emit
    from orchestrator.errors import InputError
    from orchestrator.policy_reports import earlier_policy_reports, newest_policy_report, read_policy_report
    from orchestrator.reporting.policy.explain import explain as explain_pair
    from orchestrator.settings import load_settings

    settings = load_settings()
    path = file or newest_policy_report(settings, stack)
    if path is None:
        raise InputError(
            "policy",
            f"no run left a policy report of {stack}" if stack else "no run left a policy report",
            place=str(settings.home / "runs"),
            next_step="Name a file with --report, or judge first: steward plan --fleet FILE",
        )
    found = read_policy_report(path)
    emit(explain_pair(found, rule, subject, earlier_policy_reports(settings, found)))


def _explain_rule(rule: str) -> None:
    """The rule as the catalog has it."""
    from orchestrator.cli.output import emit
    from orchestrator.errors import InputError
    from orchestrator.policy_pack import open_pack
    from orchestrator.settings import load_settings
    from policies.model import PackError
    from policies.pack import rule_by_id

    pack = open_pack(load_settings())
    try:
        found = rule_by_id(rule, pack.rules)
    except PackError as problem:
        raise InputError("policy", str(problem), next_step="See: steward policy list") from problem
    lines = [f"{found.id}: {found.title}", "", f"why       {found.rationale}", f"severity  {found.severity}"]
    lines += [f"{p.name:<9} {p.enforcement(found.id)} {parameters(p, found)}" for p in pack.profiles.ordered]
    lines += [f"mend      {found.remediation}"]
    lines += [f"controls  {name} {', '.join(ids)}" for name, ids in found.controls.items()]
    emit("\n".join(lines))


@app.command(name="test")
def try_own(as_json: AsJson = False) -> None:
    """Hold the project's own rules against their cases in rules/cases/RULE/; exit code 1 where one differs.

    Each rule needs a case that passes, one that fails and one with an unknown value.

    Example: steward policy test
    """
    from orchestrator.cli.output import as_document, emit
    from orchestrator.errors import InputError
    from orchestrator.policy_pack import open_pack
    from orchestrator.reporting.humanise import plural
    from orchestrator.settings import load_settings
    from policies.cases import try_cases
    from policies.model import PackError

    settings = load_settings()
    pack = open_pack(settings)
    try:
        tried = try_cases(settings.own_rules / "cases", pack)
    except PackError as problem:
        raise InputError("rules", str(problem), place=str(settings.own_rules)) from problem
    wrong = [each for each in tried if each.differences]
    if as_json:
        rows = [{"rule": each.rule, "case": each.case, "differences": each.differences} for each in tried]
        emit(as_document("steward.policy-test/1", ok=not wrong, cases=rows))
    else:
        lines = [f"{each.rule} {each.case}: {text}" for each in wrong for text in each.differences]
        own = plural(len(pack.own), "own rule")
        emit("\n".join([*lines, f"{own}, {len(tried)} cases, {len(wrong)} differ"]))
    if wrong:
        raise typer.Exit(1)
