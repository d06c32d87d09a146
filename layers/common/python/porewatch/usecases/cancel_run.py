"""A person stops a run: nothing of it goes on, people hear of it, and what it cost is settled.

Order: the ledger first, on condition that the run has not ended (of cancelling and completing, one
wins) -> the execution is stopped -> workers are fenced, then their machines ended and paid -> the
rest of the bill. Each step can be done again: the same order finishes what an earlier one began.
A machine that was being launched meanwhile finds its stage ended, and the monitor ends it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from porewatch.domain.cancelling import Cancel, Cancelled
from porewatch.domain.phases import StageRecord
from porewatch.domain.revisions import newest
from porewatch.domain.runs import RunRecord
from porewatch.domain.tasks import Terminate
from porewatch.usecases.end_machines import end_machines
from porewatch.usecases.settle_overhead import settle_overhead

if TYPE_CHECKING:
    from porewatch.adapters.executions import Executions
    from porewatch.adapters.runs import RunLedger
    from porewatch.adapters.stages import StageLedger
    from porewatch.compute.executor import Executor
    from porewatch.domain.prices import ServicePrices


@dataclass(frozen=True)
class Brakes:
    """What it takes to stop a run of `stack`; `at`: now."""

    stack: str
    runs: RunLedger
    stages: StageLedger
    executions: Executions
    executor: Executor
    prices: ServicePrices
    at: datetime


def cancel_run(order: Cancel, brakes: Brakes) -> Cancelled:
    """NotFound for an unknown run, RunOver for one that ended otherwise; a cancelled one stays so
    and loses what may still be at work for it."""
    record = newest(brakes.runs.cancel(order, at=brakes.at))
    machines: list[str] = []
    if record.execution_arn is not None:
        brakes.executions.stop(record.execution_arn, order.sentence)
        for stage in brakes.stages.of_run(record.run_id, record.revision):
            machines += _end(stage, order, brakes)
        _settle(record, brakes)
    return Cancelled(
        run_id=record.run_id,
        revision=record.revision,
        state=record.state,
        problem=record.problem or "",
        machines=tuple(machines),
        cost_usd=brakes.runs.get(order.run_id).cost_usd,
    )


def _end(stage: StageRecord, order: Cancel, brakes: Brakes) -> tuple[str, ...]:
    """Nobody works on this stage any more. Machines of earlier epochs ended with their epochs."""
    brakes.stages.abandon(stage, order.sentence, brakes.at)
    task = Terminate(
        run_id=stage.run_id,
        revision=stage.revision,
        stage=stage.stage,
        epoch=stage.epoch,
        reason=order.sentence,
    )
    return end_machines(
        task,
        stack=brakes.stack,
        stages=brakes.stages,
        executor=brakes.executor,
        at=brakes.at,
    ).instance_ids


def _settle(record: RunRecord, brakes: Brakes) -> None:
    run_id, runs = record.run_id, brakes.runs
    settle_overhead(
        run_id,
        record.revision,
        runs=runs,
        stages=brakes.stages,
        prices=brakes.prices,
        at=brakes.at,
    )
    bill = sum(line.usd for line in runs.cost_lines(run_id))
    runs.set_cost(run_id, round(bill, 6), brakes.at)
