"""Is the worker of a stage alive? ALIVE, DEAD or UNKNOWN, and UNKNOWN never leads to an action.

A job of AWS Batch that waits in its queue is ALIVE until the boot deadline; then there is no
capacity, and the stage goes on elsewhere.

DEAD needs two sources: the cloud shows the instance ending or gone, and nothing waits in the
queue to which its worker would have sent the reason (or it was silent for minutes); or the
instance has run for long, and the ledger shows no claim of the stage; or the worker is silent too
long, and nothing waits in the queue (or for half as long again). A worker whose heartbeats get lost
writes to the ledger itself before the deadline: so silence means that both paths failed.

Silence is measured from when a heartbeat was received, not by the worker's clock. And it counts
only when `SWEEPS` sweeps found the worker overdue and could write that into the ledger: while the
ledger was unavailable no heartbeat could arrive, and its return gives every worker that much time.

Three timers run for an instance: boot (launch to claim), heartbeat (one to the next), phase
(claim to end).
A worker that sends heartbeats without progress is stalled: first a notice is sent. It is given up
only when it has stalled for as long again (`stood_long`), and the bucket has no newer piece of its
work either.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from porewatch.domain.base import Model
from porewatch.domain.money.budget import Reservation
from porewatch.domain.reasons.reason import Code, Reason, Reasons, RunCode, because
from porewatch.domain.rules.stage_lifecycle import ENDED
from porewatch.domain.stage.instances import (
    Machine,
    MachineState,
)
from porewatch.domain.stage.record import StageRecord, StageState

LAST_WORDS = timedelta(seconds=30)
"""A worker that leaves says so first; its message may still be on the way."""
SHOWS_LATE = timedelta(minutes=5)
"""A new machine may be unknown to the cloud's lists for a while."""
REST = timedelta(minutes=10)
"""How long everything about a stage must have been still before a machine of it is forgotten."""


IN_VAIN = timedelta(hours=2)
"""How long money may be held for an epoch that is over. The clouds show ended machines for an hour:
until then the watch over machines settles it."""
AHEAD = timedelta(minutes=1)
"""A worker's time may be later than ours by a sweep, which keeps the time of its beginning."""
SWEEPS = 3
"""Sweeps that must have found a worker overdue, and have written that down, before it counts."""
APART = timedelta(seconds=30)
"""Sweeps that are nearer count as one."""
BUSY = 1.5
"""Times `beat_timeout_s` after which silence counts though the queue is never seen empty."""


class Life(StrEnum):
    ALIVE = "alive"
    DEAD = "dead"
    UNKNOWN = "unknown"


class LivenessVerdict(Model):
    """`error` (a class name of `domain.errors`) and `why` say why, when DEAD."""

    life: Life
    error: str = ""
    why: Reason | None = None
    stands: bool = False
    """It beats, and nothing has been done for long."""


ALIVE = LivenessVerdict(life=Life.ALIVE)
UNKNOWN = LivenessVerdict(life=Life.UNKNOWN)
STANDS = LivenessVerdict(life=Life.ALIVE, stands=True)


def ahead(record: StageRecord, at: datetime) -> bool:
    """Whether the worker has spoken by a clock that is ahead: such times are set back before
    any worker is judged by them (`domain.rules.stage_lifecycle.set_back`)."""
    heard = max(record.claimed_at or at, record.last_beat or at)
    return heard - at > AHEAD


def check_liveness(
    record: StageRecord, machine: Machine | None, queue_is_empty: bool | None, at: datetime
) -> LivenessVerdict:
    """`machine`: what the cloud shows for the record's machine, None when it shows nothing.
    `queue_is_empty`: None when that is not known."""
    launched = record.launched_at
    if record.instance_id is None or launched is None:
        return UNKNOWN
    quiet = _quiet(record, launched, at)
    if machine is None:
        gone = quiet > SHOWS_LATE
        return _lost(record, RunCode.MACHINE_UNKNOWN) if gone else UNKNOWN
    if machine.state is MachineState.UNKNOWN:
        return UNKNOWN
    if machine.state is not MachineState.RUNNING:
        silence = at - max(launched, record.last_beat or launched)
        return _ended(record, machine, silence, queue_is_empty, at)
    if machine.waiting and record.state is StageState.LAUNCHED:
        return _waiting(record, machine, at - launched)
    return _running(record, _age(launched, machine, at), quiet, queue_is_empty, at)


def overdue(record: StageRecord, machine: Machine | None, at: datetime) -> bool:
    """Whether a worker whose machine runs should have sent a heartbeat by now."""
    launched = record.launched_at
    if launched is None or machine is None or machine.state is not MachineState.RUNNING:
        return False
    if record.state is StageState.LAUNCHED:
        boot = timedelta(seconds=record.boot_deadline_s)
        return not machine.waiting and _age(launched, machine, at) > boot
    beat = timedelta(seconds=record.beat_timeout_s)
    return record.state is StageState.CLAIMED and _quiet(record, launched, at) > beat


def _quiet(record: StageRecord, launched: datetime, at: datetime) -> timedelta:
    """Since when no heartbeat was received. Records of an earlier version know the worker's time
    only."""
    return at - max(launched, record.heard_at or record.last_beat or launched)


def _age(launched: datetime, machine: Machine, at: datetime) -> timedelta:
    """A job's clock of boot runs from its container's start: what it waited is another matter."""
    return at - max(launched, machine.launched_at)


def _waiting(record: StageRecord, machine: Machine, waited: timedelta) -> LivenessVerdict:
    if waited <= timedelta(seconds=record.boot_deadline_s):
        return ALIVE
    return LivenessVerdict(
        life=Life.DEAD, error="CapacityUnavailable", why=_waited(record, machine)
    )


