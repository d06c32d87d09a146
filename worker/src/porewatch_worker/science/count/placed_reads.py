"""Position and fit of each read of a target: do the near ones suffice alone?

Which reads are near is known only when the sample is complete: it depends on the rate of sequencing
errors. So fit and position of each read are kept, for at most MOST reads: those with the smallest
hash of both, an even sample that does not depend on the order of units.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from porewatch.domain.calls.evidence import NearReads
from porewatch_worker.science.read.placement import Segment
from porewatch_worker.science.sequence.conserved import (
    Spans,
    inside,
)

MOST = 4_000
OWN = 67
"""Per cent of a read, host and kit sequence beside it apart, that a target must align to for the
read to be its own: less is a piece of a joined molecule, or a conserved stretch."""


class Placed(NamedTuple):
    """One read: per cent of it that aligns, identity there and over the whole read (per cent), and
    the longest stretch on the contig."""

    fills: int
    stretch: int
    whole: int
    start: int
    end: int


def placed_reads(segments: Sequence[Segment], length: int) -> tuple[str, Placed]:
    """Contig and place of a read of `length` bases (what is explained otherwise taken off)."""
    longest = max(segments, key=lambda s: (s.end - s.start, -s.start))
    aligned = sum(s.read_end - s.read_start for s in segments)
    matched, block = sum(s.matched for s in segments), sum(s.block for s in segments)
    columns = block + max(0, length - aligned)
    return longest.contig, Placed(
        min(100, 100 * aligned // max(1, length)),
        100 * matched // max(1, block),
        100 * matched // max(1, columns),
        longest.start,
        longest.end,
    )


def smallest(reads: Iterable[Placed]) -> list[Placed]:
    """At most MOST of them, the same whatever the order."""
    return heapq.nsmallest(MOST, reads, key=lambda r: (_hash(r), r))


def _hash(read: Placed) -> int:
    return (read.start * 0x9E3779B1 + read.end * 0x85EBCA77 + read.whole * 0xC2B2AE3D) & 0xFFFFFFFF


class Place(NamedTuple):
    """A contig of a target: its bases, and where they are conserved beyond the species."""

    length: int
    conserved: Spans = ()


def near_reads(
    reads: dict[str, list[Placed]], contigs: dict[str, Place], *, large: bool, least: float
) -> NearReads:
    """What the near reads of a target show. `least`: identity from which a read is near, over its
    stretches where the genome is a cell's (much of it is conserved in relatives, none of it
    wholly), over the whole read where it is a virus's. Reads in conserved stretches are left out
    of all; own reads of a virus alone are near."""
    looked = [
        (contig, r)
        for contig, found in reads.items()
        for r in found
        if not inside(contigs[contig].conserved, r.start, r.end)
    ]
    if large:
        near = [(c, r) for c, r in looked if r.stretch >= 100 * least]
    else:
        near = [(c, r) for c, r in looked if r.whole >= 100 * least and r.fills >= OWN]
    length = max((contigs[c].length for c, _ in looked), default=0)
    covered, regions = _covered(near)
    bases = sum(r.end - r.start for _, r in near)
    return NearReads(
        of=len(looked),
        reads=len(near),
        own=sum(r.fills >= OWN for _, r in near),
        starts=len({(c, r.start) for c, r in near}),
        regions=regions,
        breadth=round(covered / length, 6) if length else 0.0,
        expected_breadth=round(1.0 - math.exp(-bases / length), 6) if length else 0.0,
    )


def _covered(near: Sequence[tuple[str, Placed]]) -> tuple[int, int]:
    """(bases under these reads, stretches that they make)."""
    covered = regions = 0
    last, end = "", 0
    for contig, start, stop in sorted((c, r.start, r.end) for c, r in near):
        if contig != last or start > end:
            regions += 1
            last, end = contig, start
        covered += max(0, stop - max(start, end))
        end = max(end, stop)
    return covered, regions
