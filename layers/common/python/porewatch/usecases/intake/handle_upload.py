"""Handle an event of the intake queue: a manifest, a final summary, or a checked file.

The first worker that finds the run sealed and all its files valid starts it. Replayed events are
for the projections only: they start nothing.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from porewatch.domain import s3_keys
from porewatch.domain.errors import AlreadyDone, Unavailable
from porewatch.domain.inputs.file_names import (
    Landed,
    classify,
)
from porewatch.domain.inputs.landing.answers import (
    MANIFEST_KIND,
    answer_of,
)
from porewatch.domain.runs import RunState
from porewatch.usecases.intake.answer_gone import gone_answered
from porewatch.usecases.intake.answer_object import answer_object
from porewatch.usecases.intake.check_for_completeness import begin_look
from porewatch.usecases.intake.note_late import note_late
from porewatch.usecases.intake.seal_run import (
    has_manifest,
    seal_by_manifest,
    seal_by_summary,
)
from porewatch.usecases.intake.start_run import start_run

if TYPE_CHECKING:
    from porewatch.usecases.intake.intake_context import IntakeContext

_log = logging.getLogger(__name__)


def handle_upload(key: str, context: IntakeContext, *, replayed: bool = False) -> None:
    """`key` = the object in the raw bucket that was written or checked. MessageRefused for an
    invalid run id; Unavailable while a final summary waits for its files; RunGone, which is
    answered, for a deleted run."""
    with gone_answered(key, runs=context.runs):
        _handle(key, context, replayed)


def _handle(key: str, context: IntakeContext, replayed: bool) -> None:
    run_id, path = s3_keys.split_raw_key(key)
    if replayed:
        _log.info("replayed event ignored: %s", key)
        return
    if path == s3_keys.SEAL:
        seal_by_manifest(run_id, context)
    elif (answer := answer_of(path)) is not None and answer.kind == MANIFEST_KIND:
        answer_object(run_id, path, answer, runs=context.runs, at=context.clock())
        return
    elif classify(path) is Landed.SUMMARY:
        seal_by_summary(run_id, context)
        return  # the manifest it wrote arrives as an event of its own
    else:
        _handle_check(run_id, path, context)
        return
    start_run(run_id, context)


def _handle_check(run_id: str, path: str, context: IntakeContext) -> None:
    """Most events are these, one per file: each reads the record of the run once, and more only
    when its state requires it. Whoever seals the run meanwhile finds this check recorded."""
    record = context.runs.find(run_id)
    if record is None:
        return
    if record.state is RunState.RECEIVING:
        _perhaps_by_summary(run_id, context)
        return  # the manifest it wrote arrives as an event of its own
    note_late(record, path, raw=context.raw, runs=context.runs, clock=context.clock)
    start_run(run_id, context, record=record)


def _perhaps_by_summary(run_id: str, context: IntakeContext) -> None:
    """The summary may have arrived before the file that was just checked. A recorded look tells:
    nothing is listed to find out."""
    last = context.intake.look(run_id)
    if last is None or last.of != "summary":
        return
    look = begin_look(run_id, "summary", intake=context.intake, at=context.clock(), last=last)
    if look is None:
        return
    if has_manifest(run_id, context.raw):
        look.give_back()
        return
    try:
        seal_by_summary(run_id, context, look=look)
    except (AlreadyDone, Unavailable) as reason:
        _log.info("not sealed yet: %s", reason)
