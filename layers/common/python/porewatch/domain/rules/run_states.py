"""Groups of run states, and what every rule of runs starts from and answers. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from porewatch.domain.errors import StaleEpoch
from porewatch.domain.facts.fact import Fact
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.runs import FINAL_STATES, RunState

Move = tuple[RunRecord, tuple[Fact, ...]] | None

OPEN_STATES = frozenset({RunState.RECEIVING, RunState.SEALED})
RETRYABLE_STATES = frozenset({RunState.REFUSED, RunState.FAILED, RunState.CANCELLED})


def takes_slot(record: RunRecord) -> bool:
    """Whether it counts among the runs that its project has under way: from its registration, or,
    where nobody registered it, from its seal to its end."""
    if record.state is RunState.RECEIVING:
        return record.name is not None
    return record.state in (RunState.SEALED, RunState.RUNNING)


def counted(record: RunRecord) -> Move:
    """Count a run that is under way since before runs were counted."""
    if record.slot or not takes_slot(record):
        return None
    return record.model_copy(update={"slot": True}), ()


def ended(record: RunRecord) -> bool:
    return record.state in FINAL_STATES


def refuse_unless_running(record: RunRecord, revision: int) -> None:
    """StaleEpoch for work on a revision that does not run (any more): an execution may begin just
    when it is stopped, and must not get an instance."""
    if record.revision != revision or record.state is not RunState.RUNNING:
        raise StaleEpoch(
            f"run {record.run_id} is {record.state.value} at revision {record.revision}, "
            f"not running at revision {revision}."
        )


def new_record(run_id: str, at: datetime) -> RunRecord:
    return RunRecord(run_id=run_id, state=RunState.RECEIVING, created_at=at, updated_at=at)


def moved(record: RunRecord, at: datetime, **changes: Any) -> RunRecord:
    later = max(record.updated_at, at)
    return RunRecord.model_validate({**record.model_dump(), **changes, "updated_at": later})
