"""How a run moves: received -> sealed -> running -> completed | failed | cancelled, or refused.

Pure. Every rule takes the record as it stands (None when there is none) and answers the record as
it should stand with the facts that tell of it, or None when nothing is to be done because the same
thing was done before. Late and repeated words never move a run backwards. A revision that comes to
nothing beside a completed one is an attempt: the run goes by the completed one again
(`domain.rules.revisions`).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, NoReturn

from porewatch.domain.calls.verdict import Verdict
from porewatch.domain.errors import ManifestRefused, RunOver, StaleEpoch
from porewatch.domain.facts.events import (
    Fact,
    RunCancelled,
    RunCompleted,
    RunFailed,
    RunRefused,
    RunSealed,
    RunStarted,
)
from porewatch.domain.rules.cancelling import Cancel
from porewatch.domain.rules.revisions import (
    all_digests,
    alone,
    cancelled,
    last_number,
    newest,
    reported,
    without_result,
)
from porewatch.domain.runs import FINAL_STATES, RunManifest, RunRecord, RunState, Unended

SealedBy = Literal["run.json", "final_summary", "bundle"]
Move = tuple[RunRecord, tuple[Fact, ...]] | None

OPEN_STATES = frozenset({RunState.RECEIVING, RunState.SEALED})
MENDABLE = frozenset({RunState.REFUSED, RunState.FAILED, RunState.CANCELLED})


def fact_id(kind: type[Fact], run_id: str, *rest: object) -> str:
    """The same fact told twice has the same id."""
    return ":".join([kind.__name__, run_id, *(str(part) for part in rest)])


def receive(record: RunRecord | None, run_id: str, at: datetime) -> Move:
    """The first file of a run makes it known."""
    if record is not None:
        return None
    return _new(run_id, at), ()


def seal(
    record: RunRecord | None,
    manifest: RunManifest,
    sealed_by: SealedBy,
    at: datetime,
    made_at: datetime | None = None,
) -> Move:
    """The manifest fixes what the run is. The same one again changes nothing; another one is a new
    revision. ManifestRefused while the run is under way, and when the seal was made (`made_at`, by
    the bucket's clock; None: now) before somebody cancelled the run."""
    digest = manifest.digest()
    record = record or _new(manifest.run_id, at)
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
    after = _moved(
        record,
        at,
        state=RunState.SEALED,
        revision=revision,
        manifest_digest=digest,
        earlier_digests=all_digests(record),
        profile=manifest.profile,
        bundle=manifest.bundle,
        problem=None,
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
        fact_id=fact_id(RunSealed, record.run_id, revision, digest[:16]),
        run_id=record.run_id,
        revision=revision,
        at=at,
        manifest_digest=digest,
        sealed_by=sealed_by,
        files=len(manifest.files),
        samples=len(manifest.samples),
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
    """A run that is at work takes no other manifest."""
    raise ManifestRefused(
        f"run {record.run_id} is under way with another manifest (revision {record.revision}).",
        file="run.json",
        remedy="seal it again when the run has ended, or send the files as a new run.",
    )


def start(
    record: RunRecord | None, manifest: RunManifest, execution_arn: str, bundle: str, at: datetime
) -> Move:
    """SEALED with this manifest -> RUNNING; anything else stays."""
    digest = manifest.digest()
    if record is None or record.state is not RunState.SEALED or record.manifest_digest != digest:
        return None
    after = _moved(
        record, at, state=RunState.RUNNING, execution_arn=execution_arn, bundle=bundle, problem=None
    )
    fact = RunStarted(
        fact_id=fact_id(RunStarted, record.run_id, record.revision, digest[:16]),
        run_id=record.run_id,
        revision=record.revision,
        at=at,
        execution_arn=execution_arn,
        manifest_digest=digest,
        profile=record.profile,
        bundle=bundle,
        samples=tuple(sample.name for sample in manifest.samples),
    )
    return after, (fact,)


def start_another(record: RunRecord, ended: RunRecord, execution_arn: str, at: datetime) -> Move:
    """A running run goes on in another execution, when it is still the one that `ended` was."""
    same = (record.revision, record.execution_arn) == (ended.revision, ended.execution_arn)
    if record.state is not RunState.RUNNING or not same:
        return None
    restarts = record.restarts + 1
    return _moved(record, at, execution_arn=execution_arn, restarts=restarts), ()


def refuse(record: RunRecord | None, run_id: str, digest: str, problem: str, at: datetime) -> Move:
    """The manifest with this digest (of its raw bytes when it cannot be read) is no good.

    A run that is running, complete, cancelled, or sealed by another manifest stays as it is: the
    refusal is an attempt beside it, with the number of the revision that this one would have been.
    """
    record = record or _new(run_id, at)
    same = record.manifest_digest == digest
    told_before = not same and newest(record).manifest_digest == digest
    if told_before or (same and record.state not in OPEN_STATES):
        return None
    beside = not same and record.state in _KEPT
    next_one = beside or (not same and record.state in MENDABLE)
    revision = last_number(record) + 1 if next_one else record.revision
    refused = _refusal(run_id, revision, digest, problem, at)
    fact = _refused_fact(refused, at)
    if beside:
        return _moved(record, at, attempt=refused, last_revision=revision), (fact,)
    after = _moved(
        record,
        at,
        state=RunState.REFUSED,
        revision=revision,
        last_revision=max(revision, last_number(record)),
        manifest_digest=digest,
        earlier_digests=record.earlier_digests if same else all_digests(record),
        execution_arn=None,
        restarts=0,
        problem=problem,
        completed_at=at,
    )
    return without_result(record, after), (fact,)


def refuse_seal(
    record: RunRecord | None, run_id: str, digest: str, problem: str, at: datetime
) -> Move:
    """What was sent as a seal is none. A run that receives files goes on receiving them; the
    refusal stands beside it, with the number that this seal would have had. Else as `refuse`."""
    if record is None or record.state is not RunState.RECEIVING:
        return refuse(record, run_id, digest, problem, at)
    if record.attempt is not None and record.attempt.manifest_digest == digest:
        return None
    revision = record.revision
    refused = _refusal(run_id, revision, digest, problem, at)
    after = _moved(record, at, attempt=refused, revision=revision + 1, last_revision=revision + 1)
    return after, (_refused_fact(refused, at),)


_KEPT = (RunState.SEALED, RunState.RUNNING, RunState.COMPLETED, RunState.CANCELLED)


def _refusal(run_id: str, revision: int, digest: str, problem: str, at: datetime) -> RunRecord:
    """A revision that was refused before it began."""
    return RunRecord(
        run_id=run_id,
        state=RunState.REFUSED,
        revision=revision,
        manifest_digest=digest,
        problem=problem,
        created_at=at,
        updated_at=at,
        completed_at=at,
    )


def _refused_fact(refused: RunRecord, at: datetime) -> RunRefused:
    run_id, digest = refused.run_id, refused.manifest_digest or ""
    return RunRefused(
        fact_id=fact_id(RunRefused, run_id, refused.revision, digest[:16]),
        run_id=run_id,
        revision=refused.revision,
        at=at,
        problem=refused.problem or "",
    )


def complete(
    record: RunRecord,
    revision: int,
    *,
    report_keys: dict[str, str],
    findings: int,
    cost_usd: float,
    at: datetime,
    verdict: Verdict | None = None,
    projection_key: str = "",
) -> Move:
    """RUNNING -> COMPLETED. StaleEpoch when the run has moved on to something else.

    `cost_usd` is the revision's own; the record keeps what the run cost in all its revisions.
    """
    if record.revision == revision and record.state is RunState.COMPLETED:
        return None
    _must_run(record, revision)
    after = _moved(
        record,
        at,
        state=RunState.COMPLETED,
        report_keys=report_keys,
        findings=findings,
        verdict=verdict,
        cost_usd=max(record.cost_usd, cost_usd),
        completed_at=at,
        standing=None,
    )
    fact = RunCompleted(
        fact_id=fact_id(RunCompleted, record.run_id, revision),
        run_id=record.run_id,
        revision=revision,
        at=at,
        findings=findings,
        verdict=verdict,
        cost_usd=cost_usd,
        report_keys=report_keys,
        projection_key=projection_key,
    )
    return after, (fact,)


def fail(
    record: RunRecord,
    revision: int,
    *,
    stage: str | None,
    error: str,
    problem: str,
    refused: bool,
    at: datetime,
) -> Move:
    """RUNNING -> FAILED, or REFUSED when the input is to blame."""
    if _came_to_nothing(record, revision):
        return None
    _must_run(record, revision)
    state = RunState.REFUSED if refused else RunState.FAILED
    kind = RunRefused if refused else RunFailed
    common: dict[str, Any] = {
        "fact_id": fact_id(kind, record.run_id, revision, "ended"),
        "run_id": record.run_id,
        "revision": revision,
        "at": at,
        "problem": problem,
    }
    more = {} if refused else {"stage": stage, "error": error}
    after = _nothing(record, state, problem, at)
    return without_result(record, after), (kind(**common, **more),)


def _nothing(record: RunRecord, state: RunState, problem: str, at: datetime) -> RunRecord:
    """The revision came to nothing; what its execution began is still to be ended and paid."""
    left = record.unended
    if record.execution_arn is not None:
        left += (
            Unended(
                revision=record.revision,
                state=state,
                execution_arn=record.execution_arn,
                problem=problem,
                at=at,
            ),
        )
    return _moved(record, at, state=state, problem=problem, completed_at=at, unended=left)


def cancel(record: RunRecord, order: Cancel, at: datetime) -> Move:
    """Whatever it is doing, it stops. RunOver when it has ended otherwise."""
    if cancelled(record) is not None:
        return None
    if ended(record):
        raise RunOver(
            f"run {record.run_id} is {record.state.value} (revision {record.revision}): there is "
            "nothing to cancel.",
            remedy="`porewatch report` shows a run that is completed, `porewatch logs` any run.",
        )
    after = _nothing(record, RunState.CANCELLED, order.sentence, at)
    after = _moved(after, at, cancelled_at=at)
    fact = RunCancelled(
        fact_id=fact_id(RunCancelled, record.run_id, record.revision),
        run_id=record.run_id,
        revision=record.revision,
        at=at,
        was=record.state,
        by=order.by,
        reason=order.reason,
        problem=order.sentence,
    )
    return without_result(record, after), (fact,)


MOST_LATE = 200
"""Late files that are named; a run that gets more is being sent again."""


def late(record: RunRecord, path: str, at: datetime) -> Move:
    """A file came after the seal. It is no part of what runs or ran; sealing again takes it in."""
    if record.state is RunState.RECEIVING or path in record.late or len(record.late) >= MOST_LATE:
        return None
    return _moved(record, at, late=(*record.late, path)), ()


def cost(record: RunRecord, usd: float, at: datetime) -> Move:
    """What the run has cost so far. Seconds settle late, so it may move after the end.

    A bill only grows: of two sums that were made at once, the smaller one is the older one.
    """
    if usd <= record.cost_usd:
        return None
    return _moved(record, at, cost_usd=usd), ()


def close(record: RunRecord, revision: int, usd: float, at: datetime) -> Move:
    """Nothing goes on any more of a revision that came to nothing; the bill is `usd` (`cost`)."""
    left = tuple(one for one in record.unended if one.revision != revision)
    if left == record.unended:
        return cost(record, usd, at)
    return _moved(record, at, cost_usd=max(record.cost_usd, usd), unended=left), ()


def found(record: RunRecord, revision: int, findings: int, at: datetime) -> Move:
    """How many pathogens this revision found; StaleEpoch when the run has moved on."""
    if record.revision == revision and record.findings == findings:
        return None
    _must_run(record, revision)
    return _moved(record, at, findings=findings), ()


def refuse_unless_running(record: RunRecord, revision: int) -> None:
    """Raises StaleEpoch for work on a revision that does not run (any more): an execution may begin
    just when it is stopped, and must not get a machine."""
    _must_run(record, revision)


def ended(record: RunRecord) -> bool:
    return record.state in FINAL_STATES


def _came_to_nothing(record: RunRecord, revision: int) -> bool:
    there = (record, record.attempt, *record.unended)
    return any(r is not None and r.revision == revision and r.state in MENDABLE for r in there)


def _must_run(record: RunRecord, revision: int) -> None:
    if record.revision != revision or record.state is not RunState.RUNNING:
        raise StaleEpoch(
            f"run {record.run_id} is {record.state.value} at revision {record.revision}, "
            f"not running at revision {revision}."
        )


def _new(run_id: str, at: datetime) -> RunRecord:
    return RunRecord(run_id=run_id, state=RunState.RECEIVING, created_at=at, updated_at=at)


def _moved(record: RunRecord, at: datetime, **changes: Any) -> RunRecord:
    later = max(record.updated_at, at)
    return RunRecord.model_validate({**record.model_dump(), **changes, "updated_at": later})
