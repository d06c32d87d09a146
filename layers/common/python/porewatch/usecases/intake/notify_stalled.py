"""One notice about a run that waits longer than it should, with what it waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.rules import stalled_runs
from porewatch.domain.runs import RunState

if TYPE_CHECKING:
    from porewatch.usecases.intake.intake_context import IntakeContext


def notify_stalled(record: RunRecord, gate: IntakeContext) -> None:
    """For the sweep, of a run as it was before it was looked after."""
    match record.state:
        case RunState.RECEIVING:
            _receiving(record, gate)
        case RunState.SEALED:
            _sealed(record, gate)


def _receiving(record: RunRecord, gate: IntakeContext) -> None:
    at, run_id = gate.clock(), record.run_id
    last, recorded = gate.intake.still(run_id), gate.intake.recorded(run_id)
    following = stalled_runs.moved(last, recorded, at)
    if following is not None:
        gate.intake.keep_still(run_id, following)
    elif last is not None and stalled_runs.stands(last, at):
        gate.runs.tell(stalled_runs.receiving(record, last, at))
        gate.intake.keep_still(run_id, last.model_copy(update={"told": True}))


def _sealed(record: RunRecord, gate: IntakeContext) -> None:
    at = gate.clock()
    if at - record.updated_at < stalled_runs.SEALED_TOO_LONG:
        return
    if gate.runs.was_told(record.run_id, stalled_runs.sealed_id(record)):
        return
    checked = gate.runs.files_of(record.run_id)
    manifest = gate.manifests.of(record.run_id, record.revision)
    unchecked = tuple(file.path for file in manifest.files if file.lies_at not in checked)
    if unchecked:
        gate.runs.tell(stalled_runs.sealed(record, unchecked, at))
