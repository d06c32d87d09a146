"""Facts: what happened, past participle. Class name = detail-type = folder in `events/`.

A fact has a deterministic `fact_id`, so that telling it twice changes nothing. Facts leave the
house only through the ledger's stream (one publisher), with source `porewatch`.
"""

from __future__ import annotations

from typing import Literal

from porewatch.domain.base import Model, Moment
from porewatch.domain.phases import Phase, PhaseRecord
from porewatch.domain.runs import RunId

SOURCE = "porewatch"


class Fact(Model):
    """Common to all facts."""

    fact_id: str
    run_id: RunId
    revision: int = 0
    at: Moment


class FileValidated(Fact):
    path: str
    size: int
    reads: int
    bases: int


class FileQuarantined(Fact):
    path: str
    problem: str
    quarantine_key: str


class RunSealed(Fact):
    manifest_digest: str
    sealed_by: Literal["run.json", "final_summary", "bundle"]
    files: int
    samples: int


class RunStarted(Fact):
    execution_arn: str
    manifest_digest: str
    profile: str
    bundle: str
    samples: tuple[str, ...]


class RunRefused(Fact):
    problem: str


class InstanceLaunched(Fact):
    stage: str
    epoch: int
    instance_id: str
    instance_type: str
    purchase: Literal["spot", "on-demand"]
    availability_zone: str


class StageClaimed(Fact):
    stage: str
    epoch: int
    instance_id: str


class PhaseCompleted(Fact):
    stage: str
    epoch: int
    record: PhaseRecord


class SpotInterrupted(Fact):
    stage: str
    epoch: int
    instance_id: str
    last_checkpoint: int | None


class StageCompleted(Fact):
    stage: str
    epoch: int
    manifest_key: str
    phases: tuple[Phase, ...]


class StageFailed(Fact):
    stage: str
    epoch: int
    error: str
    problem: str
    will_retry: bool


class InstanceTerminated(Fact):
    stage: str
    epoch: int
    instance_id: str
    instance_type: str
    purchase: Literal["spot", "on-demand"]
    seconds: float
    cost_usd: float
    reason: str


class BudgetReached(Fact):
    """The run has cost its whole budget; nothing further will be launched for it."""

    cost_usd: float
    budget_usd: float


class PathogenSuspected(Fact):
    """Sent from inside the detection phase, on partial results: before the run ends."""

    sample: str
    code: str
    name: str
    severity: str
    reads: int


class RunCompleted(Fact):
    findings: int
    cost_usd: float
    report_keys: dict[str, str]


class RunFailed(Fact):
    stage: str | None
    error: str
    problem: str


FACTS: dict[str, type[Fact]] = {
    cls.__name__: cls
    for cls in (
        FileValidated,
        FileQuarantined,
        RunSealed,
        RunStarted,
        RunRefused,
        InstanceLaunched,
        StageClaimed,
        PhaseCompleted,
        SpotInterrupted,
        StageCompleted,
        StageFailed,
        InstanceTerminated,
        BudgetReached,
        PathogenSuspected,
        RunCompleted,
        RunFailed,
    )
}
