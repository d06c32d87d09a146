"""Facts: what happened, past participle. Class name = detail-type = folder in `events/`.

A fact has a deterministic `fact_id`, so that telling it twice changes nothing. Facts leave the
house only through the ledger's stream (one publisher), with source `porewatch`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from porewatch.domain.base import Model, Moment, Problem
from porewatch.domain.calls.alarm_rule import Level
from porewatch.domain.calls.verdict import Verdict
from porewatch.domain.inputs.landing.answers import Treatment
from porewatch.domain.retention_record import Counts
from porewatch.domain.runs import RunId, RunState
from porewatch.domain.stage.phases import (
    Phase,
    PhaseRecord,
)

SOURCE = "porewatch"


class Fact(Model):
    """Common to all facts."""

    fact_id: str
    run_id: RunId
    revision: int = 0
    at: Moment


class FileValidated(Fact):
    """A file was checked to its last byte and can be used. `reads` is None when nobody could count
    them, `bases` for signal, which has none before it is called."""

    path: str
    size: int
    reads: int | None
    bases: int | None


class FileQuarantined(Fact):
    """A file cannot be used; it lies under `quarantine/`, and `problem` says why and what to do.
    `code`: InputRefused, NoReadsInside, ReaderCrashed or NotJudged."""

    path: str
    problem: Problem
    code: str = "InputRefused"
    quarantine_key: str


class ObjectAnswered(Fact):
    """What objects of one kind in this run are taken for, or why they are not understood; once a
    kind. `path` is the first of them; `act`: reads are missed unless somebody does something."""

    path: str
    kind: str
    verdict: Treatment
    problem: str
    remedy: str = ""
    act: bool = False


class RunSealed(Fact):
    """The manifest is here and fixes what the run is."""

    manifest_digest: str
    sealed_by: Literal["run.json", "final_summary", "bundle"]
    files: int
    samples: int


class RunStarted(Fact):
    """Every file of the manifest is sound and the execution was started, once."""

    execution_arn: str
    manifest_digest: str
    profile: str
    bundle: str
    samples: tuple[str, ...]


class RunRefused(Fact):
    """The input is at fault; nothing (more) is done for this run until it is sealed again."""

    problem: Problem


class LaunchRefused(Fact):
    """A rung of the capacity ladder gave no machine; `asked` says what it was, `then` what is
    tried next."""

    stage: str
    epoch: int
    rung: int
    executor: Literal["ec2", "batch"]
    purchase: Literal["spot", "on-demand"]
    error: str
    problem: Problem
    then: str
    asked: str = ""


class InstanceLaunched(Fact):
    """A machine was asked for and given, under this epoch."""

    stage: str
    epoch: int
    instance_id: str
    instance_type: str
    purchase: Literal["spot", "on-demand"]
    availability_zone: str


class StageClaimed(Fact):
    """The worker on that machine owns the epoch."""

    stage: str
    epoch: int
    instance_id: str


class PhaseCompleted(Fact):
    """A phase is done, or was skipped with its reason; counts and tools are in the record."""

    stage: str
    epoch: int
    record: PhaseRecord


class SpotInterrupted(Fact):
    """The machine is being taken away; everything up to the last checkpoint is safe."""

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
    """A stage could not go on; `will_retry` says whether it gets another machine, `then` when, or
    what helps."""

    stage: str
    epoch: int
    error: str
    problem: Problem
    will_retry: bool
    then: str = ""


class StageStalled(Fact):
    """The worker says that it lives, and nothing is done any more; nothing was ended yet."""

    stage: str
    epoch: int
    instance_id: str
    still_since: Moment
    units_done: int
    checkpoint: int | None


class InstanceTerminated(Fact):
    """A machine is gone and its seconds are on the bill."""

    stage: str
    epoch: int
    instance_id: str
    instance_type: str
    purchase: Literal["spot", "on-demand"]
    seconds: float
    cost_usd: float
    reason: str


class BudgetReached(Fact):
    """`threshold` percent of a budget are spent, or more: of the run's own or, where `month` is
    set, of the account's in that calendar month (the run is then the one whose machine crossed
    it). At 100 nothing further will be launched. Earlier versions warned at 100 only."""

    cost_usd: float
    budget_usd: float
    threshold: int = 100
    month: str | None = None


class PathogenSuspected(Fact):
    """The rule of a severe detection is met: over the reads so far, while the run goes on (level
    provisional), or by the final result without having been met before (final). It carries the
    evidence that met it."""

    sample: str
    code: str
    name: str
    severity: str
    reads: int
    level: Level = Level.PROVISIONAL
    starts: int | None = None
    breadth: float | None = None
    identity: float | None = None
    rule: str = ""


class AboutAlert(Fact):
    """Common to facts about an alert that was raised; `revision` is the alert's."""

    sample: str
    code: str
    name: str
    severity: str


