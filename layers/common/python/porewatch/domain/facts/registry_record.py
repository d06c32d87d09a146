"""The workflow record: one row of the registry for each revision of a run, as facts change it."""

from __future__ import annotations

from typing import Any

from porewatch.domain.base import Model, Moment
from porewatch.domain.calls.findings import Outcome
from porewatch.domain.calls.verdict import Verdict
from porewatch.domain.facts.fact import Fact
from porewatch.domain.facts.run_facts import (
    RunCancelled,
    RunCompleted,
    RunFailed,
    RunRefused,
    RunSealed,
    RunStarted,
)
from porewatch.domain.facts.stage_facts import (
    InstanceLaunched,
    SpotInterrupted,
    StageClaimed,
    StageCompleted,
    StageFailed,
)
from porewatch.domain.people.roles import ProjectId
from porewatch.domain.runs import RunId, RunState


class WorkflowChange(Model):
    """What one fact says about a run; None = it does not say."""

    run_id: RunId
    revision: int
    state: RunState
    at: Moment
    project: ProjectId | None = None
    name: str | None = None
    submitted_by: str | None = None
    profile: str | None = None
    bundle: str | None = None
    manifest_digest: str | None = None
    execution_arn: str | None = None
    files: int | None = None
    samples: int | None = None
    problem: str | None = None
    findings: int | None = None
    outcome: Outcome | None = None
    verdict: Verdict | None = None
    cost_usd: float | None = None
    report_keys: dict[str, str] | None = None
    sealed_at: Moment | None = None
    started_at: Moment | None = None
    ended_at: Moment | None = None


STATES: dict[type[Fact], tuple[RunState, str]] = {
    RunSealed: (RunState.SEALED, "sealed_at"),
    RunStarted: (RunState.RUNNING, "started_at"),
    RunCompleted: (RunState.COMPLETED, "ended_at"),
    RunFailed: (RunState.FAILED, "ended_at"),
    RunRefused: (RunState.REFUSED, "ended_at"),
    RunCancelled: (RunState.CANCELLED, "ended_at"),
}
"""Fact -> the state it reports, and the time it sets."""

STAGE_STATES: dict[type[Fact], str] = {
    InstanceLaunched: "launched",
    StageClaimed: "claimed",
    SpotInterrupted: "interrupted",
    StageCompleted: "published",
    StageFailed: "failed",
}


def change_of(fact: Fact) -> WorkflowChange | None:
    """What `fact` changes about its run's record; None for facts about something else."""
    if type(fact) not in STATES:
        return None
    state, moment = STATES[type(fact)]
    values: dict[str, Any] = {
        name: value
        for name, value in fact.model_dump().items()
        if name in WorkflowChange.model_fields and name != "samples"
    }
    if isinstance(fact, (RunSealed, RunStarted)):
        values["samples"] = fact.samples if isinstance(fact, RunSealed) else len(fact.samples)
    if isinstance(fact, RunCompleted) and fact.verdict is not None:
        values["outcome"] = fact.verdict.outcome
    return WorkflowChange.model_validate({**values, "state": state, moment: fact.at})
