"""A service that is away is waited for, as long as that makes sense and nothing stops it."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from porewatch.domain.errors import NotFound, StaleEpoch, Throttled, Unavailable
from porewatch_worker.instance import service_outages
from porewatch_worker.instance.service_outages import Patience
from porewatch_worker.stage.stop import Stop


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Time that passes by sleeping alone; all sleeps."""
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    monkeypatch.setattr(time, "monotonic", lambda: sum(slept))
    return slept


def away(until: float, clock: list[float], error: Exception) -> Callable[[], str]:
    def call() -> str:
        if sum(clock) < until:
            raise error
        return "there"

    return call


@pytest.mark.parametrize("error", [Unavailable("no"), Throttled("slow down")], ids=repr)
def test_an_hour_is_waited_for_and_logged_all_the_while(
    clock: list[float], error: Exception
) -> None:
    waits = Patience(Stop())
    seen: list[bool] = []

    def call() -> str:
        seen.append(waits.waiting)
        return away(3600, clock, error)()

    assert waits(call) == "there"
    assert (seen[0], set(seen[1:]), waits.waiting) == (False, {True}, False)
    assert 60 < waits.tries < 80
    assert 3600 <= sum(clock) <= 3600 + service_outages.MOST_S


def test_for_ever_is_not(clock: list[float]) -> None:
    with pytest.raises(Unavailable, match="no"):
        Patience(Stop())(away(1e9, clock, Unavailable("no")))
    assert (
        service_outages.LONGEST_S
        <= sum(clock)
        <= service_outages.LONGEST_S + service_outages.MOST_S
    )


def test_a_call_within_a_call_waits_no_longer(clock: list[float]) -> None:
    waits = Patience(Stop())
    with pytest.raises(Unavailable, match="no"):
        waits(lambda: waits(away(1e9, clock, Unavailable("no"))))
    assert sum(clock) <= service_outages.LONGEST_S + service_outages.MOST_S


def test_who_is_to_leave_does_not_wait(clock: list[float]) -> None:
    stop = Stop()

    def call() -> str:
        if len(clock) == 3:
            stop.request("spot notice")
        raise Unavailable("no")

    with pytest.raises(Unavailable):
        Patience(stop)(call)
    assert len(clock) == 3


def test_who_has_lost_the_stage_leaves_as_such(clock: list[float]) -> None:
    stop = Stop()

    def call() -> str:
        stop.fence("another epoch")
        raise Unavailable("no")

    with pytest.raises(StaleEpoch):
        Patience(stop)(call)
    assert clock == []


def test_what_time_does_not_cure_is_raised_at_once(clock: list[float]) -> None:
    with pytest.raises(NotFound):
        Patience(Stop())(away(1e9, clock, NotFound("no such key")))
    assert clock == []
