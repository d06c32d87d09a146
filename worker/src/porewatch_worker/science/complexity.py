"""How much of a stretch of read is complex enough to be evidence of anything.

DUST (Morgulis et al. 2006, J Comput Biol 13:1028): in a window of 64 bases, sum over triplets of
c(c-1)/2 divided by (triplets - 1); random sequence scores about 0.5, poly-A 31. Bundles mask
the same way in the references; this guards against the read's own repeats.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

WINDOW = 64
LIMIT = 2.0

_CODES = np.full(256, 4, dtype=np.int64)
_CODES[np.frombuffer(b"ACGTU", dtype=np.uint8)] = (0, 1, 2, 3, 3)
_CODES[np.frombuffer(b"acgtu", dtype=np.uint8)] = (0, 1, 2, 3, 3)


def complex_bases(sequence: str) -> int:
    """Bases of `sequence` in 64-base windows that score at most LIMIT.

    A rest shorter than half a window counts with the window before it.
    """
    codes = _CODES[np.frombuffer(sequence.encode(), dtype=np.uint8)]
    edges = [*range(0, max(len(codes) - WINDOW // 2, 1), WINDOW), len(codes)]
    return sum(b - a for a, b in pairwise(edges) if _dust(codes[a:b]) <= LIMIT)


def _dust(codes: np.ndarray) -> float:
    if codes.size < 4:
        return 0.0
    words = codes[:-2] * 25 + codes[1:-1] * 5 + codes[2:]
    counts = np.bincount(words)
    return float((counts * (counts - 1)).sum() / 2 / (words.size - 1))
