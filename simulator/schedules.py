"""Schedules: one run in one weather, and what was broken afterwards. A seed is all it takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from simulator.calls import Call, Fate
from simulator.invariants import broken
from simulator.weather import Weather, drawn
from simulator.work import Plan
from simulator.world import World

RUN = "run-1"
UNITS = (3, 3, 3, 12)


@dataclass(frozen=True)
class Outcome:
    """`state` of the run at the end; `broken` lists the rules that were, as sentences."""

    seed: int
    state: str
    broken: tuple[str, ...]
    trace: tuple[str, ...]
    calls: tuple[str, ...]
    machines: int

    def describe(self, lines: int = 80) -> str:
        """For a person who has to find out why."""
        what = "\n".join(self.broken)
        return f"seed {self.seed}: {what}\n" + "\n".join(self.trace[-lines:])


def played(
    seed: int,
    weather: Weather | None = None,
    decide: Callable[[Call], Fate | None] | None = None,
    plan: Plan | None = None,
) -> Outcome:
    """The schedule of a seed, in its own weather and with its own work unless others are given."""
    if weather is None:
        weather, plan = drawn(seed), plan or Plan(units=UNITS[seed % len(UNITS)])
    world = World(seed, weather, decide, plan)
    world.submit(RUN)
    try:
        world.play()
        found = broken(world)
    except AssertionError as error:  # too many steps, a call from nowhere: broken as well
        found = [f"{type(error).__name__}: {error}"]
    return Outcome(
        seed=seed,
        state=world.state(RUN),
        broken=tuple(found),
        trace=tuple(world.trace),
        calls=tuple(world.calls),
        machines=len(world.instances()),
    )


class Once:
    """Gives one fate to the `number`-th call that processes of `kind` make in all, also when the
    run is over."""

    stays = True

    def __init__(self, kind: str, number: int, fate: Fate) -> None:
        self._kind, self._number, self._fate = kind, number, fate
        self._seen = 0
        self.struck: str | None = None

    def __call__(self, call: Call) -> Fate | None:
        if call.process.kind != self._kind:
            return None
        mine = self._seen == self._number
        self._seen += 1
        if not mine:
            return None
        self.struck = str(call)
        return self._fate
