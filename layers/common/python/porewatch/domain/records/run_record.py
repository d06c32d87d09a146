"""The state of a run, as the ledger holds it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from porewatch.domain.base import Model, Moment, Problem
from porewatch.domain.calls.verdict import Verdict
from porewatch.domain.labels import Label
from porewatch.domain.people.roles import DEFAULT_PROJECT, ProjectId
from porewatch.domain.records.refusal import Refusal
from porewatch.domain.records.retention_record import Deletion, Hold
from porewatch.domain.runs import RunId, RunState


class Unended(Model):
    """A revision that came to nothing and has not ended whole: of its execution, its machines or
    its bill something may be left (`usecases.stages.end_run`)."""

    revision: int
    state: RunState
    execution_arn: str
    problem: Problem = ""
    at: Moment


class RunRecord(Model):
    """The live state of a run, as the ledger holds it: of the revision that it goes by
    (`domain.rules.revisions`)."""

    run_id: RunId
    state: RunState
    project: Annotated[
        ProjectId, Field(description="whose run it is; never from a file that somebody sent")
    ] = DEFAULT_PROJECT
    name: Annotated[
        Label | None, Field(description="the project's own name for it; None: its id")
    ] = None
    submitted_by: Annotated[str | None, Field(description="the user who registered it")] = None
    slot: Annotated[
        bool, Field(description="counted among the runs that its project has under way")
    ] = False
    revision: int = 0
    manifest_digest: str | None = None
    earlier_digests: tuple[str, ...] = ()
    execution_arn: str | None = None
    restarts: Annotated[
        int, Field(ge=0, description="executions of this revision after its first")
    ] = 0
    profile: str = "default"
    bundle: str | None = None
    problem: Problem | None = None
    refusals: Annotated[
        tuple[Refusal, ...], Field(description="what `problem` says is wrong, by code")
    ] = ()
    created_at: Moment
    updated_at: Moment
    completed_at: Moment | None = None
    report_keys: dict[str, str] = {}
    cost_usd: float = 0.0
    findings: int | None = None
    bases: Annotated[
        int | None, Field(ge=0, description="bases of its samples and controls that were screened")
    ] = None
    verdict: Annotated[
        Verdict | None, Field(description="None: not over, or published by an earlier version")
    ] = None
    late: Annotated[
        tuple[str, ...], Field(description="files that came after the seal: not screened")
    ] = ()
    hold: Annotated[
        Hold | None, Field(description="legal hold: nothing of the run may be deleted")
    ] = None
    earlier_holds: tuple[Hold, ...] = ()
    deletion: Annotated[Deletion | None, Field(description="of a deleted run, else None")] = None
    unended: Annotated[
        tuple[Unended, ...],
        Field(description="revisions that came to nothing and still have something to end or pay"),
    ] = ()
    cancelled_at: Annotated[
        Moment | None, Field(description="when a revision of the run was last cancelled")
    ] = None
    last_revision: Annotated[
        int, Field(ge=0, description="highest number given; what is refused at once has one, too")
    ] = 0
    standing: Annotated[
        RunRecord | None,
        Field(description="the newest completed revision, while a later one is under way"),
    ] = None
    attempt: Annotated[
        RunRecord | None,
        Field(description="the last revision that came to nothing beside one that stands"),
    ] = None
