"""Every minute, and whenever EC2 says something: which workers are gone, late or unheard, which
machines are forgotten?

Order: `sweep` (all stages that somebody must watch, their cost, all machines, then money nobody
needs), `hear_cloud` (one machine), `look_after` (one stage). One stage's trouble never keeps
another from being looked after, nor does it that there are many: each part of the sweep has its
share of the time, and goes on at the next sweep where it stopped (`take_turns`).
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
from porewatch.domain.rules.liveness import (
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
from porewatch.domain.stage.cloud_events import InstanceEvent, NewsKind
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
    from porewatch.compute.executor import Executor

_log = logging.getLogger(__name__)
ENDS_S = {"stages": 22.0, "budget": 28.0, "machines": 36.0, "money": 42.0}
"""When each part of a sweep begins nothing new, in seconds after its beginning. All has 50."""


def _tick() -> float:
    return time.monotonic()


@dataclass(frozen=True)
class MonitorContext:
    """What watching needs."""

    stack: str
    stages: StageLedger
    results: Objects
    callbacks: Callbacks
    executor: Executor
    queue: WorkerQueue
    kills: Kills
    turns: SweepCursor
    notes: WorkerNotes
    worker_role_id: str
    at: datetime
    budget: Budget | None = None
    began: float = field(default_factory=_tick)

    def round(self, name: str) -> TimeBoxedSweep:
        """The part `name` of a sweep, with its share of the time."""
        return TimeBoxedSweep(name, self.turns, self.began + ENDS_S[name])


def sweep(watch: MonitorContext) -> None:
    """Look after every stage and every machine."""
    records = list(watch.stages.awaiting())
    seen = _seen(watch, records)
    stages = {"#".join(map(str, record.key)): record for record in records}
    watch.round("stages").over(stages, lambda record: _safely(watch, record, seen))
    if watch.budget is not None:
        stop_over_budget(
            records,
            seen.machines,
            budget=watch.budget,
            executor=watch.executor,
            at=watch.at,
            turn=watch.round("budget"),
        )
    there = query_sources(watch.executor.inventory)
    _end_forgotten(watch, there.found)
    if watch.budget is not None:
        release_stale_reservations(
            stack=watch.stack,
            stages=watch.stages,
            executor=watch.executor,
            budget=watch.budget,
            at=watch.at,
            turn=watch.round("money"),
        )
    there.raise_if_silent()


def hear_cloud(news: InstanceEvent, watch: MonitorContext) -> None:
    """EC2 said something about one machine; machines of others are none of our business."""
    if news.kind is NewsKind.SWEEP:
        sweep(watch)
        return
    owned = [r for r in watch.stages.awaiting() if r.instance_id == news.instance_id]
    for record in owned:
        _log.info("%s: %s %s", news.kind.value, news.instance_id, news.state)
        if news.kind is NewsKind.RECLAIM:
            watch.stages.note_reclaim(record.key, record.epoch, watch.at)
        elif news.kind is NewsKind.STATE and news.state != "running":
            _safely(watch, record, _seen(watch, [record]))


def _seen(watch: MonitorContext, records: Iterable[StageRecord]) -> Sight:
    """What the clouds show of the records' machines."""
    wanted = [r.instance_id for r in records if r.instance_id and r.state not in ENDED]
    return look_at(wanted, watch.executor.observe)


def _safely(watch: MonitorContext, record: StageRecord, seen: Sight) -> None:
    try:
        look_after(watch, record.key, seen)
    except Conflict as error:
        _log.info("%s moved meanwhile: %s", record.stage, error)
    except PorewatchError:
        _log.exception("could not look after %s of %s", record.stage, record.run_id)


def look_after(watch: MonitorContext, key: StageKey, seen: Sight) -> None:
    """Bring one stage forward, if its worker cannot do it any more."""
    record = watch.stages.get(key)
    if record.state not in ENDED:
        record = _by_its_own_word(watch, record, seen)
    if ahead(record, watch.at):
        _log.warning("%s of %s: the worker's clock is ahead", record.stage, record.run_id)
        record = watch.stages.set_back(key, record.epoch, watch.at)
    if record.last_beat != record.heard_beat:
        record = watch.stages.hear(key, record.epoch, watch.at)
    if record.state not in ENDED:
        record = _published(watch, record) or _judged(watch, record, seen)
    answer_stage(record, stages=watch.stages, callbacks=watch.callbacks, at=watch.at)


