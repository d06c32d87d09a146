"""How much of a stretch of read is complex enough to be evidence of anything.

DUST (Morgulis et al. 2006, J Comput Biol 13:1028): in a window of 64 bases, sum over triplets of
c(c-1)/2 divided by (triplets - 1); random sequence scores about 0.5, poly-A 31. Bundles mask
the same way in the references; this guards against the read's own repeats. All windows of a stretch
are scored together: this runs for every hit on the panel.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

WINDOW = 64
LIMIT = 2.0
_TRIPLETS = 125

_CODES = np.full(256, 4, dtype=np.int64)
_CODES[np.frombuffer(b"ACGTU", dtype=np.uint8)] = (0, 1, 2, 3, 3)
_CODES[np.frombuffer(b"acgtu", dtype=np.uint8)] = (0, 1, 2, 3, 3)


def complex_bases(sequence: str) -> int:
    """Bases of `sequence` in 64-base windows that score at most LIMIT.

    A rest shorter than half a window counts with the window before it.

    >>> complex_bases('A' * 200)
    0
    """
    codes = _CODES[np.frombuffer(sequence.encode(), dtype=np.uint8)]
    edges = np.append(np.arange(0, max(len(codes) - WINDOW // 2, 1), WINDOW), len(codes))
    sizes = np.diff(edges)
    return int(sizes[_dust(codes, edges) <= LIMIT].sum())


def _dust(codes: NDArray[np.int64], edges: NDArray[np.int64]) -> NDArray[np.float64]:
    """Score of each window between `edges`; 0 for those without two triplets."""
    windows = len(edges) - 1
    if len(codes) < 4:
        return np.zeros(windows)
    triplets = codes[:-2] * 25 + codes[1:-1] * 5 + codes[2:]
    first = np.arange(len(triplets))
    home = np.minimum(first // WINDOW, windows - 1)
    inside = first + 2 < edges[home + 1]
    counts = np.bincount((home * _TRIPLETS + triplets)[inside], minlength=windows * _TRIPLETS)
    pairs = (counts * (counts - 1)).reshape(windows, _TRIPLETS).sum(axis=1) / 2
    triplets = np.diff(edges) - 2
    scores: NDArray[np.float64] = np.where(triplets > 1, pairs / np.maximum(triplets - 1, 1), 0.0)
    return scores
