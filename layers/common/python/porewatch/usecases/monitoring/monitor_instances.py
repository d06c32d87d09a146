"""Every minute, and on EC2 events: which workers are gone, late or silent, and which instances are
forgotten?

Order: `sweep` (all stages under watch, their cost, all instances, then stale reservations),
`handle_instance_event` (one instance), `look_after` (one stage). A stage that fails does not block
the others, nor does their number: each part of the sweep has its share of the time, and resumes
where it stopped (`time_boxed_sweep`).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from porewatch.domain import s3_keys
from porewatch.domain.errors import AlreadyDone, Conflict, PorewatchError
from porewatch.domain.reasons.reason import Code, because
from porewatch.domain.rules import stage_endings, stage_lifecycle
from porewatch.domain.rules.liveness import (
    APART,
    STANDS,
    UNKNOWN,
    Life,
    LivenessVerdict,
    ahead,
    check_liveness,
    forgotten,
    overdue,
    stood_long,
    stuck,
)
from porewatch.domain.rules.orphans import thing_of
from porewatch.domain.rules.stage_lifecycle import ENDED
from porewatch.domain.stage.cloud_events import InstanceEvent, InstanceEventKind
from porewatch.domain.stage.instances import (
    Machine,
    MachineState,
)
from porewatch.domain.stage.record import StageKey, StageRecord
from porewatch.usecases.instances.keep_console import keep_console
from porewatch.usecases.instances.query_sources import (
    Sight,
    look_at,
    query_sources,
)
from porewatch.usecases.instances.terminate_instances import end_machine
from porewatch.usecases.instances.time_boxed_sweep import TimeBoxedSweep
from porewatch.usecases.monitoring.clean_up_orphan import (
    CleanupContext,
    settle,
)
from porewatch.usecases.monitoring.release_stale_reservations import release_stale_reservations
from porewatch.usecases.monitoring.stop_over_budget import stop_over_budget
from porewatch.usecases.stages.answer_stage import answer_stage
from porewatch.usecases.stages.handle_worker_note import (
    handle_worker_note,
    user_id_of,
)
from porewatch.usecases.stages.publish_stage import publish_stage

if TYPE_CHECKING:
    from porewatch.adapters.ledger.budget import Budget
    from porewatch.adapters.ledger.stages import StageLedger
    from porewatch.adapters.ledger.sweep_cursor import SweepCursor
    from porewatch.adapters.ledger.terminations import Kills
    from porewatch.adapters.ledger.worker_notes import WorkerNotes
    from porewatch.adapters.messages.callbacks import Callbacks
    from porewatch.adapters.messages.worker_queue import WorkerQueue
    from porewatch.adapters.objects import Head, Objects
    from porewatch.compute.executors import Executors

_log = logging.getLogger(__name__)
ENDS_S = {"stages": 22.0, "budget": 28.0, "machines": 36.0, "money": 42.0}
"""Seconds after the start of a sweep at which each part begins nothing new. The total limit is
50."""


def _tick() -> float:
    return time.monotonic()


@dataclass(frozen=True)
class MonitorContext:
    """Dependencies of the instance monitor."""

    stack: str
    stages: StageLedger
    results: Objects
    callbacks: Callbacks
    executor: Executors
    queue: WorkerQueue
    kills: Kills
    cursor: SweepCursor
    notes: WorkerNotes
    worker_role_id: str
    at: datetime
    budget: Budget | None = None
    began: float = field(default_factory=_tick)

    def round(self, name: str) -> TimeBoxedSweep:
        """The part `name` of a sweep, with its share of the time."""
        return TimeBoxedSweep(name, self.cursor, self.began + ENDS_S[name])


def sweep(context: MonitorContext) -> None:
    """Check every stage and every instance."""
    records = list(context.stages.awaiting())
    seen = _seen(context, records)
    stages = {"#".join(map(str, record.key)): record for record in records}
    context.round("stages").over(stages, lambda record: _safely(context, record, seen))
    if context.budget is not None:
        stop_over_budget(
            records,
            seen.machines,
            budget=context.budget,
            executor=context.executor,
            at=context.at,
            turn=context.round("budget"),
        )
    there = query_sources(context.executor.inventory)
    _end_forgotten(context, there.found)
    if context.budget is not None:
        release_stale_reservations(
            stack=context.stack,
            stages=context.stages,
            executor=context.executor,
            budget=context.budget,
            at=context.at,
            turn=context.round("money"),
        )
    there.raise_if_silent()


def handle_instance_event(event: InstanceEvent, context: MonitorContext) -> None:
    """Handle an event about one instance; instances of others are ignored."""
    if event.kind is InstanceEventKind.SWEEP:
        sweep(context)
        return
    owned = [r for r in context.stages.awaiting() if r.instance_id == event.instance_id]
    for record in owned:
        _log.info("%s: %s %s", event.kind.value, event.instance_id, event.state)
        if event.kind is InstanceEventKind.RECLAIM:
            context.stages.apply(record.key, stage_lifecycle.note_reclaim, record.epoch, context.at)
        elif event.kind is InstanceEventKind.STATE and event.state != "running":
            _safely(context, record, _seen(context, [record]))


def _seen(context: MonitorContext, records: Iterable[StageRecord]) -> Sight:
    """State of the records' instances as the executors show it."""
    instance_ids = [r.instance_id for r in records if r.instance_id and r.state not in ENDED]
    return look_at(instance_ids, context.executor.observe)


def _safely(context: MonitorContext, record: StageRecord, seen: Sight) -> None:
    try:
        look_after(context, record.key, seen)
    except Conflict as error:
        _log.info("%s was changed meanwhile: %s", record.stage, error)
    except PorewatchError:
        _log.exception("could not check %s of %s", record.stage, record.run_id)


