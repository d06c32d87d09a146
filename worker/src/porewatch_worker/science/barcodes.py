"""Which barcode stands at a read's ends, and how far into the read it reaches.

The 96 sequences of Oxford Nanopore's barcoding kits (native, rapid and PCR share them, numbers 1 to
12 in opposite orientation) stand in `data/barcodes.tsv`. An end is searched in two steps:

1. Words of 8 bases say which barcodes may be there at all: two words, 4 bases or more apart, on one
   diagonal. Hardly a read without a barcode gets further.
2. edlib (Šošić & Šikić 2017, Bioinformatics 33:1394) aligns those, in the middle of the window free
   of charge. At most MOST_EDITS edits, and SURER fewer than any other candidate.

Two ends that tell different barcodes are a ligated pair of molecules: the read belongs to neither.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import edlib

WINDOW = 110
WORD = 8
MOST_EDITS = 4
SURER = 3
CONFLICT = "conflict"
_APART = 4
_DRIFT = 2
_COMPLEMENT = str.maketrans("ACGT", "TGCA")


@dataclass(frozen=True)
class Told:
    """What the ends say: `barcode` (None: nothing, CONFLICT: two of them), the span between, and
    how many `edits` the surer end is from the barcode (of two barcodes, the less sure)."""

    barcode: str | None
    start: int
    end: int
    edits: int = 0


@cache
def kit_barcodes() -> Mapping[str, str]:
    """`barcode01` to `barcode96` -> 24 bases."""
    text = (files("porewatch_worker") / "data" / "barcodes.tsv").read_text("ascii")
    rows = (line.split("\t") for line in text.splitlines())
    return {f"barcode{int(number):02d}": sequence for number, sequence in rows}


def reverse_complement(sequence: str) -> str:
    return sequence.translate(_COMPLEMENT)[::-1]


class BarcodeReader:
    """Looks for barcodes at the ends of reads. Shared by all threads."""

    def __init__(self, barcodes: Mapping[str, str]) -> None:
        self._patterns = [
            (name, strand)
            for name, sequence in sorted(barcodes.items())
            for strand in (sequence, reverse_complement(sequence))
        ]
        self._words: dict[str, list[tuple[int, int]]] = {}
        for number, (_, pattern) in enumerate(self._patterns):
            for place in range(len(pattern) - WORD + 1):
                self._words.setdefault(pattern[place : place + WORD], []).append((number, place))

    def look(self, sequence: str) -> Told:
        """The barcode of a read, and the read without it: sequence[start:end]."""
        front = self._end(sequence[:WINDOW])
        rear = self._end(sequence[-WINDOW:]) if len(sequence) > WINDOW else None
        offset = len(sequence) - WINDOW
        names = {found[0] for found in (front, rear) if found}
        told = CONFLICT if len(names) > 1 else next(iter(names), None)
        start = front[2] if front else 0
        end = offset + rear[1] if rear else len(sequence)
        edits = [found[3] for found in (front, rear) if found]
        surer = (max if told == CONFLICT else min)(edits, default=0)
        return Told(told, start, max(start, end), surer)

    def _end(self, window: str) -> tuple[str, int, int, int] | None:
        """(barcode, first base, base after its last, edits) in the window."""
        found = []
        for number in self._candidates(window):
            name, pattern = self._patterns[number]
            hit = edlib.align(pattern, window, mode="HW", task="locations", k=MOST_EDITS + SURER)
            if hit["editDistance"] >= 0:
                first, last = hit["locations"][0]
                found.append((hit["editDistance"], name, first, last + 1))
        found.sort()
        if not found or found[0][0] > MOST_EDITS:
            return None
        other = next((edits for edits, name, _, _ in found if name != found[0][1]), len(window))
        edits, name, first, end = found[0]
        return (name, first, end, edits) if other - edits >= SURER else None

    def _candidates(self, window: str) -> list[int]:
        """Patterns of which two words stand apart on one diagonal."""
        seen: dict[int, list[tuple[int, int]]] = {}
        chosen: dict[int, None] = {}
        words = self._words
        for place in range(len(window) - WORD + 1):
            for number, inside in words.get(window[place : place + WORD], ()):
                earlier = seen.setdefault(number, [])
                if any(
                    place - p >= _APART and abs((place - inside) - d) <= _DRIFT for p, d in earlier
                ):
                    chosen[number] = None
                earlier.append((place, place - inside))
        return list(chosen)
