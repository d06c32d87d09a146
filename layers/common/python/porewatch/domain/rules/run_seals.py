"""How a manifest seals a run, and when it is refused. Pure, like `run_lifecycle`."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NamedTuple, NoReturn

from porewatch.domain.errors import ManifestRefused, PorewatchError
from porewatch.domain.facts.run_facts import (
    RunRefused,
    RunSealed,
)
from porewatch.domain.records.refusal import Refusal, refusals_of
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.rules.revisions import (
    all_digests,
    alone,
    last_number,
    newest,
    reported,
    without_result,
)
from porewatch.domain.rules.run_states import (
    OPEN_STATES,
    RETRYABLE_STATES,
    Move,
    moved,
    new_record,
)
from porewatch.domain.runs import RunManifest, RunState

SealedBy = Literal["run.json", "final_summary", "bundle"]


def seal(
    record: RunRecord | None,
    manifest: RunManifest,
    sealed_by: SealedBy,
    at: datetime,
    made_at: datetime | None = None,
) -> Move:
    """The manifest fixes what the run is. The same one again changes nothing; another one is a new
    revision. ManifestRefused while the run is under way, and when the seal was made (`made_at`, by
    the bucket's clock; None: now) before the run was cancelled."""
    digest = manifest.digest()
    record = record or new_record(manifest.run_id, at)
    if record.manifest_digest == digest:
        return None
    if record.state is RunState.RUNNING:
        refuse_while_under_way(record)
    if digest in record.earlier_digests:
        if newest(record).manifest_digest == digest:
            return None
        raise ManifestRefused(
            f"this manifest sealed run {record.run_id} before; no manifest runs twice.",
            file="run.json",
            remedy="seal the run again with `porewatch submit`.",
        )
    _refuse_made_before_cancelling(record, made_at or at)
    standing = reported(record)
    revision = last_number(record) + (record.state is not RunState.RECEIVING)
    after = moved(
        record,
        at,
        state=RunState.SEALED,
        revision=revision,
        manifest_digest=digest,
        earlier_digests=all_digests(record),
        profile=manifest.profile,
        bundle=manifest.bundle,
        problem=None,
        refusals=(),
        execution_arn=None,
        restarts=0,
        completed_at=None,
        report_keys={},
        findings=None,
        verdict=None,
        late=(),
        last_revision=revision,
        standing=alone(standing) if standing else None,
        attempt=None,
    )
    fact = RunSealed(
        fact_id=RunSealed.id_of(record.run_id, revision, digest[:16]),
        run_id=record.run_id,
        revision=revision,
        at=at,
        manifest_digest=digest,
        sealed_by=sealed_by,
        files=len(manifest.files),
        samples=len(manifest.samples),
        project=record.project,
        name=record.name,
        submitted_by=record.submitted_by,
    )
    return after, (fact,)


def _refuse_made_before_cancelling(record: RunRecord, made_at: datetime) -> None:
    """A seal that was on its way when the run was cancelled must not start what was cancelled. One
    that was made after that is a new order."""
    if record.cancelled_at is not None and made_at <= record.cancelled_at:
        raise ManifestRefused(
            f"run {record.run_id} was cancelled at {record.cancelled_at:%Y-%m-%d %H:%M:%S} UTC, "
            "and this seal was made before.",
            file="run.json",
            remedy="if it is to be screened after all, send it again.",
        )


def refuse_while_under_way(record: RunRecord) -> NoReturn:
    """A running run takes no other manifest."""
    raise ManifestRefused(
        f"run {record.run_id} is under way with another manifest (revision {record.revision}).",
        file="run.json",
        remedy="seal it again when the run has ended, or send the files as a new run.",
    )


class Refusing(NamedTuple):
    """What is refused: in words, and each thing that is wrong by code."""

    problem: str
    refusals: tuple[Refusal, ...]

    @classmethod
    def of(cls, error: PorewatchError) -> Refusing:
        """What an error says."""
        return cls(str(error), refusals_of(error))


def refuse(
    record: RunRecord | None, run_id: str, digest: str, what: Refusing, at: datetime
) -> Move:
    """The manifest with this digest (of its raw bytes when it cannot be read) is refused.

    A run that is running, complete, cancelled, or sealed by another manifest stays as it is: the
    refusal is an attempt beside it, with the number of the revision that this one would have been.
    """
    record = record or new_record(run_id, at)
    same = record.manifest_digest == digest
    told_before = not same and newest(record).manifest_digest == digest
    if told_before or (same and record.state not in OPEN_STATES):
        return None
    beside = not same and record.state in _KEPT
    next_one = beside or (not same and record.state in RETRYABLE_STATES)
    revision = last_number(record) + 1 if next_one else record.revision
    refused = _refusal(record, revision, digest, what, at)
    fact = _refused_fact(refused, at)
    if beside:
        return moved(record, at, attempt=refused, last_revision=revision), (fact,)
    after = moved(
        record,
        at,
        state=RunState.REFUSED,
        revision=revision,
        last_revision=max(revision, last_number(record)),
        manifest_digest=digest,
        earlier_digests=record.earlier_digests if same else all_digests(record),
        execution_arn=None,
        restarts=0,
        problem=what.problem,
        refusals=what.refusals,
        completed_at=at,
    )
    return without_result(record, after), (fact,)


def refuse_seal(
    record: RunRecord | None, run_id: str, digest: str, what: Refusing, at: datetime
) -> Move:
    """What was sent as a seal is none. A run that receives files goes on receiving them; the
    refusal stands beside it, with the number that this seal would have had. Else as `refuse`."""
    if record is None or record.state is not RunState.RECEIVING:
        return refuse(record, run_id, digest, what, at)
    if record.attempt is not None and record.attempt.manifest_digest == digest:
        return None
    revision = record.revision
    refused = _refusal(record, revision, digest, what, at)
    after = moved(record, at, attempt=refused, revision=revision + 1, last_revision=revision + 1)
    return after, (_refused_fact(refused, at),)


_KEPT = (RunState.SEALED, RunState.RUNNING, RunState.COMPLETED, RunState.CANCELLED)


def _refusal(run: RunRecord, revision: int, digest: str, what: Refusing, at: datetime) -> RunRecord:
    """A revision of `run` that was refused before it began."""
    return RunRecord(
        run_id=run.run_id,
        project=run.project,
        name=run.name,
        submitted_by=run.submitted_by,
        state=RunState.REFUSED,
        revision=revision,
        manifest_digest=digest,
        problem=what.problem,
        refusals=what.refusals,
        created_at=at,
        updated_at=at,
        completed_at=at,
    )


def _refused_fact(refused: RunRecord, at: datetime) -> RunRefused:
    run_id, digest = refused.run_id, refused.manifest_digest or ""
    return RunRefused(
        fact_id=RunRefused.id_of(run_id, refused.revision, digest[:16]),
        run_id=run_id,
        revision=refused.revision,
        at=at,
        problem=refused.problem or "",
        refusals=refused.refusals,
        project=refused.project,
        name=refused.name,
        submitted_by=refused.submitted_by,
    )
