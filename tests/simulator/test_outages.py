"""A service that is away for an hour costs no run and no healthy machine; `make test-all`: each."""

from __future__ import annotations

import pytest

from simulator.outages import cost, every

FEW = [
    (("s3",), 60, 1),
    (("dynamodb",), 60, 1),
    (("lambda",), 30, 1),
    (("dynamodb", "sqs"), 10, 1),
]


def held(services: tuple[str, ...], minutes: int, schedules: int) -> None:
    found = cost(services, minutes, schedules)

    assert (found.failed, found.killed, found.broken) == (0, 0, ())
    assert found.machines == 2 * schedules


@pytest.mark.parametrize(("services", "minutes", "schedules"), FEW)
def test_it_is_waited_for(services: tuple[str, ...], minutes: int, schedules: int) -> None:
    held(services, minutes, schedules)


@pytest.mark.slow
@pytest.mark.parametrize(("services", "minutes"), list(every()))
def test_each_of_them_is_waited_for(services: tuple[str, ...], minutes: int) -> None:
    held(services, minutes, 2)
