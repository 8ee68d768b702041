"""A report claims what the run did and saw, and nothing else."""

from __future__ import annotations

import re

import pytest

from orchestrator.errors import InputError
from orchestrator.ports.provisioning import Preview, Provisioned
from orchestrator.reporting.advice import next_steps
from orchestrator.reporting.html import to_html
from orchestrator.reporting.markdown import to_markdown
from orchestrator.reporting.model import Report, Verdict
from orchestrator.reporting.sentence import sentence
from orchestrator.reporting.terminal import findings, summary
from orchestrator.reporting.tone import Tone
from orchestrator.reporting.topology import topology
from orchestrator.reporting.verdict import backups_note, headline, numbers, policy_counts, tone
from orchestrator.results import Readiness, RunResults
from tests.unit.orchestrator.samples import outputs
from tests.unit.reporting import sample
from tests.unit.reporting.runs import CREATED, built, step


def everywhere(report: Report) -> str:
    """All that people read of a report, as one text."""
    page = re.sub(r"<style>.*?</style>|<[^>]+>", " ", to_html(report), flags=re.DOTALL)
    text = summary(report, "report.html", 200) + findings(report, 200) + page + to_markdown(report)
    return " ".join(text.split())


def test_a_plan_says_what_would_be_done_and_that_servers_were_not_looked_at() -> None:
    report = sample.planned()
    assert sentence(report) == "acme-demo plan: 3 to create, nothing was applied."
    assert (tone(report), headline(report), numbers(report).servers) == (Tone.GOOD, "Ready to apply", 3)
    text = everywhere(report)
    assert "planned 3 would be created" in text
    assert "+ would create" in text
    assert "servers were not looked at in this run" in text
    for claim in ("has no servers", "No server exists", "+ created", "3 created", "All good"):
        assert claim not in text
    assert not topology(report).empty, "the fleet file is drawn"
    assert "web-1 (not looked at)" in topology(report).words


@pytest.mark.parametrize("verb", ["up", "plan"])
def test_a_refusal_names_rule_and_subject_and_claims_no_change(verb: str) -> None:
    report = sample.refused(verb)
    assert sentence(report) == (
        "acme-demo: blocked by network.ssh-not-from-anywhere on resource-01 and 1 other finding; "
        "nothing was changed; the plan was 3 to create."
    )
    assert "created" not in everywhere(report).replace("would be created", "").replace("were created,", "")
    assert next_steps(report)[-1].command.startswith("steward plan ")


def test_what_a_broken_off_provision_made_is_not_known_unless_it_says() -> None:
    silent = sample.broken_off()
    assert not silent.changes_known
    assert "provision failed after 3 s; what it changed is not known" in sentence(silent)
    assert "as they were" not in everywhere(silent)
    half = sample.broken_off(Provisioned(CREATED[:1], 0, failure="disk full"))
    assert half.changes_known
    assert [change.name for change in half.changes] == ["web-1"]
    assert [change.name for change in half.planned] == ["web-2", "db-1"]


def test_nothing_touched_is_only_said_when_no_write_step_began() -> None:
    problem = InputError("acme-demo", "not running yet")
    early = built(RunResults(steps=[step("plan", 1.0)]), problem)
    assert (early.exit_code, early.findings[0].title) == (2, "not running yet")
    assert "nothing was touched, because acme-demo: not running yet" in sentence(early)
    late = built(RunResults(steps=[step("provision", 1.0, effect="write")]), problem)
    assert late.exit_code == 3
    assert "touched" not in everywhere(late)


@pytest.mark.parametrize("verb", ["up", "backup run", "backup status"])
def test_backups_that_were_left_out_are_counted_and_no_finding(verb: str) -> None:
    results = RunResults(
        preview=Preview((), 9, sample.policies()), outputs=outputs(), readiness=[Readiness("web-1", 1.0)],
        backups=[sample.backup("site", "web-1")],
    )  # fmt: skip
    report = built(results, verb=verb)
    assert (report.exit_code, report.findings, len(report.backups)) == (0, (), 3)
    left = [row for row in report.backups if not row.looked_at]
    assert {(row.plan, row.server) for row in left} == {("site", "web-2"), ("databases", "db-1")}
    assert all(row.verdict is Verdict.UNKNOWN and row.message == "not looked at in this run" for row in left)
    assert "1 of 3 backups looked at, inside RPO" in sentence(report)
    assert backups_note(report) == "1 of 3 looked at"
    assert tone(report) is not Tone.GOOD
    assert "every backup" not in everywhere(report)
    assert built(results, verb="verify").backups == (results.backups[0],)


def test_rules_times_subjects_is_only_claimed_where_every_pair_was_judged() -> None:
    report = sample.demo()
    assert policy_counts(report).complete
    twice = report.policies[0].model_copy(update={"subject": report.policies[1].subject})
    assert not policy_counts(report.model_copy(update={"policies": (twice, *report.policies[1:])})).complete


def test_a_half_failed_up_does_not_shrink_the_population() -> None:
    first = sample.policies()[0]
    later = first.model_copy(update={"state": "fail"})
    results = RunResults(
        preview=Preview((), 0, sample.policies()), provisioned=Provisioned((), 0, [later], failure="x")
    )
    assert len(results.policies()) == 230
    assert [result.state for result in results.policies() if result.state == "fail"] == ["fail"]


def test_a_run_whose_rules_gave_no_answer_is_not_good() -> None:
    report = sample.demo(policies=())
    assert (tone(report), headline(report)) == (Tone.UNKNOWN, "Policies not judged")
    text = everywhere(report)
    assert "policies: not judged" in text
    assert "policies not judged" in text, "the terminal's own line"
    assert "All good" not in text


def test_what_a_host_says_of_itself_is_told_as_its_own_word() -> None:
    text = everywhere(sample.failing())
    assert "by the host&#39;s own word (tables&#39; rows and /srv are not looked at)" in text
    assert "1 host as the last converge left it, by its own word" in text
    assert "Agreed to keep" in text
    assert "every check answered well" not in text


@pytest.mark.parametrize(
    ("report", "command"),
    [
        (sample.failing(), "steward up --fleet stacks/fleets/demo.yaml"),
        (sample.broken_off(), "steward up --fleet stacks/fleets/demo.yaml"),
        (sample.refused(), "steward plan --fleet stacks/fleets/demo.yaml"),
        (sample.planned(), "steward up --fleet stacks/fleets/demo.yaml"),
    ],
)
def test_a_verb_is_only_repeated_where_that_can_help(report: Report, command: str) -> None:
    assert next_steps(report)[-1].command == command
