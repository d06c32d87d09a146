"""Adapter trimming and the filters: strands counted in their duplex read, length after trimming,
mean error. (Low complexity is judged after mapping, and another barcode by `demultiplex.py`.)

Adapters: the strands of Oxford Nanopore's ligation (LSK109, LSK110/114) and rapid adapters, from
the vendor's Chemistry Technical Document (CHTD_500). One is taken to be present at an end when at
least two of its 10-mers, 3 or more bases apart, are there without error on one diagonal (within 4
bases); by chance that is so at one end in 40,000. Bases outside the adapter's inner end are
removed. Basecallers usually trim already; this removes the rest, and examines only reads whose ends
hold two such k-mers (`sequence.kmers`, a chunk of reads at once).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from porewatch.domain.stage.screening_parameters import ScreeningParameters
from porewatch.reads.summary import PHRED_ERROR
from porewatch_worker.science.read.why_filtered import DUPLEX_PARENT, LOW_QUALITY, TOO_SHORT
from porewatch_worker.science.reads import Read
from porewatch_worker.science.sequence.kmers import (
    coded,
    numbers_of,
)

FRONT = (
    "AATGTACTTCGTTCAGTTACGTATTGCT",
    "CCTGTACTTCGTTCAGTTACGTATTGCT",
    "GTTTTCGCATTTATCGTGAAACGCTTTCGCGTTTTTCGTGCGCCGCTTCA",
)
REAR = ("AGCAATACGTAACTGAACGAAGTACAGG",)
K = 10
WINDOW = 150
_DRIFT = 4
_APART = 3

_ASCII_ERROR = np.ones(256)
_ASCII_ERROR[33:] = PHRED_ERROR[:223]


@dataclass(frozen=True)
class FilterResult:
    """A read after trimming. `reason` is None when it passed; `error` its mean error probability
    (before trimming)."""

    read: Read
    sequence: str
    trimmed: bool
    error: float
    reason: str | None


def filter_read(
    reads: Sequence[Read], parameters: ScreeningParameters, least: Sequence[int] = ()
) -> list[FilterResult]:
    """Trim and filter. A read fails when its mean error exceeds 10^(-Q/10), Q the least quality.
    `least`: the shortest length that counts, read by read, where samples differ in it."""
    worst = 10.0 ** (-parameters.min_mean_quality / 10.0)
    judged = []
    hints = may_hold_adapters([r.sequence for r in reads])
    lengths = least or [parameters.min_read_length] * len(reads)
    for read, error, hinted, shortest in zip(
        reads, mean_errors(reads), hints, lengths, strict=True
    ):
        start, end = inner_span(read.sequence) if hinted else (0, len(read.sequence))
        sequence = read.sequence[start:end]
        reason = None
        if read.duplex == -1:
            reason = DUPLEX_PARENT
        elif len(sequence) < shortest:
            reason = TOO_SHORT
        elif error > worst:
            reason = LOW_QUALITY
        trimmed = len(sequence) < len(read.sequence)
        judged.append(FilterResult(read, sequence, trimmed, float(error), reason))
    return judged


def mean_errors(reads: Sequence[Read]) -> NDArray[np.float64]:
    """Mean error probability of each read from its qualities; 1 for an empty read."""
    lengths = np.array([len(r.qualities) for r in reads], dtype=np.int64)
    symbols = np.frombuffer(b"".join(r.qualities for r in reads), dtype=np.uint8)
    ends = np.cumsum(lengths)
    errors = np.ones(len(reads))
    there = lengths > 0
    if there.any():
        starts = (ends - lengths)[there]
        errors[there] = np.add.reduceat(_ASCII_ERROR[symbols], starts) / lengths[there]
    return errors


def may_hold_adapters(sequences: Sequence[str]) -> list[bool]:
    """Which reads have two k-mers of adapters, or more, in the bases at their ends."""
    ends = [s[:WINDOW] + s[-WINDOW:] for s in sequences]
    edges = np.cumsum([0, *(len(e) for e in ends)])
    hits = np.zeros(edges[-1] + 1, dtype=np.int64)
    codes = coded("".join(ends).encode(), K)
    hits[1 : len(codes) + 1] = np.cumsum(_KNOWN[codes])
    hits[len(codes) + 1 :] = hits[len(codes)]
    return [bool(there) for there in hits[edges[1:]] - hits[edges[:-1]] >= 2]


def inner_span(sequence: str) -> tuple[int, int]:
    """(start, end) of the read without adapters at its ends."""
    start = _adapter_end(sequence[:WINDOW], _FRONT_KMERS)
    rear = sequence[-WINDOW:] if len(sequence) > WINDOW else sequence[start:]
    end = len(sequence) - _adapter_end(rear[::-1], _REAR_KMERS)
    return start, max(start, end)


def _kmers(adapters: Sequence[str]) -> dict[str, int]:
    """10-mer -> bases from its start to the adapter's inner end."""
    found: dict[str, int] = {}
    for adapter in adapters:
        for start in range(len(adapter) - K + 1):
            found.setdefault(adapter[start : start + K], len(adapter) - start)
    return found


_FRONT_KMERS = _kmers(FRONT)
_REAR_KMERS = _kmers([adapter[::-1] for adapter in REAR])
_KNOWN = np.zeros(4**K, dtype=bool)
_KNOWN[numbers_of([*_FRONT_KMERS, *(kmer[::-1] for kmer in _REAR_KMERS)])] = True


def _adapter_end(window: str, kmers: dict[str, int]) -> int:
    """Where the adapter ends in `window` (0: none), by the innermost k-mers that agree."""
    found = [
        (start, start + kmers[kmer])
        for start in range(0, len(window) - K + 1)
        if (kmer := window[start : start + K]) in kmers
    ]
    agreeing = [
        max(end, other)
        for (start, end), (further, other) in combinations(found, 2)
        if further - start >= _APART and abs(end - other) <= _DRIFT
    ]
    return min(len(window), max(agreeing, default=0))
