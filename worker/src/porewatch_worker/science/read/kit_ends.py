"""Library sequence outside a read's alignment: adapter, primer, barcode, poly-A.

It is no part of the molecule's sequence, so it must not count as distance: with 60 bases of it at
each end of a read of 250, a strain 13 % away would appear as far as a relative. Only reads assigned
to a panel member or a spike-in are examined, and of them only ends of LEAST bases and more.
Everything outside the innermost sequence of a kit counts as library, and up to REST bases inside
(UMI, strand-switching G).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import edlib
import mappy
import numpy as np

from porewatch_worker.science.read.barcodes import kit_barcodes
from porewatch_worker.science.read.kits import (
    both_strands,
    kit_sequences,
)
from porewatch_worker.science.read.placement import Segment
from porewatch_worker.science.sequence.seed_search import DiagonalSearch

LEAST = 12
MOST = 400
"""Longer ends are other molecules: `split_at_adapters.py` is for those."""

REST = 30
OVERLAP = 8
"""Bases by which an alignment may run into what follows, by chance."""

POLY, POLY_SAME = 15, 12
"""A stretch of poly-A or -T: so many bases, so many of them the same."""

_K, _APART, _DRIFT = 8, 4, 2
_ERRORS = 5
"""One edit in so many bases of a pattern is allowed."""


class KitEnds:
    """Looks at the ends of reads. Shared by all threads."""

    def __init__(self) -> None:
        known = tuple(k.sequence for k in kit_sequences())
        self._patterns = both_strands((*known, *kit_barcodes().values()))
        self._search = DiagonalSearch(self._patterns, size=_K, apart=_APART, drift=_DRIFT)

    def bases(self, reads: Sequence[tuple[str, Sequence[Segment]]]) -> list[int]:
        """For each read (its sequence, its segments), bases outside the segments that a kit put
        there. All windows of a chunk are searched at once: one search costs as much as its set-up.
        """
        owners: list[int] = []
        windows: list[str] = []
        free: list[int] = []
        for number, (sequence, segments) in enumerate(reads):
            for window, bases in _windows(sequence, segments):
                owners.append(number)
                windows.append(window)
                free.append(bases)
        found = [0] * len(reads)
        near = self._search.search(windows) if windows else {}
        for number, (owner, window, bases) in enumerate(zip(owners, windows, free, strict=True)):
            found[owner] += self._outer(window, bases, near.get(number, ()))
        return found

    def _outer(self, window: str, free: int, near: Iterable[int]) -> int:
        """How many of the first `free` bases are outside the inner end of kit sequence."""
        inner = max(self._kit_end(window, near), _poly_end(window[:free]))
        if inner and free - inner <= REST:
            inner = free
        return min(inner, free)

    def _kit_end(self, window: str, near: Iterable[int]) -> int:
        ends = [0]
        for number in near:
            pattern = self._patterns[number]
            most = len(pattern) // _ERRORS
            hit = edlib.align(pattern, window, mode="HW", task="locations", k=most)
            if hit["editDistance"] >= 0:
                ends.append(hit["locations"][-1][1] + 1)
        return max(ends)


def _windows(sequence: str, segments: Sequence[Segment]) -> Iterator[tuple[str, int]]:
    """Ends of the read that are worth a look: (end, its outside first; bases outside segments)."""
    start = min(s.read_start for s in segments)
    end = max(s.read_end for s in segments)
    if LEAST <= start <= MOST:
        yield sequence[: start + OVERLAP], start
    if LEAST <= len(sequence) - end <= MOST:
        turned = str(mappy.revcomp(sequence[max(0, end - OVERLAP) :]))
        yield turned, len(sequence) - end


def _poly_end(window: str) -> int:
    """Where the innermost stretch of poly-A or poly-T ends; 0: there is none."""
    letters = np.frombuffer(window.upper().encode(), dtype=np.uint8)
    if len(letters) < POLY:
        return 0
    ends = [0]
    for base in b"AT":
        same = np.convolve(letters == base, np.ones(POLY, dtype=np.int64), "valid")
        places = np.flatnonzero(same >= POLY_SAME)
        if len(places):
            ends.append(int(places[-1]) + POLY)
    return max(ends)
