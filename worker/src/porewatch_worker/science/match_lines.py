"""A read beside one reference, base by base: where each base lies there, and whether it matches.

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
    """`place[i]`: where base i lies on the reference, -1 where it does not; `match[i]`: it is the
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
    """Write one hit by its difference string (minimap2's `cs`, short form)."""
    gaps = []
    q, r = hit.q_st, hit.r_st
    for same, changed, inserted, deleted in _STEP.findall(hit.cs):
        if same or changed:
            n = int(same) if same else 1
            free = place[q : q + n] < 0
            place[q : q + n][free] = np.arange(r, r + n, dtype=np.int32)[free]
            match[q : q + n][free] = bool(same)
            q, r = q + n, r + n
        elif inserted:
            if len(inserted) >= GAP:
                gaps.append((r, r + 1))
            q += len(inserted)
        else:
            if len(deleted) >= GAP:
                gaps.append((r, r + len(deleted)))
            r += len(deleted)
    return gaps
