"""Facts about stages, their instances and what these cost."""

from __future__ import annotations

from typing import Literal

from porewatch.domain.base import Moment, Problem
from porewatch.domain.facts.fact import Fact
from porewatch.domain.reasons.reason import BesideText
from porewatch.domain.stage.manifest import PhaseRecord
from porewatch.domain.stage.spec import Phase


class LaunchRefused(Fact):
    """A rung of the capacity ladder gave no instance; `asked` says what it was, `then` what is
    tried next. `rung_why`, `why` and `next` have `asked`, `problem` and `then` by code."""

    stage: str
    epoch: int
    rung: int
    executor: Literal["ec2", "batch"]
    purchase: Literal["spot", "on-demand"]
    error: str
    problem: Problem
    then: str
    asked: str = ""
    why: BesideText = ()
    next: BesideText = ()
    rung_why: BesideText = ()


class InstanceLaunched(Fact):
    """An instance was launched under this epoch."""

    stage: str
    epoch: int
    instance_id: str
    instance_type: str
    purchase: Literal["spot", "on-demand"]
    availability_zone: str


class StageClaimed(Fact):
    """The worker on that instance owns the epoch."""

    stage: str
    epoch: int
    instance_id: str


class PhaseCompleted(Fact):
    """A phase is done, or was skipped with its reason; counts and tools are in the record."""

    stage: str
    epoch: int
    record: PhaseRecord


class SpotInterrupted(Fact):
    """The instance is being interrupted; work up to the last checkpoint is safe."""

    stage: str
    epoch: int
    instance_id: str
    last_checkpoint: int | None


class StageCompleted(Fact):
    """The results of a stage are visible through its manifest."""

    stage: str
    epoch: int
    manifest_key: str
    phases: tuple[Phase, ...]


class StageFailed(Fact):
    """An attempt of a stage failed; `will_retry` says whether it gets another instance, `then`
    when, or what helps. `why` and `next` have `problem` and `then` by code."""

    stage: str
    epoch: int
    error: str
    problem: Problem
    will_retry: bool
    then: str = ""
    why: BesideText = ()
    next: BesideText = ()


class StageStalled(Fact):
    """The worker sends heartbeats without progress; it was not terminated yet."""

    stage: str
    epoch: int
    instance_id: str
    still_since: Moment
    units_done: int
    checkpoint: int | None


class InstanceTerminated(Fact):
    """An instance was terminated and its seconds are on the bill. `why` has `reason` by code."""

    stage: str
    epoch: int
    instance_id: str
    instance_type: str
    purchase: Literal["spot", "on-demand"]
    seconds: float
    cost_usd: float
    reason: str
    why: BesideText = ()


class BudgetReached(Fact):
    """`threshold` percent of a budget are spent, or more: of the run's own or, where `month` is
    set, of the account's in that calendar month (the run is then the one whose machine crossed
    it). At 100 nothing further will be launched. Earlier versions warned at 100 only."""

    cost_usd: float
    budget_usd: float
    threshold: int = 100
    month: str | None = None
