"""Start the execution of a sealed run, once, when every file of its manifest is valid.

Order: the counters say that all files may be checked -> every file is looked at -> the manifest is
stored with checksum and version of each file, for the workers -> the ledger moves SEALED -> RUNNING
on condition of exactly this manifest (of twenty concurrent deliveries one wins) -> the execution is
started under a name made of run and digest. After a crash between the last two steps the next
delivery or the sweep finds the run RUNNING and starts the execution.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from porewatch.domain import s3_keys
from porewatch.domain.base import Model, Sha256
from porewatch.domain.errors import AccountRefused, BundleRefused, Refused
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.rules.run_seals import Refusing
from porewatch.domain.runs import RunId, RunState
from porewatch.domain.uploads import readiness
from porewatch.domain.uploads.intake import Look
from porewatch.usecases.intake.check_for_completeness import (
    begin_look,
    looking,
)

if TYPE_CHECKING:
    from porewatch.adapters.objects import Objects
    from porewatch.usecases.intake.check_for_completeness import Begun
    from porewatch.usecases.intake.intake_context import IntakeContext

_log = logging.getLogger(__name__)


class ExecutionInput(Model):
    """The input of the state machine."""

    run_id: RunId
    revision: int
    manifest_digest: Sha256
    profile: str

    @classmethod
    def of(cls, record: RunRecord, digest: str) -> ExecutionInput:
        """For the run's revision, sealed by the manifest of this digest."""
        return cls(
            run_id=record.run_id,
            revision=record.revision,
            manifest_digest=digest,
            profile=record.profile,
        )


def start_run(
    run_id: str, context: IntakeContext, *, swept: bool = False, record: RunRecord | None = None
) -> bool:
    """True when this call started the execution. `swept` as in `begin_look`; `record`: the run, if
    the caller has just read it."""
    record = record or context.runs.find(run_id)
    if record is None or record.manifest_digest is None:
        return False
    if record.state is RunState.SEALED:
        record = _move(record, record.manifest_digest, context, swept=swept)
    if record is None or record.state is not RunState.RUNNING:
        return False
    return _execute(record, record.manifest_digest or "", context)


def _move(
    record: RunRecord, digest: str, context: IntakeContext, *, swept: bool
) -> RunRecord | None:
    """SEALED -> RUNNING when all files are valid; None while they are not, or when the run is
    refused."""
    run_id, at = record.run_id, context.clock()
    look = begin_look(run_id, "manifest", digest=digest, intake=context.intake, at=at, swept=swept)
    moved = None
    while look is not None and moved is None:
        with looking(look):
            moved = _looked(record, digest, look, context)
        look = look.again(context.clock()) if moved is None else None
    # Otherwise it was sealed again, or has ended, meanwhile.
    return moved if moved is not None and moved.manifest_digest == digest else None


def _looked(
    record: RunRecord, digest: str, look: Begun, context: IntakeContext
) -> RunRecord | None:
    """The run after one look at its files; None while it waits for some."""
    run_id, at = record.run_id, context.clock()
    manifest = context.manifests.of(run_id, record.revision)
    present, checked = _present(run_id, context.raw), context.runs.files_of(run_id)
    try:
        context.admission.refuse_size(record.submitted_by, readiness.bytes_of(manifest, present))
        ready = readiness.check(manifest, present, checked)
    except Refused as refusal:
        _log.warning("run %s is refused: %s", run_id, refusal)
        return context.runs.refuse(run_id, digest=digest, what=Refusing.of(refusal), at=at)
    if not ready:
        _log.info("run %s waits for %d files", run_id, len(ready.waiting_for))
        look.found(ready.waiting_for, at)
        return None
    try:
        context.admission.refuse_spent(record)
    except AccountRefused as refusal:
        return context.runs.refuse(run_id, digest=digest, what=Refusing.of(refusal), at=at)
    bundle = manifest.bundle or context.default_bundle()
    try:
        bundle_sha256 = context.bundle_digest(bundle)
    except BundleRefused as refusal:
        return context.runs.refuse(run_id, digest=digest, what=Refusing.of(refusal), at=at)
    as_checked = readiness.as_checked(manifest, checked)
    return context.runs.start(
        manifest,
        execution_arn=context.executions.arn(run_id, digest),
        bundle=bundle,
        bundle_sha256=bundle_sha256,
        at=at,
        checked_digest=context.manifests.keep(as_checked).manifest_digest,
    )


def _present(run_id: str, raw: Objects) -> dict[str, readiness.Lying]:
    prefix = s3_keys.raw_key(run_id, "")
    return {head.key.removeprefix(prefix): head for head in raw.keys(prefix)}


def _execute(record: RunRecord, digest: str, context: IntakeContext) -> bool:
    last = context.intake.look(record.run_id)
    if last is not None and (last.of, last.manifest_digest) == ("started", digest):
        return False
    started = context.executions.start(record.run_id, digest, ExecutionInput.of(record, digest))
    if started:
        _log.info("run %s started, revision %d", record.run_id, record.revision)
    begun = Look(of="started", manifest_digest=digest, at=context.clock())
    context.intake.keep(record.run_id, begun)
    return started