class SuspicionConfirmed(AboutAlert):
    """The report holds what was alerted. `by_revision`: whose report; `outcome`: whether the
    sample's results are reportable; `alerted_reads`: what the alert rested on."""

    by_revision: int
    alerted_reads: int
    call: str
    rule: str
    outcome: str = ""


class SuspicionWithdrawn(AboutAlert):
    """The report does not hold what was alerted: its call and rule say what changed."""

    by_revision: int
    alerted_reads: int
    call: str
    rule: str
    outcome: str = ""


class SuspicionUnconfirmed(AboutAlert):
    """The run ended without a report: the suspicion stands, neither confirmed nor withdrawn."""

    alerted_reads: int
    problem: Problem


class AlertAcknowledged(AboutAlert):
    """A person has seen the alert; `note` says what was decided."""

    by: str
    note: str


class AlertEscalated(AboutAlert):
    """Nobody acknowledged a critical alert in time: it goes to the escalation address, for the
    `number`-th time."""

    number: int
    raised_at: Moment
    verdict: str
    alerted_reads: int


class RunCompleted(Fact):
    """The reports are published. `projection_key`: what the registry shows of the run, in the
    reports bucket. In facts of earlier versions `verdict` is None and `projection_key` empty."""

    findings: int
    verdict: Verdict | None = None
    cost_usd: float
    report_keys: dict[str, str]
    projection_key: str = ""


class RunFailed(Fact):
    """The run has ended without a report, by our fault or the world's."""

    stage: str | None
    error: str
    problem: Problem


class RunCancelled(Fact):
    """A person stopped the run; `was` says what it was doing. What its stages had saved stays."""

    was: RunState
    by: str
    reason: str
    problem: Problem


class RunStands(Fact):
    """A run that has not started waits longer than it should: files came and nothing more comes, or
    it is sealed and files are not checked. Nothing is done about it."""

    clock: Literal["receiving", "sealed"]
    since: Moment
    files: Annotated[
        tuple[str, ...], Field(description="sealed: the first of those that are not checked")
    ] = ()
    count: Annotated[
        int, Field(ge=0, description="sealed: of those; receiving: of files checked so far")
    ] = 0


class RunHeld(Fact):
    """A person put the run under legal hold: nothing of it may be deleted."""

    by: str
    reason: str


class HoldReleased(Fact):
    """A person ended the legal hold that `held_by` had put on the run."""

    by: str
    reason: str
    held_since: Moment
    held_by: str


class RunDeleted(Fact):
    """All data of the run are gone, in all its revisions; a record of it stays. `was`: its state
    before; `counts`: how much it was."""

    by: str
    reason: str
    was: RunState
    counts: Counts


FACTS: dict[str, type[Fact]] = {
    cls.__name__: cls
    for cls in (
        FileValidated,
        FileQuarantined,
        ObjectAnswered,
        RunSealed,
        RunStarted,
        RunRefused,
        LaunchRefused,
        InstanceLaunched,
        StageClaimed,
        PhaseCompleted,
        SpotInterrupted,
        StageCompleted,
        StageFailed,
        StageStalled,
        InstanceTerminated,
        BudgetReached,
        PathogenSuspected,
        SuspicionConfirmed,
        SuspicionWithdrawn,
        SuspicionUnconfirmed,
        AlertAcknowledged,
        AlertEscalated,
        RunCompleted,
        RunFailed,
        RunCancelled,
        RunStands,
        RunHeld,
        HoldReleased,
        RunDeleted,
    )
}
