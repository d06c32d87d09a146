"""Reads from FASTQ and BAM, streamed.

`read_units` cuts all files, in order, into numbered units of consecutive reads; where files are
small, a unit spans up to a hundred of them, so that their number makes few units and checkpoints.
Finished units are read and passed over: what they hold decides which later reads came before
(`seen_reads.py`). Sequences are DNA in capitals from here on: small letters and U are made so once,
when a read is made (`records.py`, where files are parsed by the rules of the check).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from porewatch.domain.runs import InputFile
from porewatch_worker.science.records import Place, Read, records_of
from porewatch_worker.science.seen_reads import SeenReads

__all__ = ["Part", "Read", "Unit", "read_units"]

MOST_FILES = 100
"""Files that share a unit, at most: a unit that must be given up takes no more of them with it."""

MOST_NAMED = 3
"""Files of a unit that a sentence names."""


class Part(NamedTuple):
    """Consecutive reads of one file, the first of them by number. `consumed`: how many bytes of the
    file were read for them (buffers included, so it is exact only over a whole file). `last`: the
    file ends with them."""

    file: InputFile
    reads: list[Read]
    first: int = 1
    consumed: int = 0
    last: bool = True


class Unit(NamedTuple):
    """Reads of one file or, where files are small, of several that follow each other."""

    parts: tuple[Part, ...]

    @property
    def consumed(self) -> int:
        """Bytes of its files that were read for it."""
        return sum(part.consumed for part in self.parts)

    @property
    def reads(self) -> tuple[Read, ...]:
        """All its reads, in order, whichever file they are of."""
        return tuple(read for part in self.parts for read in part.reads)

    @property
    def number_of_reads(self) -> int:
        return sum(len(part.reads) for part in self.parts)

    def stretches(self) -> tuple[str, ...]:
        """Which reads of which files, a text for each file."""
        return tuple(
            f"{part.file.path}, reads {part.first:,} to {part.first + len(part.reads) - 1:,}"
            for part in self.parts
        )

    def sentence(self) -> str:
        """The same in one line; of many files the first few."""
        named, more = self.stretches()[:MOST_NAMED], len(self.parts) - MOST_NAMED
        return "; ".join([*named, *([f"and {more:,} more files"] if more > 0 else [])])


def read_units(
    files: tuple[InputFile, ...],
    path: Callable[[str], Path],
    size: int,
    done: frozenset[int],
) -> Iterator[tuple[int, Unit]]:
    """(number from 1, unit of up to `size` reads) for units not in `done`, files in order.

    `path` gives the local place of a file. Raises InputRefused naming file, record and line.
    """
    number, unit = 0, _Growing(size)
    for part in _parts(files, path, unit):
        unit.add(part)
        if unit.room and len(unit.parts) < MOST_FILES:
            continue
        number += 1
        if number not in done:
            yield number, unit.whole()
        unit.clear()
    if unit.parts and number + 1 not in done:
        yield number + 1, unit.whole()


class _Growing:
    """A unit that has `room` for so many more reads, whatever it holds of files."""

    def __init__(self, size: int) -> None:
        self._size = size
        self.clear()

    def clear(self) -> None:
        self.room = self._size
        self.parts: list[Part] = []

    def add(self, part: Part) -> None:
        self.parts.append(part)
        self.room -= len(part.reads)

    def whole(self) -> Unit:
        return Unit(tuple(self.parts))


def _parts(
    files: tuple[InputFile, ...], path: Callable[[str], Path], unit: _Growing
) -> Iterator[Part]:
    """As many reads of a file at a time as the unit has room for."""
    seen = SeenReads()
    for place_of_file, file in enumerate(files):
        place = Place()
        records = _Records(records_of(path(file.path), file, place))
        first, begun = 1, 0
        while records.more:
            reads = [make() for make in records.take(unit.room)]
            reads = seen.marked(reads, place_of_file, file.barcode)
            at = place.until(records.more, file)
            yield Part(file, reads, first, at - begun, not records.more)
            first, begun = first + len(reads), at


class _Records:
    """Records of a file, looked one ahead to know where it ends."""

    def __init__(self, records: Iterator[Callable[[], Read]]) -> None:
        self._rest = records
        self._next = next(records, None)

    @property
    def more(self) -> bool:
        return self._next is not None

    def take(self, number: int) -> Iterator[Callable[[], Read]]:
        """Up to so many."""
        for _ in range(number):
            record = self._next
            if record is None:
                return
            # Made before the next one is looked at: a BAM reader fills the same record again.
            yield record
            self._next = next(self._rest, None)