def _waited(record: StageRecord, machine: Machine) -> Reason:
    job, queue, n = machine.instance_id, machine.availability_zone, record.boot_deadline_s
    if not machine.why_ended:
        return because(RunCode.JOB_WAITED, name=job, n=n, queue=queue)
    text = machine.why_ended
    return because(RunCode.JOB_WAITED_BECAUSE, name=job, n=n, queue=queue, text=text)


def _running(
    record: StageRecord,
    age: timedelta,
    quiet: timedelta,
    queue_is_empty: bool | None,
    at: datetime,
) -> LivenessVerdict:
    if record.state is StageState.LAUNCHED:
        if age <= timedelta(seconds=record.boot_deadline_s):
            return ALIVE
        never_began = _lost(record, RunCode.MACHINE_NEVER_BEGAN, n=record.boot_deadline_s)
        return never_began if record.silent_sweeps >= SWEEPS else UNKNOWN
    worked = at - (record.claimed_at or at)
    if worked > timedelta(seconds=record.phase_deadline_s):
        return _lost(record, RunCode.MACHINE_NOT_FINISHED, n=record.phase_deadline_s)
    if quiet <= timedelta(seconds=record.beat_timeout_s):
        return STANDS if _still(record, at) > timedelta(seconds=record.stall_after_s) else ALIVE
    if not _silence_counts(record, quiet, queue_is_empty):
        return UNKNOWN
    return _lost(record, RunCode.MACHINE_SILENT, n=round(quiet.total_seconds()))


def _silence_counts(record: StageRecord, quiet: timedelta, queue_is_empty: bool | None) -> bool:
    """What lies in the queue may be its words; for ever they are not."""
    if queue_is_empty is None or record.silent_sweeps < SWEEPS:
        return False
    return queue_is_empty or quiet > BUSY * timedelta(seconds=record.beat_timeout_s)


def _still(record: StageRecord, at: datetime) -> timedelta:
    return at - (record.progress_at or at)


def stood_long(record: StageRecord, at: datetime) -> bool:
    """Whether it has stalled for as long again since the notice was sent."""
    notified_at = record.stalled_at
    dwell = timedelta(seconds=record.stall_after_s)
    return notified_at is not None and at - notified_at >= dwell and _still(record, at) > dwell


def stuck(record: StageRecord, last_written: datetime | None, at: datetime) -> LivenessVerdict:
    """Of a worker that stood long: DEAD when the bucket, too, has nothing newer of this stage than
    the last progress (`last_written`; None: nothing at all). Else its beats are wrong: UNKNOWN."""
    if not stood_long(record, at) or record.progress_at is None:
        return STANDS
    if last_written is not None and last_written > record.progress_at + LAST_WORDS:
        return UNKNOWN
    minutes = _still(record, at).total_seconds() / 60
    return _lost(record, RunCode.MACHINE_STALLED, n=round(minutes))


def _ended(
    record: StageRecord,
    machine: Machine,
    quiet: timedelta,
    queue_is_empty: bool | None,
    at: datetime,
) -> LivenessVerdict:
    if machine.reclaimed or record.reclaim_notice_at is not None:
        why = because(RunCode.MACHINE_RECLAIMED, name=machine.instance_id)
        interrupted = LivenessVerdict(life=Life.DEAD, error="SpotInterrupted", why=why)
        return interrupted if quiet > LAST_WORDS else UNKNOWN
    still = min(quiet, at - machine.ended_at) if machine.ended_at else quiet
    if still <= (LAST_WORDS if queue_is_empty is True else SHOWS_LATE):
        return UNKNOWN
    state = machine.state.value
    if machine.why_ended:
        return _lost(record, RunCode.MACHINE_IS_BECAUSE, state=state, text=machine.why_ended)
    return _lost(record, RunCode.MACHINE_IS, state=state)


def _lost(record: StageRecord, code: RunCode, /, **values: int | str) -> LivenessVerdict:
    why = because(code, name=record.instance_id or "", **values)
    return LivenessVerdict(life=Life.DEAD, error="WorkerLost", why=why)


def forgotten(
    machine: Machine, record: StageRecord | None, at: datetime, *, rest: timedelta = REST
) -> Reasons | None:
    """Why a machine has no use any more, in two reasons; None while it may have one.

    A machine whose stage is not in the ledger is None too: perhaps we look into the wrong ledger
    (`domain.rules.orphans` looks twice before it calls an instance orphaned).
    """
    if machine.owner is None or record is None:
        return None
    rested = at - max(record.updated_at, machine.launched_at)
    if rested < rest:
        return None
    still = because(Code.STILL_FOR, minutes=round(rested.total_seconds() / 60))
    if machine.owner.epoch < record.epoch:
        return because(Code.EPOCH_OVER, epoch=machine.owner.epoch, now=record.epoch), still
    if machine.owner.epoch == record.epoch and record.state in ENDED:
        return because(Code.THE_STAGE_IS, state=record.state.value), still
    if machine.expires_at is not None and machine.expires_at < at:
        return because(Code.EXPIRED, at=f"{machine.expires_at:%Y-%m-%d %H:%M}Z"), still
    return None


def held_in_vain(held: Reservation, record: StageRecord, at: datetime) -> bool:
    """Whether money is held for an epoch that ended long ago. `record`: its stage as it is now."""
    if held.epoch > record.epoch or at - held.at < IN_VAIN:
        return False
    if held.epoch < record.epoch:
        return True
    return record.state in ENDED and at - record.updated_at >= IN_VAIN
