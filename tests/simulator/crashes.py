"""One crash at a time: the process dies right before, or right after, one call of AWS. Everything
is delivered again as AWS would, and the run has to end well all the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cache

from tests.simulator.calls import Call, Fate
from tests.simulator.scheduler import Process
from tests.simulator.schedules import Once, Outcome, played
from tests.simulator.weather import CLEAR

FATES = (Fate.DIES_BEFORE, Fate.DIES_AFTER)
SEED = 1
STANDS_S = 1000.0
Crash = tuple[str, int, Fate]


@cache
def every_call() -> tuple[tuple[str, int], ...]:
    """(kind of process, number of the call among all calls of that kind) of a clean run, up to the
    end of the run: sweeps of an empty house are left out."""
    return tuple(_calls())


def _calls() -> Iterator[tuple[str, int]]:
    calls = Counter(call.split()[0] for call in played(SEED, CLEAR).calls)
    calls["instance_monitor"] = min(calls["instance_monitor"], 120)
    for kind, times in sorted(calls.items()):
        yield from ((kind, number) for number in range(times))


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


def zombies() -> Iterator[Outcome]:
    """One schedule for each writing of a worker."""
    return (played(SEED, CLEAR, Zombie(number)) for number in range(1, 10))


def crashes(planned: Crash) -> tuple[str, Outcome]:
    """What was struck, and how it ended."""
    once = Once(*planned)
    outcome = played(SEED, CLEAR, once)
    return once.struck or f"nothing at {planned}", outcome
