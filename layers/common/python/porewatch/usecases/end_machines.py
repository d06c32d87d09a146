"""The machines of an epoch end, and what each one cost is settled. Twice changes nothing."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from porewatch.domain.cost import CostLine
from porewatch.domain.events import InstanceTerminated
from porewatch.domain.launching import Machine, MachineState, Owner
from porewatch.domain.phases import StageKey, StageRecord
from porewatch.domain.tasks import Terminate, Terminated

if TYPE_CHECKING:
    from porewatch.adapters.stages import StageLedger
    from porewatch.compute.executor import Executor


def end_machines(
    task: Terminate, *, stack: str, stages: StageLedger, executor: Executor, at: datetime
) -> Terminated:
    """End everything that carries the epoch's tags, and the machine the ledger knows of."""
    owner = Owner(
        stack=stack,
        run_id=task.run_id,
        revision=task.revision,
        stage=task.stage,
        epoch=task.epoch,
    )
    machines = {machine.instance_id: machine for machine in executor.find(owner)}
    known = _of_ledger(stages.find(task.key), task.epoch)
    if known is not None:
        machines.setdefault(known.instance_id, known)
    for machine in machines.values():
        end_machine(machine, owner, task.reason, stages=stages, executor=executor, at=at)
    return Terminated(instance_ids=tuple(sorted(machines)))


def end_machine(
    machine: Machine,
    owner: Owner,
    reason: str,
    *,
    stages: StageLedger,
    executor: Executor,
    at: datetime,
) -> bool:
    """End one machine and put it on its run's bill, with its fact, once. False when it is there."""
    if machine.state is not MachineState.GONE:
        executor.terminate(machine.instance_id)
    until = machine.ended_at or at
    seconds = max(0.0, (until - machine.launched_at).total_seconds())
    cost = executor.price(machine.instance_type, machine.purchase, seconds)
    full = executor.price(machine.instance_type, "on-demand", seconds)
    line = CostLine(
        what="machine",
        stage=owner.stage,
        epoch=owner.epoch,
        instance_id=machine.instance_id,
        instance_type=machine.instance_type,
        purchase=machine.purchase,
        seconds=seconds,
        usd=cost,
        on_demand_usd=full,
    )
    key = StageKey(owner.run_id, owner.revision, owner.stage)
    return stages.settle_cost(key, line, _told(machine, owner, line, reason, at))


def _told(
    machine: Machine, owner: Owner, line: CostLine, reason: str, at: datetime
) -> InstanceTerminated:
    parts = (owner.run_id, owner.revision, owner.stage, owner.epoch, machine.instance_id)
    return InstanceTerminated(
        fact_id=":".join(["InstanceTerminated", *(str(part) for part in parts)]),
        run_id=owner.run_id,
        revision=owner.revision,
        at=at,
        stage=owner.stage,
        epoch=owner.epoch,
        instance_id=machine.instance_id,
        instance_type=machine.instance_type,
        purchase=machine.purchase,
        seconds=line.seconds,
        cost_usd=line.usd,
        reason=reason,
    )


def _of_ledger(record: StageRecord | None, epoch: int) -> Machine | None:
    """The machine as the ledger remembers it: the cloud forgets machines an hour after their end,
    and shows new ones late."""
    if record is None or record.epoch != epoch or record.launched_at is None:
        return None
    return Machine(
        instance_id=record.instance_id or "",
        state=MachineState.UNKNOWN,
        instance_type=record.instance_type or "",
        purchase=record.purchase or "on-demand",
        availability_zone=record.availability_zone or "",
        launched_at=record.launched_at,
    )
