"""How a machine's own note (`worker_note`) moves its stage. A pure rule like those of `stages`."""

from __future__ import annotations

from datetime import datetime

from porewatch.domain.facts.fact import Fact
from porewatch.domain.rules import (
    fencing,
    stage_lifecycle,
)
from porewatch.domain.rules.fencing import Move
from porewatch.domain.stage.record import StageRecord, StageState
from porewatch.domain.stage.worker_note import WorkerNote


def note(record: StageRecord, worker_note: WorkerNote, user_id: str, at: datetime) -> Move:
    """Claimed, and as far as the machine says. Each note counts once, and never later than `at`,
    when it was read: a clock that is ahead makes no dead machine live on."""
    ended = record.state in stage_lifecycle.ENDED
    if ended or not worker_note.is_about(record) or worker_note.at == record.noted_at:
        return None
    facts: tuple[Fact, ...] = ()
    if record.state is not StageState.CLAIMED:
        since = min(worker_note.claimed_at, at)
        claimed = stage_lifecycle.claim(
            record, worker_note.epoch, worker_note.instance_id, since, user_id
        )
        record, facts = claimed or (record, ())
    if worker_note.progress is not None:
        when, who = min(worker_note.at, at), worker_note.instance_id
        beaten = stage_lifecycle.beat(
            record, worker_note.epoch, who, worker_note.progress, when, heard=at
        )
        record = beaten[0] if beaten else record
    return fencing.moved(record, at, noted_at=worker_note.at), facts
