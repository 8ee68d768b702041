"""The text is for people: what blocks first and in full, the rest a line a rule, no wider than the window."""

from __future__ import annotations

import pytest

from orchestrator.reporting.policy.text import to_text
from tests.unit.reporting.policy.sample import green, large, refused


@pytest.mark.parametrize("width", [40, 80, 120])
def test_lines_fit_the_window(width: int) -> None:
    for report in (refused(), green(), large(100, 60)):
        wide = [line for line in to_text(report, width).splitlines() if len(line) > width]
        assert wide == []


def test_what_blocks_comes_first_and_says_how_to_mend_it() -> None:
    text = to_text(refused())
    blocking, _, rest = text.partition("\nDoes not block:\n")
    assert blocking.startswith("Refused: ")
    assert ", blocks: " in blocking
    assert "\n    fix       " in blocking
    assert ", blocks: " not in rest
    assert "pairs: " in rest


def test_many_findings_of_a_rule_take_few_lines() -> None:
    text = to_text(large(100, 1_000))
    assert len(text.splitlines()) < 140
    assert " more: " in text
    assert "more rules" in text


def test_the_next_step_is_a_command_that_can_be_copied() -> None:
    *_, head, command = to_text(refused(), 40, "out/policy report.json").splitlines()
    assert head == "next:"
    assert command.startswith("  steward policy explain ")
    assert command.endswith(" --report 'out/policy report.json'")
    assert "next: judge again with --output DIR" in to_text(refused())
    assert "next" not in to_text(green())


def test_exceptions_in_force_are_named_with_their_approver_and_their_end() -> None:
    lines = " ".join(to_text(refused(), 200).splitlines())
    said = "waiver W-7: network.ssh-not-public, excuses 1 pair, approved by uwe@acme.example, 25 days left"
    assert said in lines
    assert "W-3" not in lines, "what is not in force excuses nothing"
    many = refused().waivers[0]
    report = refused().model_copy(
        update={"waivers": tuple(many.model_copy(update={"id": f"W-{n}", "days_left": n}) for n in range(9))}
    )
    told = [line for line in to_text(report, 200).splitlines() if line.startswith(("waiver ", "and "))]
    assert [line.split(":")[0] for line in told] == [
        *(f"waiver W-{n}" for n in range(5)),
        "and 4 more waivers in force, which end later",
    ]
