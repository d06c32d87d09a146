"""How an epoch of a stage ends: published, interrupted, failed or given up; and what then.

Pure rules like those of `stages`: the record as it stands in, the record as it should stand and its
facts out, None when the epoch has ended already.
"""

from __future__ import annotations

from datetime import datetime

from porewatch.domain.errors import DiskFull, NotShownYet
from porewatch.domain.facts.stage_facts import SpotInterrupted, StageCompleted, StageFailed
from porewatch.domain.reasons.reason import Reason, Reasons, RunCode, because, coded, text_of
from porewatch.domain.rules import fencing
from porewatch.domain.rules.fencing import Move
from porewatch.domain.rules.stage_lifecycle import ENDED
from porewatch.domain.stage.manifest import StageManifest
from porewatch.domain.stage.record import Progress, StageRecord, StageState
from porewatch.domain.stage.retry_policy import (
    Decision,
    Kind,
    decide,
    kind_of,
)


def publish(record: StageRecord, manifest: StageManifest, manifest_key: str, at: datetime) -> Move:
    """The manifest is visible: the stage is done, whichever epoch wrote it."""
    if record.state is StageState.PUBLISHED:
        return None
    after = fencing.moved(record, at, state=StageState.PUBLISHED, error=None, problem=None, why=())
    fact = StageCompleted(
        fact_id=StageCompleted.id_of(*record.key),
        **{**fencing.about(record, at), "epoch": manifest.epoch},
        manifest_key=manifest_key,
        phases=tuple(done.phase for done in manifest.phases),
    )
    return after, (fact,)


def interrupt(
    record: StageRecord,
    epoch: int,
    instance_id: str,
    last_checkpoint: int | None,
    at: datetime,
) -> Move:
    """The machine is being taken back. Does not count as an error."""
    record = fencing.mine(record, epoch, instance_id)
    if record.state in ENDED:
        return None
    pool = f"{record.instance_type}@{record.availability_zone}"
    known = record.instance_type is not None and pool not in record.reclaimed
    why = because(RunCode.MACHINE_RECLAIMED, name=instance_id)
    after = fencing.moved(
        record,
        at,
        state=StageState.INTERRUPTED,
        interruptions=record.interruptions + 1,
        blameless=(*record.blameless, record.epoch),
        error="SpotInterrupted",
        problem=why.text(),
        why=(why,),
        reclaimed=(*record.reclaimed, pool) if known else record.reclaimed,
        progress=_flushed(record, last_checkpoint, at),
    )
    fact = SpotInterrupted(
        fact_id=SpotInterrupted.id_of(*record.key, epoch),
        **fencing.about(record, at),
        instance_id=instance_id,
        last_checkpoint=last_checkpoint,
    )
    return after, (fact,)


def _flushed(record: StageRecord, checkpoint: int | None, at: datetime) -> Progress | None:
    """Progress when an instance ends: a checkpoint that no heartbeat reported was written just now,
    and the progress before it is kept."""
    known = record.progress.checkpoint if record.progress else None
    if checkpoint is None or checkpoint == known:
        return record.progress
    progress = record.progress or Progress(phase=record.phases[0])
    return progress.model_copy(update={"checkpoint": checkpoint, "checkpoint_at": at})


def fail(
    record: StageRecord,
    epoch: int,
    error: str,
    problem: str | Reason,
    at: datetime,
    *,
    instance_id: str | None = None,
    why: Reasons = (),
) -> Move:
    """The epoch ended badly; `error` is a class name of `domain.errors`. Counts by its kind.
    `why`: a problem that is a text, by code.

    `instance_id` when a machine says so itself: then it must be the epoch's.
    """
    record = (
        fencing.mine(record, epoch, instance_id) if instance_id else fencing.current(record, epoch)
    )
    if record.state in ENDED:
        return None
    waited = kind_of(error) is Kind.WAIT
    full = error == DiskFull.__name__
    after = fencing.moved(
        record,
        at,
        state=StageState.FAILED,
        errors=record.errors + (not waited),
        waits=record.waits + waited,
        deploy_waits=record.deploy_waits + (error == NotShownYet.__name__),
        full_disks=record.full_disks + full,
        full_hosts=record.full_hosts + (full and record.executor == "batch"),
        blameless=(*record.blameless, record.epoch) if waited or full else record.blameless,
        reclaimed=_shunned(record, error),
        error=error,
        problem=text_of(problem),
        why=why or coded(problem),
    )
    decision = next_step(after)
    fact = StageFailed(
        fact_id=StageFailed.id_of(*record.key, epoch),
        **fencing.about(record, at),
        error=error,
        problem=text_of(problem),
        will_retry=decision.retry,
        then=decision.reason,
        why=after.why,
        next=(decision.why,),
    )
    return after, (fact,)


def _shunned(record: StageRecord, error: str) -> tuple[str, ...]:
    """Pools to stay away from. A Batch queue that gave a job no computer in time is one."""
    pool = f"{record.instance_type}@{record.availability_zone}"
    in_vain = record.executor == "batch" and error == "CapacityUnavailable"
    known = not in_vain or pool in record.reclaimed
    return record.reclaimed if known else (*record.reclaimed, pool)


def abandon(record: StageRecord, epoch: int, problem: str, at: datetime) -> Move:
    """The state machine no longer waits for this stage: its worker is fenced, with no retry."""
    record = fencing.current(record, epoch)
    if record.state in ENDED:
        return None
    after = fencing.moved(
        record,
        at,
        state=StageState.FAILED,
        error="WorkerFailed",
        problem=problem,
        why=(),
        task_token=None,
    )
    fact = StageFailed(
        fact_id=StageFailed.id_of(*record.key, epoch),
        **fencing.about(record, at),
        error="WorkerFailed",
        problem=problem,
        will_retry=False,
    )
    return after, (fact,)


def next_step(record: StageRecord) -> Decision:
    """What is to be done about a stage whose epoch ended, from its own counters. Waits for capacity
    do not use up the few there are for a deploy."""
    for_a_deploy = record.error == NotShownYet.__name__
    return decide(
        record.error or "",
        errors_so_far=record.errors,
        waits=record.deploy_waits if for_a_deploy else record.waits,
        interruptions=record.interruptions,
        seed=f"{record.run_id}:{record.revision}:{record.stage}:{record.epoch}",
    )
