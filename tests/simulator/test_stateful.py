"""Hypothesis looks for the shortest story in which a rule is broken: it chooses what happens and
when, and shortens what it finds."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from simulator.calls import Call, Fate
from simulator.invariants import broken
from simulator.machine import BROKEN, CLOUD, Box
from simulator.weather import CLEAR
from simulator.world import World

FUNCTIONS = (
    "phase_state_manager",
    "instance_launcher",
    "instance_monitor",
    "instance_terminator",
    "error_handler",
    "report_generator",
    "fact_publisher",
    "worker",
)
Fates = st.sampled_from([fate for fate in Fate if fate is not Fate.FINE])


class Story(RuleBasedStateMachine):
    """One run, and everything that may befall it."""

    def __init__(self) -> None:
        super().__init__()
        self.fates: dict[str, Fate] = {}
        self.world = World(seed=3, weather=CLEAR, decide=self._fate)
        self.stack = ExitStack()
        self.stack.enter_context(self.world.under_way())

    def _fate(self, call: Call) -> Fate | None:
        fate = self.fates.pop(call.process.kind, None)
        return Fate.FINE if fate is Fate.FREEZES and call.process.kind != "worker" else fate

    @initialize(runs=st.integers(1, 2))
    def begin(self, runs: int) -> None:
        for number in range(runs):
            self.world.submit(f"run-{number}")

    @rule(seconds=st.sampled_from((1, 10, 60, 300, 900)))
    def time_passes(self, seconds: int) -> None:
        self.world.advance(seconds)

    @rule(kind=st.sampled_from(FUNCTIONS), fate=Fates)
    def the_next_call_of(self, kind: str, fate: Fate) -> None:
        self.fates[kind] = fate

    def living(self) -> list[Box]:
        return [box for box in self.world.machines.boxes.values() if box.instance.living]

    @precondition(living)
    @rule(which=st.integers(0, 9), why=st.sampled_from((BROKEN, CLOUD)))
    def a_machine_dies(self, which: int, why: str) -> None:
        box = self.living()[which % len(self.living())]
        self.world.machines.end(box.instance, why, at_once=True)

    @precondition(living)
    @rule(which=st.integers(0, 9))
    def a_machine_gets_notice(self, which: int) -> None:
        self.world.machines.notice(self.living()[which % len(self.living())])

    @precondition(living)
    @rule(which=st.integers(0, 9), seconds=st.sampled_from((60.0, 600.0, 3600.0)))
    def a_machine_stands_still(self, which: int, seconds: float) -> None:
        box = self.living()[which % len(self.living())]
        self.world.scheduler.freeze(box.process, seconds)

    @rule(lost=st.sampled_from((0.0, 0.5)), double=st.sampled_from((0.0, 0.5)))
    def messages_fare(self, lost: float, double: float) -> None:
        self._weather(lost=lost, double=double)

    @rule(full=st.sampled_from(((), ("spot",), ("spot", "on-demand"))))
    def pools_are_full(self, full: tuple[str, ...]) -> None:
        self._weather(full=full, full_until=self.world.scheduler.now + 1800)

    def _weather(self, **changes: object) -> None:
        self.world.change(replace(self.world.weather, **changes))  # type: ignore[arg-type]

    def teardown(self) -> None:
        with self.stack:
            self.world.finish()
        found = broken(self.world)
        assert found == [], "\n".join([*found, *self.world.trace[-60:]])


TestStory = Story.TestCase
TestStory.settings = settings(
    max_examples=10,
    stateful_step_count=12,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
