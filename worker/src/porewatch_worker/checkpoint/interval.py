"""How often to save: the interval that loses least time, from measurements.

Young (1974, Communications of the ACM 17:530): with `flush` seconds for a checkpoint and a mean
time `M` between interruptions, time lost to saving (flush / interval) and to computing again
(interval / 2M) is least at

    interval = sqrt(2 x flush x M)

A unit is the smallest piece that is computed and never saved in parts, so an interval is rounded
down to whole units, at least one. Three bounds hold besides, whatever the formula says:

    share     one save holds at most 2 % of the stage, so that a death without notice wastes
              little of short stages too; while the length of the stage is unknown, one unit
    upload    it can be uploaded within 60 s at the rate measured: the time that a notice leaves
    suspects  units that a worker died on are saved one by one
    (`porewatch_worker.stage.poison_units`)

Measured on the embedded AWS a save takes 20 to 40 ms; against S3 two PUTs take 60 to 200 ms. With
10 hours between interruptions that makes 38 to 120 s, far more than a unit of 4,000 reads takes
(one second on eight cores), so that saving every unit would cost a tenth of the instance's time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

MEAN_TO_INTERRUPT_S = 36_000.0
"""Ten hours, the anchor of orchestration research; AWS's own figures for most pools are better."""

LARGEST_SHARE = 0.02
UPLOAD_S = 60.0
NOTICE_S = 90.0
"""Of the 120 s between a notice and the end; the rest is for the final message and for delays."""

NEWEST = 0.3
"""Weight of the newest measurement in the running means."""


def young_interval(flush_s: float, mean_to_interrupt_s: float) -> float:
    """Seconds between checkpoints that waste least."""
    return math.sqrt(2 * flush_s * mean_to_interrupt_s)


@dataclass
class SaveInterval:
    """Running means of what saving and computing take. Seconds, bytes, bytes a second."""

    mean_to_interrupt_s: float = MEAN_TO_INTERRUPT_S
    flush_s: float | None = None
    last_flush_s: float = 0.0
    unit_s: float | None = None
    unit_bytes: float = 0.0
    rate: float | None = None

    def flushed(self, seconds: float, size: int = 0) -> None:
        """A save of `size` bytes of results took `seconds`."""
        self.last_flush_s = seconds
        self.flush_s = _mean(self.flush_s, seconds)
        if size and seconds > 0:
            self.rate = _mean(self.rate, size / seconds)

    def computed(self, seconds: float, size: int) -> None:
        """A unit took `seconds` and left `size` bytes."""
        self.unit_bytes = _mean(self.unit_bytes or None, size)
        self.unit_s = _mean(self.unit_s, seconds)

    @property
    def interval_s(self) -> float:
        """By Young's formula; 0 before anything was measured (then every unit is saved)."""
        return young_interval(self.flush_s or 0.0, self.mean_to_interrupt_s)

    @property
    def most_bytes(self) -> float:
        """What may wait to be saved: an upload of `UPLOAD_S`."""
        return UPLOAD_S * self.rate if self.rate else 0.0

    def units(self, of_stage: float | None) -> int:
        """How many units the next save may hold, in a stage of `of_stage` units."""
        if of_stage is None or not self.unit_s:
            return 1
        fitting = [self.interval_s / self.unit_s, LARGEST_SHARE * of_stage]
        if self.unit_bytes:
            fitting.append(self.most_bytes / self.unit_bytes)
        return max(1, int(min(fitting)))

    def grace_s(self, at_most: float, waiting: int) -> float:
        """Seconds that the current unit may take after a notice, less the time for its upload."""
        upload = (waiting + self.unit_bytes) / self.rate if self.rate else 0.0
        return max(0.0, min(at_most, NOTICE_S - upload))


def _mean(before: float | None, newest: float) -> float:
    return newest if before is None else before + NEWEST * (newest - before)
