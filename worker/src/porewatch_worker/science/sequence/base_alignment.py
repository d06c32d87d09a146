"""Alignment of a read to one reference, base by base: position and match of each base.

Hits on the read's own strand are laid onto the read, most matched bases first, none over another.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_STEP = re.compile(r":(\d+)|\*[a-z]([a-z])|\+([a-z]+)|-([a-z]+)")
GAP = 20
"""Bases of a deletion or insertion that sequencing errors do not make."""


@dataclass(frozen=True)
class MatchLine:
    """`place[i]`: position of base i on the reference, -1 where it has none; `match[i]`: it is the
    same base. `gaps`: reference intervals at which 20 bases or more are missing or too many."""

    place: NDArray[np.int32]
    match: NDArray[np.bool_]
    gaps: tuple[tuple[int, int], ...] = ()

    @property
    def matched(self) -> int:
        return int(self.match.sum())

    @property
    def span(self) -> tuple[int, int]:
        """The aligned part of the reference, half-open; (0, 0) when nothing aligns."""
        aligned = np.flatnonzero(self.place >= 0)
        if not len(aligned):
            return 0, 0
        places = self.place[aligned].tolist()
        return min(places), max(places) + 1


def match_line(length: int, hits: Sequence[Any]) -> MatchLine:
    """Lay forward hits (mapped with `cs=True`) onto a read of `length` bases."""
    place = np.full(length, -1, np.int32)
    match = np.zeros(length, bool)
    gaps: list[tuple[int, int]] = []
    for hit in sorted(hits, key=lambda h: (-h.mlen, h.q_st, h.r_st)):
        if hit.strand > 0 and (place[hit.q_st : hit.q_en] >= 0).sum() <= (hit.q_en - hit.q_st) / 10:
            gaps += _lay(hit, place, match)
    return MatchLine(place, match, tuple(sorted(gaps)))


def _lay(hit: Any, place: NDArray[np.int32], match: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Write one hit by its difference string (minimap2's `cs`, short form); returns its gaps."""
    steps = _STEP.findall(hit.cs)
    kinds = np.array(["=" if same else "*" if new else "+" if ins else "-"
                      for same, new, ins, _ in steps])  # fmt: skip
    sizes = np.array([int(same) if same else len(new + ins + gone)
                      for same, new, ins, gone in steps])  # fmt: skip
    on_read = np.where(kinds == "-", 0, sizes)
    on_reference = np.where(kinds == "+", 0, sizes)
    q = hit.q_st + np.cumsum(on_read) - on_read
    r = hit.r_st + np.cumsum(on_reference) - on_reference
    aligned = (kinds == "=") | (kinds == "*")
    n = sizes[aligned]
    inside = np.arange(n.sum()) - np.repeat(np.cumsum(n) - n, n)
    bases = np.repeat(q[aligned], n) + inside
    free = place[bases] < 0
    place[bases[free]] = (np.repeat(r[aligned], n) + inside)[free]
    match[bases[free]] = np.repeat(kinds[aligned] == "=", n)[free]
    large = ~aligned & (sizes >= GAP)
    return [
        (int(a), int(a) + max(1, int(b)))
        for a, b in zip(r[large], on_reference[large], strict=True)
    ]
