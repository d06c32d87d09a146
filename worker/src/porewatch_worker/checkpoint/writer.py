"""Computed units are collected here and saved to the checkpoint when a save is due.

    begin(unit) -> compute -> add(unit, output) -> a save, when one is due

A save is due when as many units wait as the list has announced, when Young's interval has passed,
when more bytes wait than can be uploaded after a notice, and after every unit on which a worker
failed before. A rebalance recommendation, a notice and the end save whatever waits.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from porewatch.domain.reasons.reason import Reason
from porewatch.domain.stage.quarantine import QuarantinedUnit
from porewatch.domain.stage.record import Progress
from porewatch_worker.checkpoint.checkpoint import Checkpoint
from porewatch_worker.checkpoint.index import StoredUnit
from porewatch_worker.checkpoint.interval import SaveInterval
from porewatch_worker.checkpoint.objects import UnitToSave
from porewatch_worker.stage_work import UnitOutput

log = logging.getLogger(__name__)


class Safe(NamedTuple):
    """What the units that are safe add up to."""

    units: int
    reads: int
    bases: int
    consumed: int
    last: int | None
    lost: frozenset[int]

    @staticmethod
    def of(listed: Mapping[int, StoredUnit]) -> Safe:
        there = listed.values()
        return Safe(
            units=len(listed),
            reads=sum(unit.reads for unit in there),
            bases=sum(unit.bases for unit in there),
            consumed=sum(unit.consumed for unit in there),
            last=max(listed, default=None),
            lost=frozenset(n for n, unit in listed.items() if unit.quarantined is not None),
        )


class Saver:
    """Owns the computed units that are not saved yet. `on_save` gets the number of every saved
    unit."""

    def __init__(
        self, checkpoint: Checkpoint, interval: SaveInterval, on_save: Callable[[int], None]
    ) -> None:
        self.checkpoint, self.interval = checkpoint, interval
        self._on_save = on_save
        self._waiting: dict[int, UnitToSave] = {}
        self._together = 1
        self._saved_at = time.monotonic()
        self._summed: tuple[dict[int, StoredUnit], Safe] | None = None
        self._units_total: int | None = None
        self._bytes_total: int | None = None

    def begin(self, number: int) -> None:
        """Before a unit is computed. One that failed before is announced and saved by itself."""
        if self._waiting and (self._suspect(number) or not self.checkpoint.announced(number)):
            self.save()
        if not self.checkpoint.announced(number):
            self._together = self._plan(number)
        self.checkpoint.begin(number, number + self._together - 1)

    def add(
        self,
        number: int,
        output: UnitOutput,
        seconds: float | None = None,
        quarantined: QuarantinedUnit | None = None,
    ) -> None:
        """A unit was computed in `seconds`, or given up."""
        if seconds is not None:
            self.interval.computed(seconds, len(output.content))
        self._waiting = {**self._waiting, number: UnitToSave(output, quarantined)}
        if self._due(number):
            self.save()

    def save(self) -> None:
        """Save the waiting units. Raises StaleEpoch when a successor owns the checkpoint."""
        waiting = self._waiting
        if not waiting:
            self.checkpoint.flush()
            return
        self._together = self._plan(max(waiting) + 1)
        size = sum(len(k.output.content) for k in waiting.values())
        began = time.monotonic()
        self.checkpoint.save_all(waiting, self._together)
        self._saved_at = time.monotonic()
        self.interval.flushed(self._saved_at - began, size)
        self._waiting = {}
        for number in sorted(waiting):
            self._on_save(number)

    def leave(self) -> None:
        """Save the waiting units and mark none as in flight."""
        self.save()
        self.checkpoint.leave()

    def blame(self, number: int, why: Reason) -> int:
        """A unit failed: what waits is saved first; how often it has failed now."""
        self.save()
        return self.checkpoint.blame(number, why)

    def grace_s(self, at_most: float) -> float:
        """Seconds that the current unit may still take after a notice."""
        return self.interval.grace_s(at_most, self._bytes())

    def progress(self, there: Progress) -> Progress:
        """`there` with computed and saved units."""
        safe, waiting = self._safe(), self._waiting
        new = {n: k for n, k in waiting.items() if n not in self.checkpoint.units}
        fresh = [k.output for k in new.values() if k.quarantined is None]
        lost = safe.lost | {n for n, k in waiting.items() if k.quarantined is not None}
        updated = there.model_copy(
            update={
                "units_done": safe.units + len(new),
                "reads": safe.reads + sum(u.reads for u in fresh),
                "bases": safe.bases + sum(u.bases for u in fresh),
                "bytes_done": safe.consumed + sum(u.consumed for u in fresh),
                "checkpoint": safe.last,
                "checkpoint_at": self.checkpoint.written_at,
                "flush_s": round(self.interval.last_flush_s, 4),
                "interval_s": round(self.interval.interval_s, 1),
                "quarantined": tuple(sorted(lost)),
            }
        )
        self._units_total, self._bytes_total = updated.units_total, updated.bytes_total
        return updated

    def _safe(self) -> Safe:
        """Summed once for each version of the list: progress is read at every unit, and a run of
        many small files has many."""
        if self._summed is None or self._summed[0] is not self.checkpoint.units:
            self._summed = self.checkpoint.units, Safe.of(self.checkpoint.units)
        return self._summed[1]

    def _due(self, number: int) -> bool:
        passed = time.monotonic() - self._saved_at >= self.interval.interval_s
        full = len(self._waiting) >= self._together
        heavy = self._bytes() >= self.interval.most_bytes
        return full or passed or heavy or self._suspect(number)

    def _plan(self, number: int) -> int:
        """How many units from `number` on are saved together: none beyond the next suspect."""
        planned = self.interval.units(self._of_stage())
        ahead = (n for n in self.checkpoint.tried if number <= n < number + planned)
        suspect = min(ahead, default=None)
        if planned != self._together:
            log.info("%d units a save, every %.0f s", planned, self.interval.interval_s)
        return planned if suspect is None else max(1, suspect - number)

    def _suspect(self, number: int) -> bool:
        return number in self.checkpoint.tried

    def _of_stage(self) -> float | None:
        """How many units the stage has, if known or estimated."""
        if self._units_total is not None:
            return self._units_total
        done = list(self.checkpoint.units.values())
        consumed = sum(unit.consumed for unit in done)
        if not self._bytes_total or not consumed:
            return None
        return len(done) * self._bytes_total / consumed

    def _bytes(self) -> int:
        return sum(len(k.output.content) for k in self._waiting.values())
