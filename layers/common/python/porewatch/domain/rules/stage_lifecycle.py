"""How a stage moves until it ends. Pure rules; `adapters.ledger.stages` stores their result.

    open -> launched -> claimed -> published | interrupted | failed;  from the last two: open again

Every rule takes the record as it stands and answers the record as it should stand with its facts,
or None when nothing is to be done. A message of an old epoch gets StaleEpoch (`fencing`); the
ways to end are `stage_endings`. Within one epoch nothing moves backwards, in whatever order and
however often messages come. One rule overrides epochs: a published manifest is the truth, of
whichever epoch it is. Only the control plane publishes one (`stage.manifest`).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from porewatch.domain.errors import Conflict, StaleEpoch
from porewatch.domain.facts.stage_facts import (
    InstanceLaunched,
    StageClaimed,
    StageStalled,
)
from porewatch.domain.rules import fencing
from porewatch.domain.rules.fencing import Move
from porewatch.domain.stage.instances import Machine
from porewatch.domain.stage.record import Progress, StageKey, StageRecord, StageState
from porewatch.domain.stage.spec import StageSpec

ENDED = frozenset({StageState.PUBLISHED, StageState.INTERRUPTED, StageState.FAILED})
HEARD_NOTHING: dict[str, Any] = {
    **dict.fromkeys(("heard_at", "heard_beat", "silent_at")),
    "silent_sweeps": 0,
}
BY_THE_WORKERS_CLOCK = ("claimed_at", "last_beat", "progress_at", "updated_at")
"""A worker claims its stage itself, and writes its heartbeat itself when the relay fails."""


def watched(record: StageRecord) -> bool:
    """True while it must be monitored: not ended, or ended and the state machine not yet
    notified."""
    return record.state not in ENDED or record.task_token is not None


def reopen(
    record: StageRecord | None,
    key: StageKey,
    spec: StageSpec,
    at: datetime,
    secret_of: Callable[[int], str] | None = None,
) -> Move:
    """Take the next epoch; earlier ones are fenced out from here on. A published stage stays.
    `secret_of`: digest of the secret of an epoch."""
    epoch = 1 if record is None else record.epoch + 1
    secret = secret_of(epoch) if secret_of else None
    if record is None:
        fresh = StageRecord(
            run_id=key.run_id,
            revision=key.revision,
            stage=key.stage,
            epoch=1,
            state=StageState.OPEN,
            phases=spec.phases,
            secret_sha256=secret,
            **_clocks(spec),
            updated_at=at,
        )
        return fresh, ()
    if record.state is StageState.PUBLISHED:
        return None
    cleared = dict.fromkeys(
        ("task_token", "instance_id", "user_id", "instance_type", "purchase", "availability_zone")
    )
    times: dict[str, Any] = dict.fromkeys(
        (
            *("launched_at", "claimed_at", "last_beat", "noted_at"),
            *("progress_at", "stalled_at", "reclaim_notice_at"),
        )
    )
    times |= HEARD_NOTHING
    kept = {"attempts": record.all_attempts, "secret_sha256": secret, **_clocks(spec)}
    none = {**cleared, **times, "error": None, "problem": None, "why": (), **kept}
    return fencing.moved(record, at, epoch=epoch, state=StageState.OPEN, **none), ()


def _clocks(spec: StageSpec) -> dict[str, int]:
    names = ("boot_deadline_s", "beat_timeout_s", "phase_deadline_s", "stall_after_s")
    return {name: getattr(spec, name) for name in names}


def launched(record: StageRecord, epoch: int, machine: Machine, at: datetime) -> Move:
    """A machine was got for this epoch. Conflict when another one already has it."""
    record = fencing.current(record, epoch)
    if record.instance_id not in (None, machine.instance_id):
        raise Conflict(
            f"stage {record.stage} of {record.run_id} epoch {epoch} already has "
            f"{record.instance_id}; {machine.instance_id} is one too many."
        )
    if record.launched_at is not None:
        return None
    after = fencing.moved(
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
        fact_id=InstanceLaunched.id_of(*record.key, epoch, machine.instance_id),
        **fencing.about(record, at),
        instance_id=machine.instance_id,
        instance_type=machine.instance_type,
        purchase=machine.purchase,
        availability_zone=machine.availability_zone,
    )
    return after, (fact,)


def claim(
    record: StageRecord,
    epoch: int,
    instance_id: str,
    at: datetime,
    user_id: str | None = None,
) -> Move:
    """The worker takes the stage. Again by the same machine is fine; by another is StaleEpoch.
    `user_id`: under which it writes; MessageRefused when that is another machine's."""
    record = fencing.mine(record, epoch, instance_id)
    fencing.refuse_user_of_another(record, instance_id, user_id)
    if record.state is StageState.CLAIMED:
        return None
    if record.state in ENDED:
        raise StaleEpoch(
            f"stage {record.stage} of {record.run_id} is {record.state.value} already."
        )
    heard = max(at, record.last_beat or at)  # a beat may have overtaken the claim
    after = fencing.moved(
        record,
        at,
        state=StageState.CLAIMED,
        instance_id=instance_id,
        user_id=user_id or record.user_id,
        claimed_at=at,
        progress_at=at,
        last_beat=heard,
        silent_sweeps=0,
    )
    fact = StageClaimed(
        fact_id=StageClaimed.id_of(*record.key, epoch),
        **fencing.about(record, at),
        instance_id=instance_id,
    )
    return after, (fact,)