def _by_its_own_word(watch: MonitorContext, record: StageRecord, seen: Sight) -> StageRecord:
    machine = seen.machines.get(record.instance_id or "")
    user_id = user_id_of(record, machine, watch.worker_role_id)
    return handle_worker_note(record, user_id, stages=watch.stages, notes=watch.notes, at=watch.at)


def _published(watch: MonitorContext, record: StageRecord) -> StageRecord | None:
    return publish_stage(record, stages=watch.stages, results=watch.results, at=watch.at)


def _judged(watch: MonitorContext, record: StageRecord, seen: Sight) -> StageRecord:
    instance_id = record.instance_id
    if instance_id is None or seen.unknown(instance_id):
        return record
    machine = seen.machines.get(instance_id)
    if overdue(record, machine, watch.at):
        record = watch.stages.count_silence(record.key, record.epoch, watch.at)
    verdict = check_liveness(record, machine, _queue_is_empty(watch), watch.at)
    if verdict.stands:
        verdict = _standing(watch, record)
    if verdict.life is Life.UNKNOWN:
        _log.info("%s of %s: nothing certain is known", record.stage, record.run_id)
    if verdict.life is Life.ALIVE:
        _keep_waiting(watch, record)
    if verdict.life is not Life.DEAD:
        return record
    _log.warning("%s of %s: %s", record.stage, record.run_id, verdict.problem)
    keep_console(record, results=watch.results, executor=watch.executor)
    if verdict.error == "SpotInterrupted":
        checkpoint = record.progress.checkpoint if record.progress else None
        return watch.stages.mark_interrupted(
            record.key, record.epoch, instance_id, checkpoint, watch.at
        )
    return watch.stages.mark_failed(
        record.key, record.epoch, verdict.error, verdict.problem, watch.at
    )


def _standing(watch: MonitorContext, record: StageRecord) -> LivenessVerdict:
    """Tell that it stands still; when it stood for long, the bucket is asked as well."""
    record = watch.stages.note_stall(record.key, record.epoch, watch.at)
    if not stood_long(record, watch.at):
        return STANDS
    try:
        written = [head.modified for head in _work(watch, record)]
    except PorewatchError as error:
        _log.warning("cannot see what %s has written: %s", record.stage, error)
        return UNKNOWN
    return stuck(record, max(written, default=None), watch.at)


def _work(watch: MonitorContext, record: StageRecord) -> Iterator[Head]:
    """What the epoch's own machine has written, but for its log: others' words are no sign of it"""
    if record.attempt is None:
        return
    log = s3_keys.log_key(record.attempt)
    yield from (head for head in watch.results.keys(record.attempt) if head.key != log)


def _keep_waiting(watch: MonitorContext, record: StageRecord) -> None:
    """Tell the state machine that its worker is alive. Beats may get lost on their way, and a job
    in its queue has no worker yet that could beat; how long that may last is the ledger's clocks'
    business (`domain.rules.liveness`), not the state machine's."""
    if record.task_token is None:
        return
    try:
        watch.callbacks.beat(record.task_token)
    except AlreadyDone:
        _log.info("nobody waits for %s of %s", record.stage, record.run_id)


def _queue_is_empty(watch: MonitorContext) -> bool | None:
    try:
        return watch.queue.is_empty()
    except PorewatchError as error:
        _log.warning("cannot see the queue: %s", error)
        return None


def _end_forgotten(watch: MonitorContext, machines: Iterable[Machine]) -> None:
    """End machines that have no use any more, at second sight. Those that went by themselves,
    unseen by the terminator, still have to be paid for."""
    hands = CleanupContext(watch.stack, watch.stages, watch.executor, watch.kills, watch.at)
    known = {machine.instance_id: machine for machine in machines}
    watch.round("machines").over(known, lambda machine: _end_if_forgotten(watch, machine, hands))


def _end_if_forgotten(watch: MonitorContext, machine: Machine, hands: CleanupContext) -> None:
    try:
        if machine.state is MachineState.GONE:
            _pay_if_forgotten(watch, machine)
        elif thing := thing_of(machine, watch.stack):
            settle(thing, hands)
    except PorewatchError:
        _log.exception("could not end %s", machine.instance_id)


def _pay_if_forgotten(watch: MonitorContext, machine: Machine) -> None:
    owner = machine.owner
    if owner is None:
        return
    record = watch.stages.find(StageKey(owner.run_id, owner.revision, owner.stage))
    why = forgotten(machine, record, watch.at)
    if why is not None:
        reason = f"forgotten: {why}"
        end_machine(
            machine, owner, reason, stages=watch.stages, executor=watch.executor, at=watch.at
        )
