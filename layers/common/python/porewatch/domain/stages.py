"""How a stage moves. Pure rules; `adapters.stages` stores what they say.

    open -> launched -> claimed -> published | interrupted | failed;  from the last two: open again

Every rule takes the record as it stands and answers the record as it should stand with its facts,
or None when nothing is to be done. Whoever speaks for an old epoch gets StaleEpoch. Within one
epoch nothing moves backwards, in whatever order and however often messages come. One thing stands
above epochs: a published manifest is the truth, whoever wrote it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from porewatch.domain.decisions import Decision, Kind, decide, kind_of
from porewatch.domain.errors import Conflict, NotFound, StaleEpoch
from porewatch.domain.events import (
    Fact,
    InstanceLaunched,
    SpotInterrupted,
    StageClaimed,
    StageCompleted,
    StageFailed,
    StageStalled,
)
from porewatch.domain.launching import Machine
from porewatch.domain.phases import (
    Progress,
    StageKey,
    StageManifest,
    StageRecord,
    StageSpec,
    StageState,
)

Move = tuple[StageRecord, tuple[Fact, ...]] | None
Rule = Callable[[StageRecord | None], Move]

ENDED = frozenset({StageState.PUBLISHED, StageState.INTERRUPTED, StageState.FAILED})


def fact_about(kind: type[Fact], record: StageRecord, *rest: object) -> str:
    """The id of a fact about a stage: the same fact told twice has the same id."""
    parts = (kind.__name__, record.run_id, record.revision, record.stage, *rest)
    return ":".join(str(part) for part in parts)


def claim_id(key: StageKey, epoch: int) -> str:
    """The id of the fact that an epoch was claimed."""
    return ":".join((StageClaimed.__name__, *(str(part) for part in (*key, epoch))))


def watched(record: StageRecord) -> bool:
    """True while somebody must keep an eye on it: not ended, or ended and the state machine not
    told yet."""
    return record.state not in ENDED or record.task_token is not None


def reopen(record: StageRecord | None, key: StageKey, spec: StageSpec, at: datetime) -> Move:
    """Take the next epoch; earlier ones are fenced out from here on. A published stage stays."""
    if record is None:
        fresh = StageRecord(
            run_id=key.run_id,
            revision=key.revision,
            stage=key.stage,
            epoch=1,
            state=StageState.OPEN,
            phases=spec.phases,
            **_clocks(spec),
            updated_at=at,
        )
        return fresh, ()
    if record.state is StageState.PUBLISHED:
        return None
    cleared = dict.fromkeys(
        ("task_token", "instance_id", "instance_type", "purchase", "availability_zone")
    )
    times = dict.fromkeys(
        ("launched_at", "claimed_at", "last_beat", "progress_at", "stalled_at", "reclaim_notice_at")
    )
    none = {**cleared, **times, "error": None, "problem": None, **_clocks(spec)}
    return _moved(record, at, epoch=record.epoch + 1, state=StageState.OPEN, **none), ()


def _clocks(spec: StageSpec) -> dict[str, int]:
    names = ("boot_deadline_s", "beat_timeout_s", "phase_deadline_s", "stall_after_s")
    return {name: getattr(spec, name) for name in names}


def launched(record: StageRecord | None, epoch: int, machine: Machine, at: datetime) -> Move:
    """A machine was got for this epoch. Conflict when another one already has it."""
    record = _current(record, epoch)
    if record.instance_id not in (None, machine.instance_id):
        raise Conflict(
            f"stage {record.stage} of {record.run_id} epoch {epoch} already has "
            f"{record.instance_id}; {machine.instance_id} is one too many."
        )
    if record.launched_at is not None:
        return None
    after = _moved(
        record,
        at,
        state=StageState.LAUNCHED if record.state is StageState.OPEN else record.state,
        instance_id=machine.instance_id,
        instance_type=machine.instance_type,
        purchase=machine.purchase,
        availability_zone=machine.availability_zone,
        executor=machine.executor,
        launched_at=machine.launched_at,
        first_launched_at=record.first_launched_at or machine.launched_at,
    )
    fact = InstanceLaunched(
        fact_id=fact_about(InstanceLaunched, record, epoch, machine.instance_id),
        **_about(record, at),
        instance_id=machine.instance_id,
        instance_type=machine.instance_type,
        purchase=machine.purchase,
        availability_zone=machine.availability_zone,
    )
    return after, (fact,)


def claim(record: StageRecord | None, epoch: int, instance_id: str, at: datetime) -> Move:
    """The worker takes the stage. Again by the same machine is fine; by another is StaleEpoch."""
    record = _mine(record, epoch, instance_id)
    if record.state is StageState.CLAIMED:
        return None
    if record.state in ENDED:
        raise StaleEpoch(
            f"stage {record.stage} of {record.run_id} is {record.state.value} already."
        )
    heard = max(at, record.last_beat or at)  # a beat may have overtaken the claim
    after = _moved(
        record,
        at,
        state=StageState.CLAIMED,
        instance_id=instance_id,
        claimed_at=at,
        progress_at=at,
        last_beat=heard,
    )
    fact = StageClaimed(
        fact_id=fact_about(StageClaimed, record, epoch),
        **_about(record, at),
        instance_id=instance_id,
    )
    return after, (fact,)


def beat(
    record: StageRecord | None, epoch: int, instance_id: str, progress: Progress, at: datetime
) -> Move:
    """The worker is alive and this far. Beats older than the last one, or late, are nothing."""
    record = _mine(record, epoch, instance_id)
    late = record.last_beat is not None and at <= record.last_beat
    if late or record.state in ENDED:
        return None
    known = record.progress
    if known is not None and known.mark() == progress.mark():
        return _moved(record, at, last_beat=at, progress=progress), ()
    going = {"progress_at": at, "stalled_at": None}
    return _moved(record, at, last_beat=at, progress=progress, **going), ()


def stall(record: StageRecord | None, epoch: int, at: datetime) -> Move:
    """The worker beats and nothing is done: somebody is told, once for each time it stands."""
    record = _current(record, epoch)
    since = record.progress_at
    if since is None or record.stalled_at is not None or record.state is not StageState.CLAIMED:
        return None
    fact = StageStalled(
        fact_id=fact_about(StageStalled, record, epoch, f"{since:%Y%m%dT%H%M%S}"),
        **_about(record, at),
        instance_id=record.instance_id or "",
        still_since=since,
        units_done=record.progress.units_done if record.progress else 0,
        checkpoint=record.progress.checkpoint if record.progress else None,
    )
    return _moved(record, at, stalled_at=at), (fact,)


def notice(record: StageRecord | None, epoch: int, at: datetime) -> Move:
    """The cloud says it will take the machine back."""
    record = _current(record, epoch)
    if record.reclaim_notice_at is not None or record.state in ENDED:
        return None
    return _moved(record, at, reclaim_notice_at=at), ()


def publish(
    record: StageRecord | None, manifest: StageManifest, manifest_key: str, at: datetime
) -> Move:
    """The manifest is visible: the stage is done, whichever epoch wrote it."""
    record = _there(record)
    if record.state is StageState.PUBLISHED:
        return None
    after = _moved(record, at, state=StageState.PUBLISHED, error=None, problem=None)
    fact = StageCompleted(
        fact_id=fact_about(StageCompleted, record),
        **{**_about(record, at), "epoch": manifest.epoch},
        manifest_key=manifest_key,
        phases=tuple(done.phase for done in manifest.phases),
    )
    return after, (fact,)


def interrupt(
    record: StageRecord | None,
    epoch: int,
    instance_id: str,
    last_checkpoint: int | None,
    at: datetime,
) -> Move:
    """The machine is being taken back. Does not count as an error."""
    record = _mine(record, epoch, instance_id)
    if record.state in ENDED:
        return None
    pool = f"{record.instance_type}@{record.availability_zone}"
    known = record.instance_type is not None and pool not in record.reclaimed
    after = _moved(
        record,
        at,
        state=StageState.INTERRUPTED,
        interruptions=record.interruptions + 1,
        error="SpotInterrupted",
        problem=f"machine {instance_id} was reclaimed",
        reclaimed=(*record.reclaimed, pool) if known else record.reclaimed,
        progress=_flushed(record, last_checkpoint, at),
    )
    fact = SpotInterrupted(
        fact_id=fact_about(SpotInterrupted, record, epoch),
        **_about(record, at),
        instance_id=instance_id,
        last_checkpoint=last_checkpoint,
    )
    return after, (fact,)


def _flushed(record: StageRecord, checkpoint: int | None, at: datetime) -> Progress | None:
    """How far the stage is when a machine leaves: a checkpoint that no beat told of was written
    just now, and what was done before it is kept."""
    known = record.progress.checkpoint if record.progress else None
    if checkpoint is None or checkpoint == known:
        return record.progress
    told = record.progress or Progress(phase=record.phases[0])
    return told.model_copy(update={"checkpoint": checkpoint, "checkpoint_at": at})


def fail(
    record: StageRecord | None,
    epoch: int,
    error: str,
    problem: str,
    at: datetime,
    *,
    instance_id: str | None = None,
) -> Move:
    """The epoch ended badly; `error` is a class name of `domain.errors`. Counts by its kind.

    `instance_id` when a machine says so itself: then it must be the epoch's.
    """
    record = _mine(record, epoch, instance_id) if instance_id else _current(record, epoch)
    if record.state in ENDED:
        return None
    waited = kind_of(error) is Kind.WAIT
    after = _moved(
        record,
        at,
        state=StageState.FAILED,
        errors=record.errors + (not waited),
        waits=record.waits + waited,
        reclaimed=_shunned(record, error),
        error=error,
        problem=problem,
    )
    decision = next_step(after)
    fact = StageFailed(
        fact_id=fact_about(StageFailed, record, epoch),
        **_about(record, at),
        error=error,
        problem=problem,
        will_retry=decision.retry,
        then=decision.reason,
    )
    return after, (fact,)


def _shunned(record: StageRecord, error: str) -> tuple[str, ...]:
    """Pools to stay away from. A Batch queue that gave a job no computer in time is one."""
    pool = f"{record.instance_type}@{record.availability_zone}"
    in_vain = record.executor == "batch" and error == "CapacityUnavailable"
    known = not in_vain or pool in record.reclaimed
    return record.reclaimed if known else (*record.reclaimed, pool)


def abandon(record: StageRecord | None, epoch: int, problem: str, at: datetime) -> Move:
    """Nobody waits for this stage any more: its worker is fenced, and nothing is tried again."""
    record = _current(record, epoch)
    if record.state in ENDED:
        return None
    after = _moved(
        record,
        at,
        state=StageState.FAILED,
        error="WorkerFailed",
        problem=problem,
        task_token=None,
    )
    fact = StageFailed(
        fact_id=fact_about(StageFailed, record, epoch),
        **_about(record, at),
        error="WorkerFailed",
        problem=problem,
        will_retry=False,
    )
    return after, (fact,)


def next_step(record: StageRecord) -> Decision:
    """What is to be done about a stage whose epoch ended, from its own counters."""
    return decide(
        record.error or "",
        errors_so_far=record.errors,
        waits=record.waits,
        interruptions=record.interruptions,
        seed=f"{record.run_id}:{record.revision}:{record.stage}:{record.epoch}",
    )


def keep_token(record: StageRecord | None, epoch: int, token: str, at: datetime) -> Move:
    """The state machine waits, and this is how to answer it."""
    record = _current(record, epoch)
    if record.task_token == token:
        return None
    return _moved(record, at, task_token=token), ()


def forget_token(record: StageRecord | None, epoch: int, token: str, at: datetime) -> Move:
    """The state machine was answered. A newer token stays."""
    if record is None or record.epoch != epoch or record.task_token != token:
        return None
    return _moved(record, at, task_token=None), ()


def _there(record: StageRecord | None) -> StageRecord:
    if record is None:
        raise NotFound("the stage was never opened.")
    return record


def _current(record: StageRecord | None, epoch: int) -> StageRecord:
    record = _there(record)
    if record.epoch != epoch:
        raise StaleEpoch(
            f"epoch {epoch} of stage {record.stage} of {record.run_id} is over; "
            f"epoch {record.epoch} owns it now."
        )
    return record


def _mine(record: StageRecord | None, epoch: int, instance_id: str) -> StageRecord:
    record = _current(record, epoch)
    if record.instance_id not in (None, instance_id):
        raise StaleEpoch(
            f"epoch {epoch} of stage {record.stage} of {record.run_id} belongs to "
            f"{record.instance_id}, not to {instance_id}."
        )
    return record


def _about(record: StageRecord, at: datetime) -> dict[str, Any]:
    return {
        "run_id": record.run_id,
        "revision": record.revision,
        "at": at,
        "stage": record.stage,
        "epoch": record.epoch,
    }


def _moved(record: StageRecord, at: datetime, **changes: Any) -> StageRecord:
    later = max(record.updated_at, at)
    return record.model_copy(update={**changes, "updated_at": later})
