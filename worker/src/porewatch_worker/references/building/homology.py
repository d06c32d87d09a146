"""Stretches of panel genomes shared with spike-ins and decoys, found when a bundle is built.

Why: phages that serve as spike-in have relatives inside bacterial genomes (lambda and the prophages
of E. coli), and a few thousand spike-in reads would otherwise call the bacterium. Where a control
covers more than a tenth of a panel contig it is a near relative, not an insertion; such targets
are distinguished read by read, and nothing is masked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import mappy

WINDOW = 2000
STEP = 1000
MIN_BLOCK = 100
MIN_IDENTITY = 0.70
LARGEST_SHARE = 0.10

Intervals = tuple[tuple[int, int], ...]


def shared_intervals(
    panel_fasta: Path, controls: Iterable[str], lengths: Mapping[str, int], k: int, w: int
) -> dict[str, Intervals]:
    """Panel contig -> intervals that a spike-in or decoy matches, by overlapping windows.

    `panel_fasta` holds panel contigs alone (beside itself a control would hide its relatives),
    `controls` are the sequences of spike-ins and decoys, `lengths` those of the panel contigs.
    """
    aligner = mappy.Aligner(str(panel_fasta), preset="map-ont", k=k, w=w, best_n=50)
    found: dict[str, list[tuple[int, int]]] = {}
    for sequence in controls:
        for _, window in windows(sequence):
            for hit in hits(window, aligner):
                found.setdefault(hit.ctg, []).append((hit.r_st, hit.r_en))
    merged = {name: merge(intervals) for name, intervals in found.items()}
    return {
        name: intervals
        for name, intervals in merged.items()
        if sum(b - a for a, b in intervals) <= LARGEST_SHARE * lengths[name]
    }


def windows(sequence: str) -> Iterator[tuple[int, str]]:
    """Overlapping windows of the sequence, each with its start."""
    for start in range(0, max(1, len(sequence) - WINDOW + STEP), STEP):
        yield start, sequence[start : start + WINDOW]


def hits(window: str, aligner: Any) -> Iterator[Any]:
    """Those that are long and alike enough to count."""
    for hit in aligner.map(window):
        if hit.blen >= MIN_BLOCK and hit.mlen >= MIN_IDENTITY * hit.blen:
            yield hit


def merge(intervals: Iterable[tuple[int, int]]) -> Intervals:
    """Half-open intervals, sorted, touching and overlapping ones joined."""
    joined: list[tuple[int, int]] = []
    for a, b in sorted(intervals):
        if joined and a <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], b))
        else:
            joined.append((a, b))
    return tuple(joined)
