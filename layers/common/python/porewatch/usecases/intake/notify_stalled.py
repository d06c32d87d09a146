"""Send one notice about a run that is stalled, with what it waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.rules import stalled_runs
from porewatch.domain.runs import RunState

if TYPE_CHECKING:
    from porewatch.usecases.intake.intake_context import IntakeContext


def notify_stalled(record: RunRecord, context: IntakeContext) -> None:
    """For the sweep, with the record from before the sweep acted on it."""
    match record.state:
        case RunState.RECEIVING:
            _receiving(record, context)
        case RunState.SEALED:
            _sealed(record, context)


def _receiving(record: RunRecord, context: IntakeContext) -> None:
    at, run_id = context.clock(), record.run_id
    last, recorded = context.intake.still(run_id), context.intake.recorded(run_id)
    following = stalled_runs.moved(last, recorded, at)
    if following is not None:
        context.intake.keep_still(run_id, following)
    elif last is not None and stalled_runs.stands(last, at):
        context.runs.record_fact(stalled_runs.receiving(record, last, at))
        context.intake.keep_still(run_id, last.model_copy(update={"told": True}))


def _sealed(record: RunRecord, context: IntakeContext) -> None:
    at = context.clock()
    if at - record.updated_at < stalled_runs.SEALED_TOO_LONG:
        return
    if context.runs.has_fact(record.run_id, stalled_runs.sealed_id(record)):
        return
    checked = context.runs.files_of(record.run_id)
    manifest = context.manifests.of(record.run_id, record.revision)
    unchecked = tuple(file.path for file in manifest.files if file.lies_at not in checked)
    if unchecked:
        context.runs.record_fact(stalled_runs.sealed(record, unchecked, at))
