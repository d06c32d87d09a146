"""Drives one stage: resume, compute unit after unit, save each, beat, finish, publish.

    open checkpoint -> for every unit not in it: compute (in a thread), save, beat
                    -> merge all units -> publish -> say so

The loop knows nothing of AWS: a checkpoint store, an outbox and a publisher are handed in, local or
remote. Units are computed one at a time, so that a kill loses one at most; the next unit's input is
read meanwhile. A stop request ends the loop after the unit at hand, or after `grace_s` without it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol, TypeVar

from porewatch.domain.base import Moment, now
from porewatch.domain.phases import PhaseRecord, Progress, StageManifest
from porewatch_worker.ahead import Ahead, Background
from porewatch_worker.checkpoint import Checkpoint
from porewatch_worker.pulse import repeating
from porewatch_worker.stop import Stop
from porewatch_worker.work import StageResult, StageWork, Suspicion, UnitOutput

log = logging.getLogger(__name__)
TICK_S = 0.2
T = TypeVar("T")


class Outbox(Protocol):
    """What the loop tells the world. None of it may raise for a passing fault."""

    def beat(self, progress: Progress) -> None: ...
    def suspected(self, suspicion: Suspicion) -> None: ...
    def phase_done(self, record: PhaseRecord) -> None: ...
    def published(self, manifest_key: str) -> None: ...
    def interrupted(self, last_checkpoint: int | None) -> None: ...
    def broken(self, error: str, problem: str) -> None: ...


@dataclass(frozen=True)
class Finished:
    """A finished stage, before it is published."""

    fingerprint: str
    result: StageResult
    started_at: Moment
    units: int
    units_resumed: int
    units_redone: int
    remarks: tuple[str, ...]


class Publisher(Protocol):
    """Makes a finished stage visible, once. The first manifest wins."""

    def publish(self, finished: Finished) -> tuple[str, StageManifest]:
        """Key and content of the visible manifest, whoever wrote it."""


class Ending(StrEnum):
    PUBLISHED = "published"
    INTERRUPTED = "interrupted"


class _Interrupted(Exception):
    """A stop was asked for and the loop has nothing more to save."""


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

    def __post_init__(self) -> None:
        self._started_at = now()
        self._suspected: set[tuple[str, str]] = set()

    def run(self) -> Ending:
        """To the end or to a stop. Raises what the work raises, and StaleEpoch when fenced out."""
        for remark in self.checkpoint.remarks:
            log.warning("%s", remark)
        with repeating(self.beat_s, "beat", lambda: self.outbox.beat(self.progress())):
            try:
                self._units()
                result = self._wait(Background(self._finish))
            except _Interrupted:
                return self._leave()
        self._publish(result)
        return Ending.PUBLISHED

    def progress(self) -> Progress:
        """The work's own progress with what the checkpoint knows."""
        units = list(self.checkpoint.units.values())
        there = self.work.progress()
        return there.model_copy(
            update={
                "note": self.note() or there.note,
                "units_done": len(units),
                "units_total": self.work.units_total(),
                "reads": sum(u.reads for u in units),
                "bases": sum(u.bases for u in units),
                "checkpoint": self.checkpoint.last,
            }
        )

    def _units(self) -> None:
        ahead = Ahead(self.work.units(frozenset(self.checkpoint.units)))
        try:
            for number, payload in self._arriving(ahead):
                self.checkpoint.begin(number)
                self._save(number, self._wait(self._computing(payload)))
        finally:
            ahead.close()

    def _arriving(self, ahead: Ahead[tuple[int, Any]]) -> Iterator[tuple[int, Any]]:
        """Units as their input is read, until there are no more; stops taking when asked to."""
        while True:
            self.stop.check_fence()
            if self.stop.asked:
                raise _Interrupted
            try:
                unit = ahead.next(TICK_S)
            except StopIteration:
                return
            if unit is not None:
                yield unit

    def _computing(self, payload: Any) -> Background[UnitOutput]:
        return Background(lambda: self.work.process(payload))

    def _wait(self, job: Background[T]) -> T:
        """The job's result; gives up `grace_s` after a stop was asked for."""
        while not job.wait(TICK_S):
            self.stop.check_fence()
            if self.stop.take_rebalance():
                self.checkpoint.flush()
            if self.stop.asked_for_s > self.grace_s:
                raise _Interrupted
        try:
            return job.result()
        except Exception as e:
            if not self.stop.asked:
                raise
            log.info("the work stopped when it was asked to: %s", e)
            raise _Interrupted from e

    def _save(self, number: int, output: UnitOutput) -> None:
        self._tell_suspicions(output)
        self.checkpoint.save(number, output.content, output.reads, output.bases)
        self.on_save(number)
        self.outbox.beat(self.progress())

    def _tell_suspicions(self, output: UnitOutput) -> None:
        """Before the unit counts as finished: no successor will compute it again, and tell."""
        for suspicion in output.suspicions:
            if (suspicion.sample, suspicion.code) not in self._suspected:
                self._suspected.add((suspicion.sample, suspicion.code))
                self.outbox.suspected(suspicion)

    def _finish(self) -> StageResult:
        self.scratch.mkdir(parents=True, exist_ok=True)
        self.checkpoint.flush()
        return self.work.finish(self.checkpoint.contents(), self.scratch)

    def _leave(self) -> Ending:
        self.stop.check_fence()
        self.checkpoint.leave()
        log.info("leaving: %s; last checkpoint %s", self.stop.reason, self.checkpoint.last)
        self.outbox.interrupted(self.checkpoint.last)
        return Ending.INTERRUPTED

    def _publish(self, result: StageResult) -> None:
        self.stop.check_fence()
        self.checkpoint.leave()
        finished = Finished(
            fingerprint=self.work.fingerprint(),
            result=result,
            started_at=self._started_at,
            units=len(self.checkpoint.units),
            units_resumed=len(self.checkpoint.resumed),
            units_redone=self.checkpoint.redone,
            remarks=self.checkpoint.remarks,
        )
        key, manifest = self.publisher.publish(finished)
        for record in manifest.phases:
            self.outbox.phase_done(record)
        self.outbox.published(key)
