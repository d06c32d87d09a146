"""The barcode at a read's ends, and how far into the read it reaches.

The 96 sequences of Oxford Nanopore's barcoding kits (native, rapid and PCR share them, numbers 1 to
12 in opposite orientation) are in `data/barcodes.tsv`. An end is searched in two steps:

1. 8-mers select the barcodes that may be there: two k-mers, 4 bases or more apart, on one diagonal,
   in all ends of many reads at once. Hardly a read without a barcode passes this step.
2. edlib (Šošić & Šikić 2017, Bioinformatics 33:1394) aligns those, in the middle of the window free
   of charge. At most MOST_EDITS edits, and SURER fewer than any other candidate.

Two ends with different barcodes are a ligated pair of molecules: the read belongs to neither.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import edlib
import mappy

from porewatch_worker.science.sequence.seed_search import DiagonalSearch

WINDOW = 110
K = 8
MOST_EDITS = 4
SURER = 3
CONFLICT = "conflict"
_APART = 4
_DRIFT = 2


@dataclass(frozen=True)
class BarcodeCall:
    """The barcode at the ends: `barcode` (None: none, CONFLICT: two of them), the span between, and
    the `edits` of the better end (of two barcodes, of the worse)."""

    barcode: str | None
    start: int
    end: int
    edits: int = 0


class _Found(NamedTuple):
    """A barcode in a window: half-open, in bases of the window."""

    edits: int
    barcode: str
    start: int
    end: int


@cache
def kit_barcodes() -> Mapping[str, str]:
    """`barcode01` to `barcode96` -> 24 bases."""
    text = (files("porewatch_worker") / "data" / "barcodes.tsv").read_text("ascii")
    rows = (line.split("\t") for line in text.splitlines())
    return {f"barcode{int(number):02d}": sequence for number, sequence in rows}


class BarcodeReader:
    """Looks for barcodes at the ends of reads. Shared by all threads."""

    def __init__(self, barcodes: Mapping[str, str]) -> None:
        self._patterns = [
            (name, strand)
            for name, sequence in sorted(barcodes.items())
            for strand in (sequence, mappy.revcomp(sequence))
        ]
        strands = [pattern for _, pattern in self._patterns]
        self._search = DiagonalSearch(strands, size=K, apart=_APART, drift=_DRIFT)

    def call(self, sequences: Sequence[str]) -> list[BarcodeCall]:
        """The barcode of each read, and the read without it: sequence[start:end]."""
        ends = [
            end for s in sequences for end in (s[:WINDOW], s[-WINDOW:] if len(s) > WINDOW else "")
        ]
        patterns = self._search.search(ends)
        found = {number: self._end(ends[number], there) for number, there in patterns.items()}
        return [
            _combined(len(s), found.get(2 * i), found.get(2 * i + 1))
            for i, s in enumerate(sequences)
        ]

    def _end(self, window: str, patterns: Sequence[int]) -> _Found | None:
        """The pattern in the window, if one fits clearly better than all others."""
        found = []
        for number in patterns:
            name, pattern = self._patterns[number]
            hit = edlib.align(pattern, window, mode="HW", task="locations", k=MOST_EDITS + SURER)
            if hit["editDistance"] >= 0:
                first, last = hit["locations"][0]
                found.append(_Found(hit["editDistance"], name, first, last + 1))
        best = min(found, default=None)
        if best is None or best.edits > MOST_EDITS:
            return None
        others = (f.edits for f in found if f.barcode != best.barcode)
        return best if min(others, default=len(window)) - best.edits >= SURER else None


def _combined(length: int, front: _Found | None, rear: _Found | None) -> BarcodeCall:
    """The barcode call of a read of `length` from its two ends."""
    edits = [found.edits for found in (front, rear) if found]
    names = {found.barcode for found in (front, rear) if found}
    barcode = CONFLICT if len(names) > 1 else next(iter(names), None)
    start = front.end if front else 0
    end = length - WINDOW + rear.start if rear else length
    surer = (max if barcode == CONFLICT else min)(edits, default=0)
    return BarcodeCall(barcode, start, max(start, end), surer)
