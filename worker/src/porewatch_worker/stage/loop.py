"""Run one stage: resume, compute unit after unit, save, send heartbeats, finish, publish.

    open checkpoint -> for every unit not in it: announce, compute (in a thread), save, heartbeat
                    -> merge all units -> publish -> notify

The loop is independent of AWS: checkpoint store, outbox and publisher are passed in, local or
remote. Units are computed one at a time while the next one's input is read; `checkpoint.writer`
decides when they are saved, `poison_units.py` what happens to one that fails. A stop request ends
the loop after the current unit, or after `grace_s` without it; units computed before are saved at
once.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from porewatch.domain.base import now
from porewatch.domain.errors import PorewatchError, StaleEpoch, Throttled, Unavailable
from porewatch.domain.stage.quarantine import QuarantineRules
from porewatch.domain.stage.record import Progress
from porewatch_worker.checkpoint.checkpoint import Checkpoint
from porewatch_worker.checkpoint.interval import SaveInterval
from porewatch_worker.checkpoint.writer import Saver
from porewatch_worker.stage.child_process import in_child
from porewatch_worker.stage.periodic import repeating
from porewatch_worker.stage.poison_units import counts, given_up, needs_child, refuse_too_many, why
from porewatch_worker.stage.ports import Finished, Outbox, Publisher
from porewatch_worker.stage.prefetch import Background, Prefetcher
from porewatch_worker.stage.stop import Stop
from porewatch_worker.stage_work import Running, StageResult, StageWork, UnitOutput

log = logging.getLogger(__name__)
TICK_S = 0.2
T = TypeVar("T")


class Ending(StrEnum):
    PUBLISHED = "published"
    INTERRUPTED = "interrupted"


class _Interrupted(Exception):
    """A stop was requested and the loop has nothing more to save."""


@dataclass
class StageLoop:
    """One attempt at one stage."""

    work: StageWork
    checkpoint: Checkpoint
    outbox: Outbox
    publisher: Publisher
    scratch: Path
    stop: Stop = field(default_factory=Stop)
    beat_s: float = 20.0
    grace_s: float = 60.0
    on_save: Callable[[int], None] = lambda _number: None
    note: Callable[[], str] = lambda: ""
    waits: Callable[[], bool] = lambda: False
    rules: QuarantineRules = field(default_factory=QuarantineRules)
    interval: SaveInterval = field(default_factory=SaveInterval)

    def __post_init__(self) -> None:
        self._saver = Saver(self.checkpoint, self.interval, self._saved)
        self._started_at = now()
        self._running: Running | None = None

    def run(self) -> Ending:
        """To the end or to a stop. Raises what the work raises, and StaleEpoch when fenced out."""
        for remark in self.checkpoint.remarks:
            log.warning("%s", remark)
        with repeating(self.beat_s, "beat", lambda: self.outbox.beat(self.progress())):
            try:
                self._running = self._wait(Background(self._resumed))
                self._alarm()
                self._units()
                result = self._wait(Background(self._finish))
            except _Interrupted:
                return self._leave()
            except KeyboardInterrupt:
                self._saver.leave()  # a person's impatience is no unit's fault
                raise
            except StaleEpoch:
                raise
            except Exception as e:
                if not counts(e, self.scratch):
                    self._put_down(e)
                raise
            self._publish(result)
        return Ending.PUBLISHED

    def progress(self) -> Progress:
        """The work's own progress with computed and saved units."""
        there = self.work.progress()
        update = {
            "note": self.note() or there.note,
            "units_total": self.work.units_total(),
            "waits_for_service": self.waits(),
        }
        return self._saver.progress(there.model_copy(update=update))

    def _units(self) -> None:
        prefetcher = Prefetcher(self.work.units(frozenset(self.checkpoint.units)))
        try:
            for number, payload in self._arriving(prefetcher):
                self._saver.begin(number)
                self._unit(number, payload)
                self.outbox.beat(self.progress())
        finally:
            prefetcher.close()
        if self._running is not None:
            self._running.end()
            self._alarm()
        self._saver.save()
        self.outbox.beat(self.progress())
        refuse_too_many(self.checkpoint.quarantined, self.rules, len(self.checkpoint.units))

    def _arriving(self, prefetcher: Prefetcher[tuple[int, Any]]) -> Iterator[tuple[int, Any]]:
        """Units as their input is read, until there are no more; stops at a stop request."""
        while True:
            self.stop.check_fence()
            if self.stop.requested:
                raise _Interrupted
            try:
                unit = prefetcher.next(TICK_S)
            except StopIteration:
                return
            if unit is not None:
                yield unit

    def _unit(self, number: int, payload: Any) -> None:
        """Compute a unit, again on the spot when that is safe, or give it up."""
        while True:
            isolated = needs_child(number, self.checkpoint, self.rules)
            began = time.monotonic()
            try:
                output = self._wait(self._computing(payload, isolated))
            except _Interrupted:
                raise
            except Exception as e:
                if not counts(e, self.scratch):
                    raise
                tries = self._saver.blame(number, why(e))
                log.warning("unit %d failed, try %d: %s", number, tries, why(e).text())
                if tries >= self.rules.tries:
                    return self._give_up(number, payload, e)
                if not self.checkpoint.quarantined:
                    raise
            else:
                self._take(output.content)
                return self._saver.add(number, output, time.monotonic() - began)

    def _put_down(self, error: Exception) -> None:
        """An attempt whose end counts against no unit (a full disk, a service that was unavailable
        for too long) leaves none in flight. Nothing is retried any more. Where the checkpoint
        itself cannot be written, the final message gives the reason, and the stage's record lists
        the epoch as blameless (`StageRecord.blameless`)."""
        self.stop.request(f"it cannot go on: {error}")
        try:
            self._saver.leave()
        except (PorewatchError, OSError) as e:
            log.warning("the checkpoint still lists a unit as in flight: %s", e)

    def _computing(self, payload: Any, isolated: bool) -> Background[UnitOutput]:
        def compute() -> UnitOutput:
            return self.work.process(payload)

        return Background((lambda: in_child(compute)) if isolated else compute)

    def _give_up(self, number: int, payload: Any, error: Exception) -> None:
        """Leave the unit out, unless the stage means nothing without it or too many are out."""
        lost = self.work.give_up(payload)
        if lost is None:
            raise error
        unit = given_up(number, lost, self.checkpoint.tried[number])
        log.error("%s", unit.sentence())
        self._take(lost.content)
        there = (*self.checkpoint.quarantined, unit)
        self._saver.add(number, UnitOutput(lost.content, consumed=lost.consumed), quarantined=unit)
        refuse_too_many(there, self.rules)

    def _wait(self, job: Background[T]) -> T:
        """The job's result; gives up some time after a stop request."""
        while not job.wait(TICK_S):
            self.stop.check_fence()
            if self.stop.take_rebalance():
                self._saver.save()
            if self.stop.requested:
                self._save_in_time()
                if self.stop.requested_for_s > self._saver.grace_s(self.grace_s):
                    raise _Interrupted
        try:
            return job.result()
        except Exception as e:
            if not self.stop.requested:
                raise
            log.info("the work stopped on request: %s", e)
            raise _Interrupted from e

    def _save_in_time(self) -> None:
        """What is computed, before anything else: who is to leave waits for no service."""
        try:
            self._saver.save()
        except (Unavailable, Throttled) as e:
            log.warning("not saved: %s", e)
            raise _Interrupted from e

    def _saved(self, number: int) -> None:
        self.on_save(number)

    def _resumed(self) -> Running | None:
        """The running verdict with the units of the checkpoint."""
        running = self.work.running()
        if running is not None:
            for content in self.checkpoint.contents():
                running.take(content)
        return running

    def _take(self, content: bytes) -> None:
        if self._running is not None:
            self._running.take(content)
            self._alarm()

    def _alarm(self) -> None:
        """Report suspicions. A successor reaches the same totals and repeats them: idempotent."""
        for alarm in self._running.alarms() if self._running is not None else ():
            self.outbox.suspected(alarm)

    def _finish(self) -> StageResult:
        self.scratch.mkdir(parents=True, exist_ok=True)
        return self.work.finish(self.checkpoint.contents(), self.scratch)

    def _leave(self) -> Ending:
        self.stop.check_fence()
        try:
            self._saver.leave()
        except (Unavailable, Throttled) as e:  # no time is left to wait for it
            log.warning("what was computed last is not saved: %s", e)
        log.info("leaving: %s; last checkpoint %s", self.stop.reason, self.checkpoint.last)
        self.outbox.interrupted(self.checkpoint.last)
        return Ending.INTERRUPTED

    def _publish(self, result: StageResult) -> None:
        self.stop.check_fence()
        self._saver.leave()
        finished = Finished(
            fingerprint=self.work.fingerprint(),
            result=result,
            started_at=self._started_at,
            units=len(self.checkpoint.units),
            units_resumed=len(self.checkpoint.resumed),
            units_redone=self.checkpoint.redone,
            remarks=self.checkpoint.remarks,
            quarantined=self.checkpoint.quarantined,
        )
        key, manifest = self.publisher.publish(finished)
        for record in manifest.phases:
            self.outbox.phase_done(record)
        self.outbox.published(key)
