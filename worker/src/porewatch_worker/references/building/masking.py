"""Low-complexity and tandem-repeat intervals of a genome, found when a bundle is built.

Why: poly-A tails and the tandem repeats of herpes genomes are where false hits fall. Sequences
are not changed; the intervals are in the manifest and evidence inside them is not counted.

1. Low complexity: the DUST score (Morgulis et al. 2006, J Comput Biol 13:1028) of every 64-base
   window, sum over triplets of c(c-1)/2 divided by (triplets - 1), masked above 2.0. The middle
   half of such a window is masked, which keeps the edges of a repeat within a few bases.
2. Tandem repeats with a period up to 100 bases: stretches that match themselves one period
   further on at 85 % of bases, over at least 2 periods and 60 bases.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

WINDOW = 64
DUST_LIMIT = 2.0
LONGEST_PERIOD = 100
SHORTEST_TANDEM = 60
TANDEM_IDENTITY = 0.85
_BLOCK = 1 << 18

_CODES = np.full(256, 4, np.uint8)
_CODES[np.frombuffer(b"ACGT", np.uint8)] = np.arange(4, dtype=np.uint8)

Mask = NDArray[np.bool_]


def masked_intervals(sequence: bytes) -> tuple[tuple[int, int], ...]:
    """Half-open (start, end) intervals, ascending, not touching. `sequence` is upper-case IUPAC.

    Ambiguous bases never count as a match, so stretches of N are not masked (nothing maps there).
    """
    codes = _CODES[np.frombuffer(sequence, np.uint8)]
    mask = np.zeros(len(codes), bool)
    overlap = WINDOW + SHORTEST_TANDEM + 2 * LONGEST_PERIOD
    for start in range(0, len(codes), _BLOCK):
        part = codes[max(0, start - overlap) : start + _BLOCK + overlap]
        mask[max(0, start - overlap) : start + _BLOCK + overlap] |= _dust(part) | _tandem(part)
    return _intervals(mask)


def _intervals(mask: Mask) -> tuple[tuple[int, int], ...]:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], mask, [False])).astype(np.int8)))
    return tuple((int(a), int(b)) for a, b in edges.reshape(-1, 2))


def _dust(codes: NDArray[np.uint8]) -> Mask:
    mask = np.zeros(len(codes), bool)
    if len(codes) < WINDOW:
        return mask
    triplets = WINDOW - 2
    pairs = np.zeros(len(codes) - WINDOW + 1)
    for counts in _triplet_counts(codes, triplets):
        pairs += counts * (counts - 1) // 2
    for start in np.flatnonzero(pairs / (triplets - 1) > DUST_LIMIT):
        mask[start + WINDOW // 4 : start + 3 * WINDOW // 4] = True
    return mask


def _triplet_counts(codes: NDArray[np.uint8], width: int) -> Iterator[NDArray[np.int64]]:
    """For each of the 64 triplets: how often it occurs in every window of `width` triplets."""
    wide = codes.astype(np.int16)
    triplets = wide[:-2] * 16 + wide[1:-1] * 4 + wide[2:]
    triplets[(wide[:-2] > 3) | (wide[1:-1] > 3) | (wide[2:] > 3)] = -1
    for triplet in range(64):
        total = np.concatenate(([0], np.cumsum(triplets == triplet)))
        yield total[width:] - total[:-width]


def _tandem(codes: NDArray[np.uint8]) -> Mask:
    mask = np.zeros(len(codes), bool)
    for period in range(1, min(LONGEST_PERIOD, len(codes) - 1) + 1):
        span = max(SHORTEST_TANDEM - period, period)
        same = (codes[:-period] == codes[period:]) & (codes[period:] < 4)
        total = np.concatenate(([0], np.cumsum(same, dtype=np.int32)))
        starts = np.flatnonzero(total[span:] - total[:-span] >= TANDEM_IDENTITY * span)
        for start in starts:
            mask[start : start + span + period] = True
    return mask
