"""Calls of simulated functions are within the golden table, in bad weather as well."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.rights import Guard, golden
from tests.simulator.calls import Wire
from tests.simulator.scheduler import process
from tests.simulator.schedules import played
from tests.simulator.weather import CLEAR, Weather

SEEDS = (2, 9, 11)
NOT_OURS = {"worker"}
"""A worker's calls of S3 go through boto3's own transfers, which the simulator spells otherwise."""


@pytest.fixture
def guard(monkeypatch: pytest.MonkeyPatch) -> Iterator[Guard]:
    """Every call of a function is held to the table; what it needed is remembered."""
    held, call = Guard(), Wire.call

    def held_call(wire: Wire, service: str, name: str, /, *args: Any, **request: Any) -> Any:
        caller = process()
        if caller is not None and caller.kind in golden() and caller.kind not in NOT_OURS:
            operation = "".join(part.capitalize() for part in name.split("_"))
            held.check(caller.kind, service, operation, request)
        return call(wire, service, name, *args, **request)

    monkeypatch.setattr(Wire, "call", held_call)
    yield held


@pytest.mark.parametrize("weather", [CLEAR, None], ids=["clear", "drawn"])
def test_functions_ask_for_nothing_they_have_no_right_to(
    guard: Guard, weather: Weather | None
) -> None:
    for seed in SEEDS:
        outcome = played(seed, weather)
        assert outcome.broken == (), outcome.told()
    assert len(guard.used) >= 10
