"""How a run moves: received -> sealed -> running -> completed | failed | cancelled, or refused.

Pure. Every rule takes the record as it stands (None when there is none) and answers the record as
it should stand with the facts that report it, or None when nothing is to be done because the same
thing was done before. Late and repeated events never move a run backwards. A revision that comes to
nothing beside a completed one is an attempt: the run goes by the completed one again
(`domain.rules.revisions`).
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from porewatch.domain.errors import AlreadyDone
from porewatch.domain.facts.run_facts import (
    RunStarted,
)
from porewatch.domain.labels import Label
from porewatch.domain.people.roles import ProjectId
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.rules.run_states import (
    Move,
    moved,
    new_record,
    refuse_unless_running,
)
from porewatch.domain.runs import RunManifest, RunState


def receive(record: RunRecord | None, run_id: str, at: datetime) -> Move:
    """The first file of a run makes it known."""
    if record is not None:
        return None
    return new_record(run_id, at), ()


class Registration(NamedTuple):
    """Whose run it will be, before anything of it is there."""

    project: ProjectId
    name: Label
    submitted_by: str


def register(record: RunRecord | None, run_id: str, owner: Registration, at: datetime) -> Move:
    """A run of a project begins with its registration. AlreadyDone when there is a run of this id:
    ids are random, so it is the same request once more."""
    if record is not None:
        raise AlreadyDone(f"run {run_id} is registered.")
    return new_record(run_id, at).model_copy(update=owner._asdict()), ()


def start(
    record: RunRecord | None, manifest: RunManifest, execution_arn: str, bundle: str, at: datetime
) -> Move:
    """SEALED with this manifest -> RUNNING; anything else stays."""
    digest = manifest.digest()
    if record is None or record.state is not RunState.SEALED or record.manifest_digest != digest:
        return None
    after = moved(
        record,
        at,
        state=RunState.RUNNING,
        execution_arn=execution_arn,
        bundle=bundle,
        problem=None,
        refusals=(),
    )
    fact = RunStarted(
        fact_id=RunStarted.id_of(record.run_id, record.revision, digest[:16]),
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
    return moved(record, at, execution_arn=execution_arn, restarts=restarts), ()


def found(record: RunRecord, revision: int, findings: int, at: datetime) -> Move:
    """How many pathogens this revision found; StaleEpoch when the run has moved on."""
    if record.revision == revision and record.findings == findings:
        return None
    refuse_unless_running(record, revision)
    return moved(record, at, findings=findings), ()
