"""The step in which rules speak, wherever a pipeline knows enough to ask them."""

from __future__ import annotations

from functools import partial

from orchestrator.adapters import Adapters
from orchestrator.phases import judge as judge_phase
from orchestrator.pipelines.step import Step, Steps
from orchestrator.ports.policies import Judgement
from orchestrator.results import RunResults
from policies.model import Phase


def judge_steps(adapters: Adapters, results: RunResults, phase: Phase) -> Steps:
    """Judge what is known so far; the last judgement of a run is the one it is reported with."""
    fleet = adapters.target.loaded.fleet
    act = partial(judge_phase.judge, adapters.judge, results, phase, fleet, adapters.prices)
    results.judgement = yield Step("judge", phase.value, "read", act, judge_phase.summary)


def judgement(results: RunResults) -> Judgement:
    """What `judge_steps` found."""
    assert results.judgement is not None  # noqa: S101  # it ends in a judgement or an error
    return results.judgement
