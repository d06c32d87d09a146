"""A stage failed: again, or not. A run failed: say so, once, whose turn it is, and what it cost."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import TYPE_CHECKING

from porewatch.domain.decisions import Decision, Kind, input_is_to_blame, kind_of
from porewatch.domain.errors import Conflict, NotFound
from porewatch.domain.phases import StageRecord, StageState
from porewatch.domain.stage_ends import next_step
from porewatch.domain.tasks import Decide, Decided, FailRun, RunEnded, sentence_of
from porewatch.usecases.settle_overhead import settle_overhead

if TYPE_CHECKING:
    from porewatch.adapters.runs import RunLedger
    from porewatch.adapters.stages import StageLedger
    from porewatch.domain.prices import ServicePrices

_log = logging.getLogger(__name__)


def handle_error(
    task: Decide | FailRun,
    *,
    runs: RunLedger,
    stages: StageLedger,
    prices: ServicePrices,
    at: datetime,
) -> Decided | RunEnded:
    """The state machine's two questions about errors."""
    if isinstance(task, Decide):
        return decide_stage(task, stages=stages, at=at)
    return fail_run(task, runs=runs, stages=stages, prices=prices, at=at)


def decide_stage(task: Decide, *, stages: StageLedger, at: datetime) -> Decided:
    """Count the failure, if nobody has, and decide by the stage's own counters.

    A failure is counted once per epoch, so asking twice gives the same answer. A stage that was
    published after all is opened again: opening finds the manifest and goes on.
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
        reason=_told(record, decision),
        wait_seconds=decision.wait_seconds,
    )


def _told(record: StageRecord, decision: Decision) -> str:
    """What went wrong, then what is done about it. A refusal that names its own remedy says all."""
    problem = record.problem or record.error or ""
    if "Remedy:" in problem and not decision.retry:
        return problem
    return f"{problem}\n{decision.reason}"


def _counted(record: StageRecord, task: Decide, stages: StageLedger, at: datetime) -> StageRecord:
    problem = sentence_of(task.cause) or task.error
    if kind_of(task.error) is Kind.INTERRUPTION and record.instance_id is not None:
        return stages.mark_interrupted(record.key, task.epoch, record.instance_id, None, at)
    return stages.mark_failed(record.key, task.epoch, task.error, problem, at)


def fail_run(
    task: FailRun, *, runs: RunLedger, stages: StageLedger, prices: ServicePrices, at: datetime
) -> RunEnded:
    """The run is over without a result: FAILED, or REFUSED when the sender must mend something.

    What it took besides machines is settled then, as for a run that ends well.
    """
    problem = sentence_of(task.cause) or f"it stopped with {task.error}."
    try:
        runs.fail(
            task.run_id,
            task.revision,
            stage=task.stage,
            error=task.error,
            problem=problem,
            refused=input_is_to_blame(task.error),
            at=at,
        )
    except (Conflict, NotFound) as error:
        _log.warning("the run's record stays as it is: %s", error)
    else:
        settle_overhead(task.run_id, task.revision, runs=runs, stages=stages, prices=prices, at=at)
        _tell_cost(task.run_id, runs, at)
    return RunEnded(error=task.error, problem=problem)


def _tell_cost(run_id: str, runs: RunLedger, at: datetime) -> None:
    """No machine need end after this: the run's record gets the sum of its bill now."""
    runs.set_cost(run_id, round(sum(line.usd for line in runs.cost_lines(run_id)), 6), at)
