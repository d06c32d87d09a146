"""A worker whose messages do not arrive moves its stage by its note in the ledger."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from porewatch.domain.rules import worker_notes
from porewatch.domain.stage.instances import Machine
from porewatch.domain.stage.record import StageRecord

if TYPE_CHECKING:
    from porewatch.adapters.ledger.stages import StageLedger
    from porewatch.adapters.ledger.worker_notes import WorkerNotes


def user_id_of(record: StageRecord, machine: Machine | None, role_id: str) -> str | None:
    """`aws:userid` of the credentials of the stage's instance: as the worker reported it, else from
    the role `role_id` and the state of the instance. None while it is not known."""
    if record.user_id is not None:
        return record.user_id
    session = machine.session if machine is not None else ""
    if record.executor == "ec2":
        session = record.instance_id or ""
    return f"{role_id}:{session}" if session and role_id else None


def handle_worker_note(
    record: StageRecord,
    user_id: str | None,
    *,
    stages: StageLedger,
    notes: WorkerNotes,
    at: datetime,
) -> StageRecord:
    """The stage after the note of its instance (`domain.rules.worker_notes`)."""
    note = notes.read(user_id) if user_id is not None else None
    if note is None or user_id is None:
        return record
    return stages.apply(record.key, worker_notes.note, note, user_id, at)