def look_after(context: MonitorContext, key: StageKey, seen: Sight) -> None:
    """Move one stage on, if its worker no longer can."""
    record = context.stages.get(key)
    if record.state not in ENDED:
        record = _by_worker_note(context, record, seen)
    if ahead(record, context.at):
        _log.warning("%s of %s: the clock of the worker is ahead", record.stage, record.run_id)
        record = context.stages.apply(key, stage_lifecycle.set_back, record.epoch, context.at)
    if record.last_beat != record.heard_beat:
        record = context.stages.apply(key, stage_lifecycle.hear, record.epoch, context.at)
    if record.state not in ENDED:
        record = _published(context, record) or _judged(context, record, seen)
    answer_stage(record, stages=context.stages, callbacks=context.callbacks, at=context.at)


def _by_worker_note(context: MonitorContext, record: StageRecord, seen: Sight) -> StageRecord:
    machine = seen.machines.get(record.instance_id or "")
    user_id = user_id_of(record, machine, context.worker_role_id)
    return handle_worker_note(
        record, user_id, stages=context.stages, notes=context.notes, at=context.at
    )


def _published(context: MonitorContext, record: StageRecord) -> StageRecord | None:
    return publish_stage(record, stages=context.stages, results=context.results, at=context.at)


def _judged(context: MonitorContext, record: StageRecord, seen: Sight) -> StageRecord:
    instance_id = record.instance_id
    if instance_id is None or seen.unknown(instance_id):
        return record
    machine = seen.machines.get(instance_id)
    if overdue(record, machine, context.at):
        record = context.stages.apply(
            record.key, stage_lifecycle.count_silence, record.epoch, APART, context.at
        )
    verdict = check_liveness(record, machine, _queue_is_empty(context), context.at)
    if verdict.stands:
        verdict = _standing(context, record)
    if verdict.life is Life.UNKNOWN:
        _log.info("%s of %s: liveness unknown", record.stage, record.run_id)
    if verdict.life is Life.ALIVE:
        _keep_waiting(context, record)
    if verdict.why is None:  # else it is DEAD
        return record
    _log.warning("%s of %s: %s", record.stage, record.run_id, verdict.why.text())
    keep_console(record, results=context.results, executor=context.executor)
    if verdict.error == "SpotInterrupted":
        checkpoint = record.progress.checkpoint if record.progress else None
        return context.stages.apply(
            record.key, stage_endings.interrupt, record.epoch, instance_id, checkpoint, context.at
        )
    return context.stages.apply(
        record.key, stage_endings.fail, record.epoch, verdict.error, verdict.why, context.at
    )


def _standing(context: MonitorContext, record: StageRecord) -> LivenessVerdict:
    """Record the stall; after a long one check what the worker wrote to the bucket, too."""
    record = context.stages.apply(record.key, stage_lifecycle.note_stall, record.epoch, context.at)
    if not stood_long(record, context.at):
        return STANDS
    try:
        written = [head.modified for head in _work(context, record)]
    except PorewatchError as error:
        _log.warning("cannot list what %s has written: %s", record.stage, error)
        return UNKNOWN
    return stuck(record, max(written, default=None), context.at)


def _work(context: MonitorContext, record: StageRecord) -> Iterator[Head]:
    """What the epoch's own instance has written, without its log: writes of others are no sign of
    life."""
    if record.attempt is None:
        return
    log = s3_keys.log_key(record.attempt)
    yield from (head for head in context.results.keys(record.attempt) if head.key != log)


def _keep_waiting(context: MonitorContext, record: StageRecord) -> None:
    """Send a heartbeat to the state machine. Heartbeats of the worker may get lost, and a queued
    job has no worker yet; how long that may last is decided by the deadlines in the ledger
    (`domain.rules.liveness`), not by the state machine."""
    if record.task_token is None:
        return
    try:
        context.callbacks.beat(record.task_token)
    except AlreadyDone:
        _log.info(
            "no task token: Step Functions is not waiting for %s of %s", record.stage, record.run_id
        )


def _queue_is_empty(context: MonitorContext) -> bool | None:
    try:
        return context.queue.is_empty()
    except PorewatchError as error:
        _log.warning("cannot read the length of the worker queue: %s", error)
        return None


def _end_forgotten(context: MonitorContext, machines: Iterable[Machine]) -> None:
    """Terminate instances that are no longer used, at second sight. Those that ended by themselves,
    unseen by the terminator, still have to be paid."""
    cleanup = CleanupContext(
        context.stack, context.stages, context.executor, context.kills, context.at
    )
    known = {machine.instance_id: machine for machine in machines}
    context.round("machines").over(
        known, lambda machine: _end_if_forgotten(context, machine, cleanup)
    )


def _end_if_forgotten(context: MonitorContext, machine: Machine, cleanup: CleanupContext) -> None:
    try:
        if machine.state is MachineState.GONE:
            _pay_if_forgotten(context, machine)
        elif orphan := thing_of(machine, context.stack):
            settle(orphan, cleanup)
    except PorewatchError:
        _log.exception("could not terminate %s", machine.instance_id)


def _pay_if_forgotten(context: MonitorContext, machine: Machine) -> None:
    owner = machine.owner
    if owner is None:
        return
    record = context.stages.find(StageKey(owner.run_id, owner.revision, owner.stage))
    why = forgotten(machine, record, context.at)
    if why is not None:
        reason = because(Code.FORGOTTEN, why=why)
        end_machine(
            machine, owner, reason, stages=context.stages, executor=context.executor, at=context.at
        )
