"""How a run comes under legal hold, is released, and is deleted. Pure, like
`domain.rules.run_lifecycle`.

held:     none -> held -> (released, while objects are unlocked) -> none
deleted:  completed | failed | refused | cancelled -> deleting -> deleted, for good
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from porewatch.domain.errors import NotFound, RunGone, RunNotOver, UnderHold
from porewatch.domain.facts.run_facts import HoldReleased, RunDeleted, RunHeld
from porewatch.domain.records.retention_record import Counts, Deletion, Hold, Reached, Release
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.retention.orders import (
    DeleteRun,
    HoldRun,
)
from porewatch.domain.rules.run_states import Move, ended
from porewatch.domain.runs import GONE_STATES, RunState

LATER = timedelta(minutes=30)
"""When a deleted run is looked at once more: longer than any function runs that may have begun
before the tombstone stood."""


def gone(record: RunRecord) -> RunGone:
    """The answer to everything that comes for a deleted run."""
    message = record.deletion.sentence(record.run_id) if record.deletion else "the run was deleted."
    error = RunGone(message, remedy="send what is to be screened as a run of another id.")
    error.run_id = record.run_id
    return error


def refuse_gone(record: RunRecord | None) -> None:
    """Raises RunGone for a run that was deleted, or is being deleted."""
    if record is not None and record.state in GONE_STATES:
        raise gone(record)


def hold(record: RunRecord, order: HoldRun, at: datetime) -> Move:
    """Nothing of the run may be deleted from now on. Held before: the first hold stands."""
    refuse_gone(record)
    if record.hold is not None and record.hold.released is None:
        return None
    after = Hold(by=order.by, reason=order.reason, at=at)
    earlier = record.earlier_holds + ((record.hold,) if record.hold else ())
    fact = RunHeld(
        fact_id=RunHeld.id_of(record.run_id, f"{at:%Y%m%dT%H%M%S.%f}"),
        run_id=record.run_id,
        revision=record.revision,
        at=at,
        by=order.by,
        reason=order.reason,
    )
    return _with(record, at, hold=after, earlier_holds=earlier), (fact,)


def covered(record: RunRecord, hold: Hold, to: datetime, at: datetime) -> Move:
    """Every object that was written before `to` is locked."""
    if record.hold != hold or hold.released is not None or hold.covered_to == to:
        return None
    return _with(record, at, hold=hold.model_copy(update={"covered_to": to, "reached": None})), ()


def reached(record: RunRecord, hold: Hold, place: Reached, at: datetime) -> Move:
    """Objects are locked, or unlocked, as far as this: the next call goes on from there."""
    if record.hold != hold or hold.reached == place:
        return None
    return _with(record, at, hold=hold.model_copy(update={"reached": place})), ()


def release(record: RunRecord, order: HoldRun, at: datetime) -> Move:
    """A person ends the hold; until its objects are unlocked the run still counts as held."""
    refuse_gone(record)
    if record.hold is None:
        raise NotFound(
            f"run {record.run_id} is under no legal hold.",
            remedy="`porewatch list` shows which runs are.",
        )
    if record.hold.released is not None:
        return None
    released = Release(by=order.by, reason=order.reason, at=at)
    ends = record.hold.model_copy(update={"released": released, "reached": None})
    return _with(record, at, hold=ends), ()


def released(record: RunRecord, hold: Hold, at: datetime) -> Move:
    """All objects are unlocked: the hold is history."""
    if record.hold != hold or hold.released is None:
        return None
    by = hold.released
    fact = HoldReleased(
        fact_id=HoldReleased.id_of(record.run_id, f"{hold.at:%Y%m%dT%H%M%S.%f}"),
        run_id=record.run_id,
        revision=record.revision,
        at=at,
        by=by.by,
        reason=by.reason,
        held_since=hold.at,
        held_by=hold.by,
    )
    earlier = (*record.earlier_holds, hold.model_copy(update={"reached": None}))
    return _with(record, at, hold=None, earlier_holds=earlier), (fact,)


def may_delete(record: RunRecord) -> None:
    """Raises UnderHold, or RunNotOver while something may still be at work for it."""
    if record.hold is not None:
        raise UnderHold(
            f"run {record.run_id} is under legal hold since {record.hold.at:%Y-%m-%d} "
            f"(by {record.hold.by}: {record.hold.reason}).",
            remedy=f"nothing of it is deleted until somebody may say: porewatch hold "
            f"{record.run_id} --release --reason ...",
        )
    if not ended(record):
        raise RunNotOver(
            f"run {record.run_id} is {record.state.value}.",
            remedy=f"stop it first: porewatch cancel {record.run_id}.",
        )


def begin(record: RunRecord, order: DeleteRun, at: datetime) -> Move:
    """From now on nothing brings the run back. Idempotent: None when it is deleting already."""
    if record.state in GONE_STATES:
        return None
    may_delete(record)
    deletion = Deletion(by=order.by, reason=order.reason, at=at, was=record.state.value)
    tombstone = RunRecord(
        run_id=record.run_id,
        state=RunState.DELETING,
        revision=record.revision,
        manifest_digest=record.manifest_digest,
        earlier_digests=record.earlier_digests,
        created_at=record.created_at,
        updated_at=max(record.updated_at, at),
        completed_at=record.completed_at,
        cost_usd=record.cost_usd,
        earlier_holds=record.earlier_holds,
        deletion=deletion,
        problem=deletion.sentence(record.run_id),
    )
    return tombstone, ()


def going(record: RunRecord, what: Counts, folder: str, key: str, at: datetime) -> Move:
    """So much more of the run goes now, up to this object of a folder. Idempotent."""
    deletion = record.deletion
    if record.state not in GONE_STATES or deletion is None:
        return None
    if deletion.reached is not None and deletion.reached.passed(folder, key):
        return None
    place = Reached(begun=deletion.at, folder=folder, key=key)
    progress = {"counts": deletion.counts.plus(what), "reached": place}
    return _with(record, at, deletion=deletion.model_copy(update=progress)), ()


def finish(record: RunRecord, at: datetime) -> Move:
    """All of it is deleted. Called again later: a sweep for objects that arrived late."""
    deletion = record.deletion
    if record.state not in GONE_STATES or deletion is None:
        return None
    if record.state is RunState.DELETED:
        late = deletion.done_at is not None and at - deletion.done_at >= LATER
        changes = {"swept_at": at if late else deletion.swept_at, "reached": None}
        return _with(record, at, deletion=deletion.model_copy(update=changes)), ()
    done = deletion.model_copy(update={"done_at": at, "reached": None})
    after = _with(
        record,
        at,
        state=RunState.DELETED,
        deletion=done,
        problem=done.sentence(record.run_id),
    )
    fact = RunDeleted(
        fact_id=RunDeleted.id_of(record.run_id, record.revision),
        run_id=record.run_id,
        revision=record.revision,
        at=at,
        by=done.by,
        reason=done.reason,
        was=RunState(done.was),
        counts=done.counts,
    )
    return after, (fact,)


def _with(record: RunRecord, at: datetime, **changes: Any) -> RunRecord:
    later = max(record.updated_at, at)
    return record.model_copy(update={**changes, "updated_at": later})
