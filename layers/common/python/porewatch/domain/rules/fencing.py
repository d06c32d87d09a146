"""Epoch fencing: who may change a stage. Every rule of `stage_lifecycle` and `stage_endings` checks
here first, and builds its answer here: the changed record, and facts with deterministic ids."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from porewatch.domain.errors import MessageRefused, StaleEpoch
from porewatch.domain.facts.fact import Fact
from porewatch.domain.stage.instances import source_of
from porewatch.domain.stage.record import StageRecord

Move = tuple[StageRecord, tuple[Fact, ...]] | None


def current(record: StageRecord, epoch: int) -> StageRecord:
    """The record, when this epoch owns it; StaleEpoch when a later one does."""
    if record.epoch != epoch:
        raise StaleEpoch(
            f"epoch {epoch} of stage {record.stage} of {record.run_id} is over; "
            f"epoch {record.epoch} owns it now."
        )
    return record


def mine(record: StageRecord, epoch: int, instance_id: str) -> StageRecord:
    """The record, when this instance owns this epoch, or none does yet; else StaleEpoch."""
    record = current(record, epoch)
    if record.instance_id not in (None, instance_id):
        raise StaleEpoch(
            f"epoch {epoch} of stage {record.stage} of {record.run_id} belongs to "
            f"{record.instance_id}, not to {instance_id}."
        )
    return record


def refuse_user_of_another(record: StageRecord, instance_id: str, user_id: str | None) -> None:
    """MessageRefused when a machine says that it writes as another one. The session of an EC2
    machine's credentials is named by its id; that of a job's by its ECS task, which the first
    message that proves to be the job's binds to the epoch."""
    if user_id is None:
        return
    of_ec2 = source_of(instance_id) == "ec2"
    if (of_ec2 and user_id.rpartition(":")[2] != instance_id) or "/" in user_id:
        raise MessageRefused(f"{instance_id} says that it writes as {user_id}, which is another.")
    if record.user_id not in (None, user_id):
        raise MessageRefused(f"{instance_id} writes as {record.user_id}, not as {user_id}.")


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