def beat(
    record: StageRecord,
    epoch: int,
    instance_id: str,
    progress: Progress,
    at: datetime,
    *,
    heard: datetime | None = None,
) -> Move:
    """The worker is alive and this far, by its clock. Beats older than the last one, or late, are
    nothing. `heard`: now, by the control plane's clock; None when the worker writes this itself.
    Who waits for a service does not stand still."""
    record = fencing.mine(record, epoch, instance_id)
    late = record.last_beat is not None and at <= record.last_beat
    if late or record.state in ENDED:
        return None
    known = record.progress
    changes: dict[str, Any] = {"last_beat": at, "progress": progress}
    if heard is not None:
        changes |= {**HEARD_NOTHING, "heard_at": heard, "heard_beat": at}
    if known is None or known.mark() != progress.mark() or progress.waits_for_service:
        changes |= {"progress_at": at, "stalled_at": None}
    return fencing.moved(record, at, **changes), ()


def hear(record: StageRecord, epoch: int, at: datetime) -> Move:
    """A sweep found a heartbeat that the worker wrote to the ledger itself. It counts as received
    now, whatever its own time."""
    record = fencing.current(record, epoch)
    if record.last_beat == record.heard_beat:
        return None
    heard = {**HEARD_NOTHING, "heard_at": at, "heard_beat": record.last_beat}
    return record.model_copy(update=heard), ()


def count_silence(record: StageRecord, epoch: int, apart: timedelta, at: datetime) -> Move:
    """A sweep found the worker overdue. Words about one moment that come twice count once."""
    record = fencing.current(record, epoch)
    if record.state in ENDED or (record.silent_at and at - record.silent_at < apart):
        return None
    counted = {"silent_sweeps": record.silent_sweeps + 1, "silent_at": at}
    return record.model_copy(update=counted), ()


def set_back(record: StageRecord, epoch: int, at: datetime) -> Move:
    """Times that a worker wrote by a clock ahead of ours become the time we saw them first, or its
    death would be noticed later by as much."""
    record = fencing.current(record, epoch)
    times = {name: getattr(record, name) for name in BY_THE_WORKERS_CLOCK}
    late = {name: at for name, time in times.items() if time is not None and time > at}
    if "last_beat" in late and record.heard_beat == record.last_beat:
        late["heard_beat"] = at
    return (record.model_copy(update=late), ()) if late else None


def note_stall(record: StageRecord, epoch: int, at: datetime) -> Move:
    """The worker beats and nothing is done: a notice is sent, once for each time it stands."""
    record = fencing.current(record, epoch)
    since = record.progress_at
    if since is None or record.stalled_at is not None or record.state is not StageState.CLAIMED:
        return None
    fact = StageStalled(
        fact_id=StageStalled.id_of(*record.key, epoch, f"{since:%Y%m%dT%H%M%S}"),
        **fencing.about(record, at),
        instance_id=record.instance_id or "",
        still_since=since,
        units_done=record.progress.units_done if record.progress else 0,
        checkpoint=record.progress.checkpoint if record.progress else None,
    )
    return fencing.moved(record, at, stalled_at=at), (fact,)


def note_reclaim(record: StageRecord, epoch: int, at: datetime) -> Move:
    """The cloud says it will take the machine back."""
    record = fencing.current(record, epoch)
    if record.reclaim_notice_at is not None or record.state in ENDED:
        return None
    return fencing.moved(record, at, reclaim_notice_at=at), ()


def keep_token(record: StageRecord, epoch: int, token: str, at: datetime) -> Move:
    """The state machine waits, and this is how to answer it."""
    record = fencing.current(record, epoch)
    if record.task_token == token:
        return None
    return fencing.moved(record, at, task_token=token), ()


def forget_token(record: StageRecord, epoch: int, token: str, at: datetime) -> Move:
    """The state machine was answered. A newer token stays."""
    if record.epoch != epoch or record.task_token != token:
        return None
    return fencing.moved(record, at, task_token=None), ()
