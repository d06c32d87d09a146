"""Every few minutes, check all runs that have not started, in case an event was lost.

It does what the lost event would have led to: a manifest or final summary without an event, a run
whose last check was not reported, an execution whose function died before starting it. A run costs
a few reads, unless it may be complete or has not changed for long.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from porewatch.domain import s3_keys
from porewatch.domain.errors import PorewatchError
from porewatch.domain.inputs.file_names import (
    Landed,
    classify,
)
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.runs import RunState
from porewatch.domain.uploads.intake import next_search
from porewatch.usecases.intake.notify_stalled import notify_stalled
from porewatch.usecases.intake.seal_run import (
    seal_by_manifest,
    seal_by_summary,
)
from porewatch.usecases.intake.start_run import start_run
from porewatch.usecases.uploads.expire_unsealed import expire_unsealed

if TYPE_CHECKING:
    from porewatch.usecases.intake.intake_context import IntakeContext

REACH = timedelta(days=14)
"""Maximum age of a run for the sweep."""
REST = timedelta(minutes=1)
"""A run that changed within this time still has events in flight."""
WAITING = frozenset({RunState.RECEIVING, RunState.SEALED, RunState.RUNNING})
_log = logging.getLogger(__name__)


def sweep_intake(context: IntakeContext) -> None:
    """Check every waiting run. A run that fails does not block the others."""
    at = context.clock()
    for record in context.runs.list():
        if at - record.created_at > REACH:
            return
        if record.state in WAITING and at - record.updated_at >= REST:
            try:
                _check(record, context)
                notify_stalled(record, context)
                expire_unsealed(
                    record,
                    runs=context.runs,
                    uploads=context.uploads,
                    parts=context.parts,
                    at=context.clock(),
                )
            except PorewatchError as reason:
                _log.info("run %s is still waiting: %s", record.run_id, reason)


def _check(record: RunRecord, context: IntakeContext) -> None:
    run_id = record.run_id
    if record.state is RunState.RECEIVING:
        if not _has_new_seal(record, context):
            if _has_summary(run_id, context):
                seal_by_summary(run_id, context, swept=True)
            return
        seal_by_manifest(run_id, context)
    start_run(run_id, context, swept=True)


def _has_new_seal(record: RunRecord, context: IntakeContext) -> bool:
    """A run.json exists that was not refused before."""
    head, refused = context.raw.head(s3_keys.seal_key(record.run_id)), record.attempt
    return head is not None and (refused is None or head.modified > refused.updated_at)


def _has_summary(run_id: str, context: IntakeContext) -> bool:
    """A final summary exists somewhere in the run. MinKNOW nests its folders deeply, so everything
    is listed to find one whose event was lost: at once, then whenever `next_search` says."""
    last = context.intake.look(run_id)
    if last is not None and last.of == "summary":
        return True
    search = next_search(last, context.intake.recorded(run_id), context.clock())
    if search is None:
        return False
    look, now = search
    context.intake.keep(run_id, look)
    prefix = s3_keys.raw_key(run_id, "")
    return now and any(
        classify(head.key.removeprefix(prefix)) is Landed.SUMMARY
        for head in context.raw.keys(prefix)
    )
