"""Which base of one envelope answers to which of another: envs of PERV aligned once, end to end.

Types differ by a third in surface env, and by insertions and deletions: counted from the start of
env, homologous places drift apart, by 80 bases and more from some point on. So every env is aligned
to one of them (the hub), globally and with affine gaps (Gotoh 1982, J Mol Biol 162:705), when a
bundle is built; earlier bundles get it when they are loaded. Places are compared on the hub.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from porewatch.domain.calls.references import Contig

MATCH, MISMATCH, OPEN, EXTEND = 2, -2, 10, 1
"""One gap of 80 bases costs less than eighty scattered ones would gain by chance."""

Ints = NDArray[np.int32]
Blocks = tuple[tuple[int, int, int], ...]


@dataclass(frozen=True)
class Columns:
    """Places of one env on the hub, and the other way: whole arrays, one entry a base."""

    to_hub: NDArray[np.int64]
    from_hub: NDArray[np.int64]

    def hub(self, place: int) -> int:
        """The hub's base that answers to this one; of an insertion, the one before it."""
        return int(self.to_hub[min(max(place, 0), len(self.to_hub) - 1)])

    def own(self, column: int) -> int:
        """The base of this env that answers to the hub's; of a deletion, the one before it."""
        return int(self.from_hub[min(max(column, 0), len(self.from_hub) - 1)])


def hub_of(contigs: Iterable[Contig]) -> Contig | None:
    """The env that the others are aligned to: type A before B and C, then the longest, by name."""
    with_env = [c for c in contigs if c.perv_type and "env" in c.features]
    return min(with_env, key=lambda c: (c.perv_type, -_length(c), c.name), default=None)


def aligned(hub: str, other: str) -> Blocks:
    """(place on the hub, place on the other, bases) of every stretch without a gap, ascending."""
    a, b = (np.frombuffer(s.upper().encode(), dtype=np.uint8) for s in (hub, other))
    return _traced(*_filled(a, b))


def columns(blocks: Blocks, hub_length: int, length: int) -> Columns:
    """The places of an env from its blocks; in gaps those of the last base before."""
    return Columns(
        _spread([(own, there, n) for there, own, n in blocks], length),
        _spread(list(blocks), hub_length),
    )


def _length(contig: Contig) -> int:
    start, end = contig.features["env"]
    return end - start


def _spread(blocks: list[tuple[int, int, int]], length: int) -> NDArray[np.int64]:
    places = np.full(max(1, length), -1, dtype=np.int64)
    for start, there, n in blocks:
        places[start : start + n] = np.arange(there, there + n)
    return np.maximum.accumulate(np.maximum(places, 0))


def _filled(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> tuple[Ints, Ints, Ints]:
    """Best scores of prefixes: any end, ending in a gap of b, ending in a gap of a."""
    n, m = len(a), len(b)
    low = np.int32(-(1 << 28))
    best, down, right = (np.full((n + 1, m + 1), low, dtype=np.int32) for _ in range(3))
    steps = np.arange(m + 1, dtype=np.int32) * EXTEND
    best[0, 0] = 0
    right[0, 1:] = -OPEN - steps[:-1]
    best[0, 1:] = right[0, 1:]
    for i in range(1, n + 1):
        down[i] = np.maximum(best[i - 1] - OPEN, down[i - 1] - EXTEND)
        row = down[i].copy()
        pairs = np.where(b == a[i - 1], np.int32(MATCH), np.int32(MISMATCH))
        row[1:] = np.maximum(row[1:], best[i - 1, :-1] + pairs)
        opened = np.maximum.accumulate(row + steps)
        right[i, 1:] = opened[:-1] - OPEN - steps[:-1]
        best[i] = np.maximum(row, right[i])
    return best, down, right


def _traced(best: Ints, down: Ints, right: Ints) -> Blocks:
    """The stretches of pairs on the best path, from its end back."""
    i, j = best.shape[0] - 1, best.shape[1] - 1
    pairs: list[tuple[int, int]] = []
    while i and j:
        if best[i, j] == down[i, j]:
            while i > 1 and down[i, j] != best[i - 1, j] - OPEN:
                i -= 1
            i -= 1
        elif best[i, j] == right[i, j]:
            while j > 1 and right[i, j] != best[i, j - 1] - OPEN:
                j -= 1
            j -= 1
        else:
            i, j = i - 1, j - 1
            pairs.append((i, j))
    return _blocks(pairs[::-1])


def _blocks(pairs: list[tuple[int, int]]) -> Blocks:
    found: list[list[int]] = []
    for there, own in pairs:
        if found and (found[-1][0] + found[-1][2], found[-1][1] + found[-1][2]) == (there, own):
            found[-1][2] += 1
        else:
            found.append([there, own, 1])
    return tuple((a, b, n) for a, b, n in found)
