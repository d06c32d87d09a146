"""What the reads not yet looked at may still bring.

A verdict on part of a run may be overturned by the rest of it: reads of another barcode explain
what looked like a finding, a no-template control turns out to hold the same. So the running verdict
counts, beside what was seen, the most that the rest may bring against it. At the end of the reads
nothing is to come, and the verdict is the report's.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from porewatch.domain.runs import InputFile, Sample, SampleRole

if TYPE_CHECKING:
    from porewatch_worker.science.count.units import UnitCounts


@dataclass(frozen=True)
class ToCome:
    """Reads by sample: analysed, and (estimated) still unread. `ended`: there are no more."""

    read: Mapping[str, int] = field(default_factory=dict)
    unread: Mapping[str, float] = field(default_factory=dict)
    ended: bool = False

    def nearer(self, reads: int) -> float:
        """How much the distance of `reads` reads may still grow: 0.15 is the spread of single reads
        of a relative (some are in conserved stretches), divided by the square root of their
        number."""
        return 0.0 if self.ended else 0.15 / math.sqrt(max(1, reads))

    def most(self, sample: str, seen: int) -> float:
        """At most so many more reads of a kind of which `seen` were seen in the sample.

        The upper 99.9 % limit of a Poisson count (seen + 3 sqrt(seen + 1) + 4), in proportion to
        what is unread; of a sample not analysed yet, any of its reads may be of the kind.
        """
        unread = self.unread.get(sample, 0.0)
        if unread <= 0:
            return 0.0
        read = self.read.get(sample, 0)
        if not read:
            return unread
        return min(unread, (seen + 3 * math.sqrt(seen + 1) + 4) * unread / read)


NOTHING = ToCome(ended=True)
"""The run is read to its end."""


LEAST_BYTES = 300
"""Of a file, under a read: fewer are rare even in gzipped files of short reads."""

AHEAD = 1 << 18
"""Bytes that a reader may hold before it parses reads from them."""


@dataclass
class _FileRead:
    """Parts of one file that were analysed."""

    size: int
    consumed: int = 0
    reads: int = 0
    all_reads: int | None = None

    @property
    def ended(self) -> bool:
        return self.all_reads is not None and self.reads >= self.all_reads

    @property
    def left(self) -> int:
        """Bytes not analysed. A reader is ahead of its reads, by more than a small file holds."""
        if self.ended:
            return 0
        return min(self.size, max(self.size - self.consumed, AHEAD)) if self.reads else self.size


class Unread:
    """How far each file of a run is read. `goes_on`: the sequencer is still at work, and nobody
    knows how much is to come: as many reads again of each sample are reckoned with, and of a sample
    without any, as many as the others have on average."""

    def __init__(
        self, files: Sequence[InputFile], samples: Sequence[Sample], *, goes_on: bool = False
    ) -> None:
        self._goes_on = goes_on
        by_barcode = {s.barcode: s.name for s in samples if s.barcode}
        self._names = tuple(s.name for s in samples)
        self._owners = {f.path: by_barcode[f.barcode] for f in files if f.barcode in by_barcode}
        self._files = {f.path: _FileRead(f.size) for f in files}
        self._reads: Counter[str] = Counter()
        self._mixed: Counter[str] = Counter()

    def take(self, unit: UnitCounts) -> None:
        """A unit was analysed; units may come in any order."""
        for place in unit.places:
            file = self._files[place.file]
            file.consumed += place.consumed
            file.reads += place.reads
            if place.last:
                file.all_reads = place.first + place.reads - 1
            self._reads.update(place.samples)
            if place.file not in self._owners:
                self._mixed.update(place.samples)

    def to_come(self) -> ToCome:
        """Reads of each sample that no unit held yet, at the reads a byte seen so far."""
        if len(self._names) == 1:
            return ToCome()  # no other sample can explain anything
        a_byte = self._a_byte()
        own: Counter[str] = Counter()
        mixed = 0
        for path, file in self._files.items():
            if path in self._owners:
                own[self._owners[path]] += file.left
            else:
                mixed += file.left
        expected = {
            name: a_byte * (own[name] + mixed * self._share(name)) + self._not_there_yet(name)
            for name in self._names
        }
        return ToCome(dict(self._reads), expected)

    def _not_there_yet(self, name: str) -> float:
        if not self._goes_on:
            return 0.0
        return self._reads[name] or self._reads.total() / len(self._names)

    def _a_byte(self) -> float:
        """Reads a byte, rather too many than too few."""
        begun = [file for file in self._files.values() if file.reads]
        surely = sum(f.size if f.ended else max(0, f.consumed - AHEAD) for f in begun)
        seen = sum(f.reads for f in begun)
        return min(1 / LEAST_BYTES, seen / surely) if surely else 1 / LEAST_BYTES

    def _share(self, sample: str) -> float:
        """At most this share of the reads in files of several samples is this sample's."""
        seen, total = self._mixed[sample], self._mixed.total()
        return min(1.0, (seen + 3 * math.sqrt(seen + 1) + 4) / total) if total else 1.0


def in_turns(files: Iterable[InputFile], samples: Sequence[Sample]) -> tuple[InputFile, ...]:
    """Files in reading order: those of controls first, then one of each barcode in turn.

    So alternative explanations of a finding are seen early. The result does not depend on the
    order.
    """
    control = {s.barcode for s in samples if s.barcode and s.role is not SampleRole.SAMPLE}
    turns: Counter[str | None] = Counter()
    ranked: list[tuple[int, int, int, InputFile]] = []
    for place, file in enumerate(files):
        first = file.barcode in control
        ranked.append((0 if first else 1, 0 if first else turns[file.barcode], place, file))
        turns[file.barcode] += 1
    return tuple(file for *_, file in sorted(ranked, key=lambda r: r[:3]))
