"""Whose read it is: the sample by folder, by header, or by the barcode at the read's own ends.

1. The manifest's barcode for the file wins, then the read's header, which may tell the barcode or
   the sample's name (a demultiplexer with a sample sheet writes that instead). A read that the
   basecaller called unclassified stays so.
2. Where neither says anything, the ends do (`barcodes.py`): an undemultiplexed run is demultiplexed
   by the barcodes of its sample sheet.
3. Where both speak and the ends, with at most SURE edits, bear a barcode of another sample of the
   run, the read is counted there as contradicted: crosstalk, seen directly. It is evidence of
   nothing.

Reads with an adapter inside are cut first (`split_at_adapters.py`); parts are owned one by one. A
run of one sample without barcode has nothing to tell apart, and its ends are not looked at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

from porewatch.domain.inputs.landing.aliases import Aliases
from porewatch.domain.runs import InputFile, Sample
from porewatch_worker.science.read.barcodes import (
    CONFLICT,
    BarcodeCall,
    BarcodeReader,
    kit_barcodes,
)
from porewatch_worker.science.read.split_at_adapters import split
from porewatch_worker.science.reads import Read

SURE = 3
NOBODY = "none"


class Owned(NamedTuple):
    """A read (or part of one), its sample, and whether its ends say another one."""

    sample: str
    read: Read
    contradicted: bool = False


@dataclass
class Demultiplexed:
    """The reads that samples own, in order, and what was seen on the way; nothing is added up."""

    owned: list[Owned] = field(default_factory=list)
    unlisted: Counter[str] = field(default_factory=Counter)
    """Reads that no sample owns, by the barcode that they bear."""
    split: Counter[str] = field(default_factory=Counter)
    """Reads that cutting added, by sample."""
    by_ends: Counter[str] = field(default_factory=Counter)
    """Reads whose sample only their own ends told, by sample."""
    barcodes_seen: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(sample, barcode at a read's ends) -> reads."""


class SampleAssigner:
    """The samples of a run and their barcodes."""

    def __init__(self, samples: Sequence[Sample]) -> None:
        kit = kit_barcodes()
        self._samples = {s.barcode: s.name for s in samples}
        self._named = lru_cache(1000)(
            Aliases(samples).named
        )  # a run has few names, and asks for each read
        self._alone = samples[0].name if len(samples) == 1 and not samples[0].barcode else None
        ours = {s.barcode: kit[s.barcode] for s in samples if s.barcode and s.barcode in kit}
        self._reader = BarcodeReader(ours) if ours and self._alone is None else None

    def assign(self, file: InputFile, reads: Sequence[Read], *, look: bool = True) -> Demultiplexed:
        """Whose the reads are. With `look` False reads are neither cut nor searched."""
        result = Demultiplexed()
        cut = list(split(reads)) if look else [[read] for read in reads]
        told = iter(self._told([part for parts in cut for part in parts], look))
        for parts in cut:
            each = (self._owned(file, part, next(told), result) for part in parts)
            found = list(chain.from_iterable(each))
            if found:
                result.split[found[0].sample] += len(found) - 1
            result.owned += found
        return result

    def _told(self, parts: Sequence[Read], look: bool) -> list[BarcodeCall | None]:
        """What the ends of each part say; nothing where they are not looked at."""
        if self._reader is None or not look:
            return [None] * len(parts)
        return list(self._reader.look([part.sequence for part in parts]))

    def _owned(
        self, file: InputFile, read: Read, told: BarcodeCall | None, result: Demultiplexed
    ) -> Iterable[Owned]:
        if self._alone is not None:
            return [Owned(self._alone, read)]
        given = file.barcode or read.barcode or self._named(read.alias or "")
        sample = self._samples.get(given or (told.barcode if told else None))
        if sample is None:
            result.unlisted[given or (told.barcode if told else None) or NOBODY] += 1
            return []
        return [self._with_evidence(sample, given, told, read, result)]

    def _with_evidence(
        self,
        sample: str,
        given: str | None,
        told: BarcodeCall | None,
        read: Read,
        result: Demultiplexed,
    ) -> Owned:
        if told is None or told.barcode is None:
            return Owned(sample, read)
        inner = read._replace(
            sequence=read.sequence[told.start : told.end],
            qualities=read.qualities[told.start : told.end],
        )
        if given is None:
            result.by_ends[sample] += 1
        other = told.barcode != (given or told.barcode)
        if other and told.edits > SURE:
            return Owned(sample, inner)
        result.barcodes_seen[sample, told.barcode] += 1
        return Owned(sample, inner, other or told.barcode == CONFLICT)
