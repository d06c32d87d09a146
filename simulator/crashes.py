"""One crash at a time: the process dies right before, or right after, one call of AWS. Everything
is delivered again as AWS would, and the run has to end well all the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cache

from simulator.calls import Call, Fate
from simulator.scheduler import Process
from simulator.schedules import Once, Outcome, played
from simulator.weather import CLEAR

SEED = 1
STANDS_S = 1000.0
GIVEN_UP_AFTER = 32
"""Launches of one epoch that die, retries of the queue and of the state machine included, before
the next epoch is opened."""
Crash = tuple[str, int, Fate]


@cache
def every_call() -> tuple[Crash, ...]:
    """A crash after every call of a clean run, and before the first one of every process: before
    a later one is after the one that came before it."""
    return tuple(_crashes())


def _crashes() -> Iterator[Crash]:
    seen = Counter[str]()
    for call in played(SEED, CLEAR).calls:
        kind, number, _ = call.split()
        if number == "0":
            yield kind, seen[kind], Fate.DIES_BEFORE
        yield kind, seen[kind], Fate.DIES_AFTER
        seen[kind] += 1


class Zombie:
    """The first worker stands still at its `number`-th writing to S3; nobody can end its machine
    meanwhile, a successor does its work, and then it wakes up."""

    def __init__(self, number: int) -> None:
        self._number, self._seen = number, 0
        self._first: Process | None = None

    def __call__(self, call: Call) -> Fate | None:
        if call.name == "terminate_instances":
            return Fate.BROKEN
        if call.process.kind != "worker" or (call.service, call.name[:3]) != ("s3", "put"):
            return None
        self._first = self._first or call.process
        self._seen += call.process is self._first
        if call.process is self._first and self._seen == self._number:
            call.process.frozen_until = call.at + STANDS_S
            call.process.longest_freeze = STANDS_S
        return None


def launches_that_come_to_nothing() -> Iterator[Outcome]:
    """The launcher dies right before CreateFleet, until the epoch is given up: its
    money is reserved, and no machine ever comes."""
    left = iter(range(GIVEN_UP_AFTER))

    def decide(call: Call) -> Fate | None:
        dies = call.name == "create_fleet" and next(left, None) is not None
        return Fate.DIES_BEFORE if dies else None

    yield played(SEED, CLEAR, decide)


def zombies() -> Iterator[Outcome]:
    """One schedule for each writing of a worker."""
    return (played(SEED, CLEAR, Zombie(number)) for number in range(1, 15))


def crashes(planned: Crash) -> tuple[str, Outcome]:
    """What was struck, and how it ended."""
    once = Once(*planned)
    outcome = played(SEED, CLEAR, once)
    return once.struck or f"nothing at {planned}", outcome
