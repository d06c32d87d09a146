"""A stage failed: retry, or not. A run failed: record it once, with who has to act, and its
cost."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import TYPE_CHECKING

from porewatch.domain.errors import (
    CapacityUnavailable,
    ConfigurationRefused,
    Conflict,
    NotFound,
    QuotaExceeded,
    parts_of,
)
from porewatch.domain.reasons.reason import Reasons
from porewatch.domain.rules import run_endings, stage_endings
from porewatch.domain.rules.revisions import unended
from porewatch.domain.rules.stage_endings import next_step
from porewatch.domain.stage.instances import no_rung
from porewatch.domain.stage.record import StageKey, StageRecord, StageState
from porewatch.domain.stage.retry_policy import (
    Decision,
    Kind,
    input_is_to_blame,
    kind_of,
)
from porewatch.domain.stage.state_machine_tasks import (
    Decide,
    Decided,
    FailRun,
    RunEnded,
    sentence_of,
)
from porewatch.usecases.stages.end_run import (
    Brakes,
    end_run,
)

if TYPE_CHECKING:
    from porewatch.adapters.ledger.stages import StageLedger

OF_LAUNCHES = frozenset(
    kind.__name__ for kind in (CapacityUnavailable, QuotaExceeded, ConfigurationRefused)
)
"""Errors of a launch whose rungs are all tried."""
_log = logging.getLogger(__name__)


def handle_error(task: Decide | FailRun, brakes: Brakes) -> Decided | RunEnded:
    """The two error tasks of the state machine."""
    if isinstance(task, Decide):
        return decide_stage(task, stages=brakes.stages, at=brakes.at)
    return fail_run(task, brakes)


def decide_stage(task: Decide, *, stages: StageLedger, at: datetime) -> Decided:
    """Count the failure, if it is not counted yet, and decide by the counters of the stage.

    A failure is counted once per epoch, so a repeated task gets the same answer. A stage that was
    published after all is opened again: opening finds the manifest and continues.
    """
    record = stages.get(task.key)
    if record.epoch == task.epoch:
        record = _counted(record, task, stages, at)
    if record.state is StageState.PUBLISHED:
        return Decided(decision="retry", reason="it was published after all.", wait_seconds=0)
    if record.epoch != task.epoch:
        return Decided(decision="retry", reason="a later epoch is open already.", wait_seconds=0)
    decision = next_step(record)
    return Decided(
        decision="retry" if decision.retry else "fail",
        reason=_reason_text(record, decision),
        wait_seconds=decision.wait_seconds,
    )


def _reason_text(record: StageRecord, decision: Decision) -> str:
    """The problem, then the decision. A refusal that names its own remedy is complete."""
    problem = record.problem or record.error or ""
    if parts_of(problem).remedy and not decision.retry:
        return problem
    return f"{problem}\n{decision.reason}"


def _counted(record: StageRecord, task: Decide, stages: StageLedger, at: datetime) -> StageRecord:
    problem = sentence_of(task.cause) or task.error
    if kind_of(task.error) is Kind.INTERRUPTION and record.instance_id is not None:
        return stages.apply(
            record.key, stage_endings.interrupt, task.epoch, record.instance_id, None, at
        )
    why = _why_no_machine(record, task, stages)
    return stages.apply(
        record.key, stage_endings.fail, task.epoch, task.error, problem, at, why=why
    )


def _why_no_machine(record: StageRecord, task: Decide, stages: StageLedger) -> Reasons:
    """A cause is a text; what each rung of a launch gave is in the ledger, by code."""
    if task.error not in OF_LAUNCHES:
        return ()
    refusals = stages.refusals(record.key, task.epoch)
    if not all(refusal.why for refusal in refusals):
        return ()
    if len(refusals) < 2:
        return tuple(reason for refusal in refusals for reason in refusal.why)
    return (no_rung((refusal.rung_why, refusal.why) for refusal in refusals),)


def _why(task: FailRun, stages: StageLedger) -> Reasons:
    """What `decide_stage` said of the stage, by code; nothing where it was a text alone."""
    if task.stage is None:
        return ()
    record = stages.find(StageKey(task.run_id, task.revision, task.stage))
    if record is None or record.state is not StageState.FAILED or not record.why:
        return ()
    if (record.epoch, record.error) != (task.epoch, task.error):
        return ()
    return (*record.why, next_step(record).why)


def fail_run(task: FailRun, brakes: Brakes) -> RunEnded:
    """The run is over without a result: FAILED, or REFUSED when the sender has to act. Then all of
    it ends (`end_run`)."""
    problem = sentence_of(task.cause) or f"it stopped with {task.error}."
    why = _why(task, brakes.stages)
    try:
        run = brakes.runs.apply(
            task.run_id,
            run_endings.fail,
            task.revision,
            stage=task.stage,
            error=task.error,
            problem=problem,
            why=why,
            refused=input_is_to_blame(task.error),
            at=brakes.at,
        )
    except (Conflict, NotFound) as error:
        _log.warning("the run's record stays as it is: %s", error)
    else:
        left = unended(run, task.revision)
        if left is not None:
            end_run(run.run_id, left, brakes)
    return RunEnded(error=task.error, problem=problem)
