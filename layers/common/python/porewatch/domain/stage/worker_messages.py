"""Messages of a worker to the control plane, over SQS: one closed union, discriminated by
`kind`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from porewatch.domain.base import Count, Finite, Model, Moment, Problem
from porewatch.domain.reasons.reason import BesideText
from porewatch.domain.runs import RunId
from porewatch.domain.stage.manifest import PhaseRecord
from porewatch.domain.stage.record import Progress


class _FromWorker(Model):
    run_id: RunId
    revision: Count
    stage: str
    epoch: Count
    instance_id: str
    user_id: Annotated[
        str, Field(description="`aws:userid` of the worker's credentials; older workers say none")
    ] = ""
    at: Moment


class Claimed(_FromWorker):
    kind: Literal["claimed"] = "claimed"


class Beat(_FromWorker):
    """Alive, and this far. At least every 60 s."""

    kind: Literal["beat"] = "beat"
    progress: Progress


class PhaseDone(_FromWorker):
    kind: Literal["phase_done"] = "phase_done"
    record: PhaseRecord


class Suspected(_FromWorker):
    """The totals so far meet the rule of a severe detection. Repeats are harmless."""

    kind: Literal["suspected"] = "suspected"
    sample: str
    code: str
    name: str
    severity: str
    reads: Count
    starts: Count | None = None
    breadth: Finite | None = None
    identity: Finite | None = None
    rule: str = ""
    why: BesideText = ()


class Published(_FromWorker):
    """Outputs and manifest lie below the worker's own prefix; `manifest_key` names the manifest, or
    the visible one of an earlier epoch. The control plane makes it visible."""

    kind: Literal["published"] = "published"
    manifest_key: str


class Interrupted(_FromWorker):
    """Spot notice: everything up to `last_checkpoint` is safe, the worker is leaving."""

    kind: Literal["interrupted"] = "interrupted"
    last_checkpoint: Count | None


class StageBroken(_FromWorker):
    """The stage cannot go on. `error` is a class name of `porewatch.domain.errors`."""

    kind: Literal["stage_broken"] = "stage_broken"
    error: str
    problem: Problem


WorkerMessage = Annotated[
    Claimed | Beat | PhaseDone | Suspected | Published | Interrupted | StageBroken,
    Field(discriminator="kind"),
]
WORKER_MESSAGE: TypeAdapter[WorkerMessage] = TypeAdapter(WorkerMessage)
