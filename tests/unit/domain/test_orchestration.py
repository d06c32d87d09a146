"""What a run costs besides its machines, from counts and prices."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from porewatch.compute.price_table import price_list
from porewatch.domain.forecast.service_usage import (
    PER_BEAT,
    PER_EPOCH,
    Activity,
    Use,
    files_line,
    orchestration_line,
    price_of,
    used,
)

STATES: dict[str, Any] = json.loads(
    (Path(__file__).parents[3] / "statemachine/screen_run.asl.json").read_text()
)["States"]
SERVICES = price_list().services
NIGHT = Activity(stages=3, epochs=3, beats=11 * 60, checkpoints=44, facts=25, files=1, bytes=10**9)
"""The default profile with basecalling, eleven hours of machines: twelve cost 0.0052 USD."""


def steps(choices: dict[str, list[str]]) -> list[str]:
    """The states of an execution that takes these ways at its choices, one after another."""
    state, path = "PlanRun", ["PlanRun"]
    while True:
        left = choices.get(state, [])
        following = left.pop(0) if left else STATES[state].get("Next")
        if following is None:
            return path
        ways = json.dumps(STATES[state])
        assert f'"{following}"' in ways, f"there is no way from {state} to {following}"
        state = following
        path.append(state)


def test_the_transitions_are_those_of_the_state_machine() -> None:
    clean = steps(
        {
            "PickStage": ["OpenStage"] * 3 + ["AggregateResults"],
            "SkipPublishedStage": ["LaunchInstance"] * 3,
            "ChooseNextStep": ["CloseStage"] * 3,
        }
    )
    assert used(Activity(stages=3, epochs=3)).transitions == len(clean) <= 50


def test_interruptions_and_retries_take_their_transitions_too() -> None:
    rough = steps(
        {
            "PickStage": ["OpenStage", "AggregateResults"],
            "SkipPublishedStage": ["LaunchInstance"] * 3,
            "ChooseNextStep": ["OpenStage", "HandleError", "CloseStage"],
            "ObeyDecision": ["WaitBeforeRetry"],
        }
    )
    assert used(Activity(stages=1, epochs=3, retries=1)).transitions == len(rough)


def test_a_night_of_the_default_profile_costs_at_most_half_a_cent_to_direct() -> None:
    line = orchestration_line(NIGHT, SERVICES)
    assert 0.001 < line.usd <= 0.005
    assert "28 transitions" in line.detail


def test_directing_costs_less_than_a_thousandth_of_the_machines_it_directs() -> None:
    machines = price_list().usd("m5.2xlarge", "spot", 12 * 3600)
    assert orchestration_line(NIGHT, SERVICES).usd < machines / 100


def test_every_service_that_is_used_is_paid() -> None:
    for service in Use._fields:
        assert price_of(Use(**{service: 1_000_000}), SERVICES) > 0, service


def test_an_interruption_costs_an_epoch_more() -> None:
    one_more = NIGHT.model_copy(update={"epochs": 4})
    difference = (
        orchestration_line(one_more, SERVICES).usd - orchestration_line(NIGHT, SERVICES).usd
    )
    assert difference == pytest.approx(price_of(PER_EPOCH, SERVICES), abs=2e-6)


def test_a_beat_is_relayed_and_paid() -> None:
    assert 1e-6 < price_of(PER_BEAT, SERVICES) < 6e-6


def test_files_cost_their_check_and_a_month_of_keeping() -> None:
    line = files_line(NIGHT, SERVICES)
    assert line.usd == pytest.approx(10**9 / 2**30 * 0.023, rel=0.05)
    assert line.usd > 10**9 / 2**30 * 0.023
