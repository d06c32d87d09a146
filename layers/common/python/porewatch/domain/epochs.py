"""Who may speak for a stage. Every rule of `stages` and `stage_ends` asks here first, and tells
what it did from here: the record as it moved, and facts whose ids say what they are about."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from porewatch.domain.errors import NotFound, StaleEpoch
from porewatch.domain.events import Fact
from porewatch.domain.phases import StageRecord

Move = tuple[StageRecord, tuple[Fact, ...]] | None
Rule = Callable[[StageRecord | None], Move]


def there(record: StageRecord | None) -> StageRecord:
    """The record; NotFound when the stage was never opened."""
    if record is None:
        raise NotFound("the stage was never opened.")
    return record


def current(record: StageRecord | None, epoch: int) -> StageRecord:
    """The record, when this epoch owns it; StaleEpoch when a later one does."""
    record = there(record)
    if record.epoch != epoch:
        raise StaleEpoch(
            f"epoch {epoch} of stage {record.stage} of {record.run_id} is over; "
            f"epoch {record.epoch} owns it now."
        )
    return record


def mine(record: StageRecord | None, epoch: int, instance_id: str) -> StageRecord:
    """The record, when this machine owns this epoch, or nobody does yet; else StaleEpoch."""
    record = current(record, epoch)
    if record.instance_id not in (None, instance_id):
        raise StaleEpoch(
            f"epoch {epoch} of stage {record.stage} of {record.run_id} belongs to "
            f"{record.instance_id}, not to {instance_id}."
        )
    return record


def moved(record: StageRecord, at: datetime, **changes: Any) -> StageRecord:
    """The record with these changes. Its clock never goes back."""
    later = max(record.updated_at, at)
    return record.model_copy(update={**changes, "updated_at": later})


def about(record: StageRecord, at: datetime) -> dict[str, Any]:
    """What every fact about a stage says first."""
    return {
        "run_id": record.run_id,
        "revision": record.revision,
        "at": at,
        "stage": record.stage,
        "epoch": record.epoch,
    }


def fact_about(kind: type[Fact], record: StageRecord, *rest: object) -> str:
    """The id of a fact about a stage: the same fact told twice has the same id."""
    parts = (kind.__name__, record.run_id, record.revision, record.stage, *rest)
    return ":".join(str(part) for part in parts)
