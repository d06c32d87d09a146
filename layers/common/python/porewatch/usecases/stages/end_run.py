"""End a run that the ledger says has failed or was cancelled: everything of it stops, and it is
paid.

The only way, whoever ended it: a person (`cancel_run`), the state machine or the end of its
execution (`fail_run`, `close_run`). Each of them has moved the record of the run first, on
condition that it had not ended (of cancelling and completing, one wins), and the record keeps the
revision among its `unended` ones, whatever follows. Then: the execution of a cancelled run is
stopped -> the workers of all stages are fenced -> their instances are terminated and paid -> the
rest of the bill -> the record says that all this is done. Each step is idempotent, and
`reconcile_runs` finishes what a crash or an outage left undone. An instance that was being launched
meanwhile finds its stage ended, and the monitor terminates it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from porewatch.domain.records.run_record import Unended
from porewatch.domain.rules import run_endings, stage_endings
from porewatch.domain.runs import RunState
from porewatch.domain.stage.record import StageRecord
from porewatch.domain.stage.state_machine_tasks import Terminate
from porewatch.usecases.instances.terminate_instances import terminate_instances
from porewatch.usecases.money.settle_overhead import settle_overhead

if TYPE_CHECKING:
    from porewatch.adapters.executions import Executions
    from porewatch.adapters.ledger.runs import RunLedger
    from porewatch.adapters.ledger.stages import StageLedger
    from porewatch.compute.executors import Executors
    from porewatch.domain.forecast.prices import ServicePrices


@dataclass(frozen=True)
class Brakes:
    """Dependencies of ending a run of `stack`; `at`: now."""

    stack: str
    runs: RunLedger
    stages: StageLedger
    executions: Executions
    executor: Executors
    prices: ServicePrices
    at: datetime


def end_run(run_id: str, left: Unended, brakes: Brakes) -> tuple[str, ...]:
    """`left`: what the record of the run says of the failed revision. Returns its instances: those
    of the last open epochs, as earlier ones were terminated with their epochs.

    Unavailable or Throttled when a service did not answer: then it is not done, and is retried.
    """
    if left.state is RunState.CANCELLED:
        brakes.executions.stop(left.execution_arn, left.problem)
    stages = brakes.stages.of_run(run_id, left.revision)
    for stage in stages:
        brakes.stages.apply(stage.key, stage_endings.abandon, stage.epoch, left.problem, brakes.at)
    machines = [name for stage in stages for name in _machines_end(stage, left.problem, brakes)]
    _settle(run_id, left.revision, brakes)
    return tuple(machines)


def _machines_end(stage: StageRecord, why: str, brakes: Brakes) -> tuple[str, ...]:
    """Terminate them, and release the reservation of one that never came."""
    task = Terminate(
        run_id=stage.run_id,
        revision=stage.revision,
        stage=stage.stage,
        epoch=stage.epoch,
        reason=why,
    )
    return terminate_instances(
        task,
        stack=brakes.stack,
        stages=brakes.stages,
        executor=brakes.executor,
        at=brakes.at,
        last_heard=stage.updated_at,
    ).instance_ids


def _settle(run_id: str, revision: int, brakes: Brakes) -> None:
    runs = brakes.runs
    settle_overhead(
        run_id,
        revision,
        runs=runs,
        stages=brakes.stages,
        prices=brakes.prices,
        at=brakes.at,
    )
    bill = sum(line.usd for line in runs.cost_lines(run_id))
    runs.apply_to_gone(run_id, run_endings.close, revision, round(bill, 6), brakes.at)
