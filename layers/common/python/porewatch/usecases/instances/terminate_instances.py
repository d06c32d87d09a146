"""Terminate the instances of an epoch and settle the cost of each. Idempotent.

Order: `terminate_instances` (all of an epoch; releases what is left of its reservation),
`end_machine` (one: terminated, its seconds split, priced, on the bill), what is known without the
cloud.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from porewatch.domain.facts.stage_facts import InstanceTerminated
from porewatch.domain.money.cost import (
    CostLine,
    Split,
    split_seconds,
)
from porewatch.domain.reasons.reason import Reason, RunCode, because, coded, text_of
from porewatch.domain.stage.instances import (
    Machine,
    MachineState,
    Owner,
)
from porewatch.domain.stage.record import StageKey, StageRecord, StageState
from porewatch.domain.stage.state_machine_tasks import (
    OUTCOMES,
    Terminate,
    Terminated,
)
from porewatch.usecases.instances.query_sources import query_sources

if TYPE_CHECKING:
    from porewatch.adapters.ledger.stages import StageLedger
    from porewatch.compute.executors import Executors


def terminate_instances(
    task: Terminate,
    *,
    stack: str,
    stages: StageLedger,
    executor: Executors,
    at: datetime,
    last_heard: datetime | None = None,
) -> Terminated:
    """Terminate everything with the tags of the epoch, and the instance in the ledger. Raises when
    an executor that was tried for the epoch does not answer, after the others are terminated.

    `last_heard`: the last sign of life of the stage, for a termination long after it; an instance
    that the cloud no longer shows is paid until then (None: until `at`).
    """
    owner = Owner(
        stack=stack,
        run_id=task.run_id,
        revision=task.revision,
        stage=task.stage,
        epoch=task.epoch,
    )
    there = query_sources(lambda source: executor.find(owner, source))
    machines = {machine.instance_id: machine for machine in there.found}
    known = _of_ledger(stages.find(task.key), task.epoch, last_heard)
    if known is not None:
        machines.setdefault(known.instance_id, known)
    for machine in machines.values():
        end_machine(machine, owner, _why(task), stages=stages, executor=executor, at=at)
    there.raise_if_silent(stages.asked(task.key, task.epoch))
    stages.release_money(owner, at)
    return Terminated(instance_ids=tuple(sorted(machines)))


def _why(task: Terminate) -> str | Reason:
    """The state machine names an outcome; other callers give a reason, or a text alone."""
    if task.reason in OUTCOMES:
        return because(RunCode.ENDED_AS, outcome=task.reason)
    return task.why or task.reason


def end_machine(
    machine: Machine,
    owner: Owner,
    reason: str | Reason,
    *,
    stages: StageLedger,
    executor: Executors,
    at: datetime,
) -> bool:
    """Terminate one instance and put it on the bill with its fact, once. False when it is on the
    bill already."""
    if machine.state is not MachineState.GONE:
        executor.terminate(machine.instance_id)
    key = StageKey(owner.run_id, owner.revision, owner.stage)
    line = _line(machine, owner, _split(machine, owner, stages, at), executor, _disk(owner, stages))
    return stages.settle_cost(key, line, _terminated_fact(machine, owner, line, reason, at))


def _line(machine: Machine, owner: Owner, split: Split, executor: Executors, disk: int) -> CostLine:
    seconds = sum(split)
    bare = executor.price(machine.instance_type, machine.purchase, seconds)
    cost = executor.price(machine.instance_type, machine.purchase, seconds, disk)
    return CostLine(
        what="machine",
        stage=owner.stage,
        epoch=owner.epoch,
        instance_id=machine.instance_id,
        instance_type=machine.instance_type,
        purchase=machine.purchase,
        seconds=seconds,
        boot_seconds=split.boot,
        useful_seconds=split.useful,
        wasted_seconds=split.wasted,
        usd=cost,
        on_demand_usd=executor.price(machine.instance_type, "on-demand", seconds, disk),
        volume_usd=round(cost - bare, 6),
        gib_hours=disk * seconds / 3600 if disk else None,
    )


def _split(machine: Machine, owner: Owner, stages: StageLedger, at: datetime) -> Split:
    """For an earlier epoch only the claim is known: its useful time counts as wasted.

    That concerns instances which outlived their epoch; all others are settled before the next one
    begins.
    """
    key = StageKey(owner.run_id, owner.revision, owner.stage)
    record = stages.find(key)
    claim = stages.claim_of(key, owner.epoch)
    mine = claim is not None and claim.instance_id == machine.instance_id
    current = record is not None and record.epoch == owner.epoch
    progress = record.progress if record is not None and current else None
    return split_seconds(
        machine.launched_at,
        machine.launched_at if machine.waiting else machine.ended_at or at,
        claimed_at=claim.at if claim is not None and mine else None,
        kept_until=progress.checkpoint_at if progress else None,
        published=record is not None and current and record.state is StageState.PUBLISHED,
    )


def _disk(owner: Owner, stages: StageLedger) -> int:
    """GiB of the requested disk; 0 without a recorded launch."""
    key = StageKey(owner.run_id, owner.revision, owner.stage)
    return max((intent.spec.disk_gib for intent in stages.intents(key, owner.epoch)), default=0)


def _terminated_fact(
    machine: Machine, owner: Owner, line: CostLine, reason: str | Reason, at: datetime
) -> InstanceTerminated:
    key = StageKey(owner.run_id, owner.revision, owner.stage)
    return InstanceTerminated(
        fact_id=InstanceTerminated.id_of(*key, owner.epoch, machine.instance_id),
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
        reason=text_of(reason),
        why=coded(reason),
    )


def _of_ledger(
    record: StageRecord | None, epoch: int, last_heard: datetime | None
) -> Machine | None:
    """The instance as the ledger knows it: the cloud shows instances late, and until an hour after
    their termination."""
    if record is None or record.epoch != epoch or record.launched_at is None:
        return None
    return Machine(
        instance_id=record.instance_id or "",
        state=MachineState.UNKNOWN,
        instance_type=record.instance_type or "",
        purchase=record.purchase or "on-demand",
        availability_zone=record.availability_zone or "",
        launched_at=record.launched_at,
        ended_at=last_heard and max(last_heard, record.launched_at),
        executor=record.executor,
    )
