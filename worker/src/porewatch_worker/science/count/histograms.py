"""Fixed bins, so that histograms of any two runs can be laid over each other."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping

import numpy as np

from porewatch.domain.calls.evidence import Histogram, YieldPoint
from porewatch.reads.summary import phred

LENGTH_EDGES: tuple[float, ...] = (0.0, *(float(round(10 ** (1 + i / 10))) for i in range(61)))
"""0, then ten bins a decade from 10 to 10 million bases."""

QUALITY_EDGES: tuple[float, ...] = tuple(float(q) for q in range(51))
"""One Phred a bin, 0 to 50; better reads are in the last bin."""

_YIELD_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 240, 480, 1440)
_YIELD_POINTS = 200


def quality_bin(error: float) -> int:
    """The bin of QUALITY_EDGES for a mean error probability."""
    return min(int(phred(error)), len(QUALITY_EDGES) - 2)


def length_histogram(lengths: Mapping[int, int]) -> Histogram:
    """Reads and bases a bin, from {length: reads}. Longer than the last edge: the last bin."""
    counts = [0] * (len(LENGTH_EDGES) - 1)
    bases = [0] * (len(LENGTH_EDGES) - 1)
    for length, reads in lengths.items():
        place = min(bisect_right(LENGTH_EDGES, length) - 1, len(counts) - 1)
        counts[place] += reads
        bases[place] += reads * length
    return Histogram(unit="bases", edges=LENGTH_EDGES, counts=tuple(counts), bases=tuple(bases))


def quality_histogram(reads: Mapping[int, int], bases: Mapping[int, int]) -> Histogram:
    """Reads and bases by the Phred value of their mean error."""
    bins = range(len(QUALITY_EDGES) - 1)
    return Histogram(
        unit="Phred",
        edges=QUALITY_EDGES,
        counts=tuple(reads.get(i, 0) for i in bins),
        bases=tuple(bases.get(i, 0) for i in bins),
    )


def yield_points(
    reads: Mapping[int, int], bases: Mapping[int, int], origin: int | None
) -> tuple[YieldPoint, ...]:
    """At most 200 points from counts by minute; `minute` is the bin's start, counted from `origin`
    (the first minute of the whole run)."""
    if not reads or origin is None:
        return ()
    span = max(reads) - origin + 1
    step = next((s for s in _YIELD_STEPS if span / s <= _YIELD_POINTS), None)
    step = step or math.ceil(span / _YIELD_POINTS)
    read_bins: Counter[int] = Counter()
    base_bins: Counter[int] = Counter()
    for minute, count in reads.items():
        place = (minute - origin) // step
        read_bins[place] += count
        base_bins[place] += bases[minute]
    return tuple(
        YieldPoint(minute=b * step, reads=read_bins[b], bases=base_bins[b])
        for b in sorted(read_bins)
    )


def length_statistics(lengths: Mapping[int, int]) -> tuple[float, float, int, int]:
    """(mean, median, N50, longest) from {length: reads}; zeros without reads.

    >>> length_statistics({1000: 3, 5000: 1})
    (2000.0, 1000.0, 5000, 5000)
    """
    if not lengths:
        return 0.0, 0.0, 0, 0
    values = np.array(sorted(lengths), dtype=np.int64)
    counts = np.array([lengths[v] for v in values.tolist()], dtype=np.int64)
    reads, bases = int(counts.sum()), int((values * counts).sum())
    running = np.cumsum(counts)
    low = values[np.searchsorted(running, (reads - 1) // 2 + 1)]
    high = values[np.searchsorted(running, reads // 2 + 1)]
    from_longest = np.cumsum((values * counts)[::-1])
    n50 = int(values[::-1][np.searchsorted(from_longest, bases / 2)]) if bases else 0
    return bases / reads, (int(low) + int(high)) / 2, n50, int(values[-1])
