"""Which short patterns may be in which windows: two of a pattern's k-mers, some bases apart, on one
diagonal (with hardly an insertion or deletion between them). Many windows at once.

A hint, found with whole-array steps: the caller aligns the few pairs that are left.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from porewatch_worker.science.sequence.kmers import (
    coded,
    numbers_of,
)

_ROOM = 1024
"""Diagonals are kept as numbers below this: windows and patterns together are shorter."""

Array = NDArray[np.int64]


class DiagonalSearch:
    """Two k-mers of `size` bases count when they begin `apart` bases or more from each other in the
    window, on diagonals that differ by `drift` at most. Shared by all threads."""

    def __init__(self, patterns: Sequence[str], *, size: int, apart: int, drift: int) -> None:
        self._size, self._apart, self._drift = size, apart, drift
        places = [(n, i) for n, p in enumerate(patterns) for i in range(len(p) - size + 1)]
        codes = np.array(numbers_of(patterns[n][i : i + size] for n, i in places), dtype=np.uint32)
        order = np.argsort(codes, kind="stable")
        self._patterns = len(patterns)
        self._longest = max(map(len, patterns), default=0)
        self._codes = codes[order]
        self._owners = np.array([n for n, _ in places], dtype=np.int64)[order]
        self._insides = np.array([i for _, i in places], dtype=np.int64)[order]
        self._known = np.zeros(4**size, dtype=bool)
        self._known[codes] = True

    def search(self, windows: Sequence[str]) -> dict[int, list[int]]:
        """Number of the window -> numbers of the patterns that may be in it, if any.

        Raises ValueError for a window too long for the encoding.
        """
        if max(map(len, windows), default=0) + self._longest >= _ROOM:
            raise ValueError(f"windows and patterns must be shorter than {_ROOM} bases together")
        window, place, kmer = self._hits(windows)
        first = np.searchsorted(self._codes, kmer)
        copies = np.searchsorted(self._codes, kmer, side="right") - first
        earlier = np.cumsum(copies) - copies
        which = np.repeat(first - earlier, copies) + np.arange(copies.sum())
        window, place = np.repeat(window, copies), np.repeat(place, copies)
        diagonal = place - self._insides[which] + self._longest
        pair = window * self._patterns + self._owners[which]
        return self._by_window(self._agreeing(pair * _ROOM + diagonal, place))

    def _hits(self, windows: Sequence[str]) -> tuple[Array, Array, NDArray[np.uint32]]:
        """(window, position in it, k-mer) of every k-mer that any pattern has."""
        lengths = np.array([len(w) for w in windows], dtype=np.int64)
        ends = np.cumsum(lengths)
        kmers = coded("".join(windows).encode(), self._size)
        hits = np.flatnonzero(self._known[kmers])
        window = np.searchsorted(ends, hits, side="right")
        inside = hits + self._size <= ends[window]
        hits, window = hits[inside], window[inside]
        return window, hits - (ends - lengths)[window], kmers[hits]

    def _agreeing(self, keys: Array, places: Array) -> Array:
        """Of keys (pair of window and pattern, then diagonal), the pairs with two k-mers apart."""
        if not len(keys):
            return keys
        order = np.argsort(keys, kind="stable")
        keys, places = keys[order], places[order]
        first = np.flatnonzero(np.diff(keys, prepend=-1))
        keys = keys[first]
        least, most = np.minimum.reduceat(places, first), np.maximum.reduceat(places, first)
        found = []
        for step in range(min(self._drift + 1, len(keys))):
            there = len(keys) - step
            near = keys[step:] - keys[:there] <= self._drift
            spread = np.maximum(most[step:], most[:there]) - np.minimum(least[step:], least[:there])
            found.append(keys[:there][near & (spread >= self._apart)] // _ROOM)
        return np.unique(np.concatenate(found))

    def _by_window(self, pairs: Array) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for pair in pairs.tolist():
            window, pattern = divmod(pair, self._patterns)
            found.setdefault(window, []).append(pattern)
        return found
