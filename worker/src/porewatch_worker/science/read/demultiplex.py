"""The sample of a read: by folder, by header, or by the barcode at the read's own ends.

1. The manifest's barcode for the file has precedence, then the read's header, which may hold the
   barcode or the sample's name (a demultiplexer with a sample sheet writes that instead). A read
   that the basecaller called unclassified stays so.
2. Without either, the ends decide (`barcodes.py`): an undemultiplexed run is demultiplexed by the
   barcodes of its sample sheet.
3. Where both exist and the ends, with at most SURE edits, bear a barcode of another sample of the
   run, the read is counted as contradicted: crosstalk, seen directly. It is not used as evidence.

Reads with an adapter inside are cut first (`split_at_adapters.py`); parts are assigned one by one.
A run of one sample without barcode needs no demultiplexing, and its ends are not searched.
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
    """A read (or part of one), its sample, and whether its ends name another one."""

    sample: str
    read: Read
    contradicted: bool = False


@dataclass
class Demultiplexed:
    """The reads of samples, in order, and counts of demultiplexing; nothing is added up."""

    owned: list[Owned] = field(default_factory=list)
    unlisted: Counter[str] = field(default_factory=Counter)
    """Reads of no sample, by their barcode."""
    split: Counter[str] = field(default_factory=Counter)
    """Reads that cutting added, by sample."""
    by_ends: Counter[str] = field(default_factory=Counter)
    """Reads assigned only by the barcode at their ends, by sample."""
    barcodes_seen: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(sample, barcode at a read's ends) -> reads."""


class SampleAssigner:
    """The samples of a run and their barcodes."""

    def __init__(self, samples: Sequence[Sample]) -> None:
        kit = kit_barcodes()
        self._samples = {s.barcode: s.name for s in samples}
        self._named = lru_cache(1000)(
            Aliases(samples).named
        )  # a run has few names, and each read needs one
        self._alone = samples[0].name if len(samples) == 1 and not samples[0].barcode else None
        ours = {s.barcode: kit[s.barcode] for s in samples if s.barcode and s.barcode in kit}
        self._reader = BarcodeReader(ours) if ours and self._alone is None else None

    def assign(
        self, file: InputFile, reads: Sequence[Read], *, search_ends: bool = True
    ) -> Demultiplexed:
        """Assign reads to samples. With `call` False reads are neither cut nor searched."""
        result = Demultiplexed()
        cut = list(split(reads)) if search_ends else [[read] for read in reads]
        calls = iter(self._barcode_calls([part for parts in cut for part in parts], search_ends))
        for parts in cut:
            each = (self._owned(file, part, next(calls), result) for part in parts)
            found = list(chain.from_iterable(each))
            if found:
                result.split[found[0].sample] += len(found) - 1
            result.owned += found
        return result

    def _barcode_calls(self, parts: Sequence[Read], search_ends: bool) -> list[BarcodeCall | None]:
        """The barcode call of each part; None where ends are not searched."""
        if self._reader is None or not search_ends:
            return [None] * len(parts)
        return list(self._reader.call([part.sequence for part in parts]))

    def _owned(
        self, file: InputFile, read: Read, call: BarcodeCall | None, result: Demultiplexed
    ) -> Iterable[Owned]:
        if self._alone is not None:
            return [Owned(self._alone, read)]
        stated = file.barcode or read.barcode or self._named(read.alias or "")
        sample = self._samples.get(stated or (call.barcode if call else None))
        if sample is None:
            result.unlisted[stated or (call.barcode if call else None) or NOBODY] += 1
            return []
        return [self._with_evidence(sample, stated, call, read, result)]

    def _with_evidence(
        self,
        sample: str,
        stated: str | None,
        call: BarcodeCall | None,
        read: Read,
        result: Demultiplexed,
    ) -> Owned:
        if call is None or call.barcode is None:
            return Owned(sample, read)
        inner = read._replace(
            sequence=read.sequence[call.start : call.end],
            qualities=read.qualities[call.start : call.end],
        )
        if stated is None:
            result.by_ends[sample] += 1
        other = call.barcode != (stated or call.barcode)
        if other and call.edits > SURE:
            return Owned(sample, inner)
        result.barcodes_seen[sample, call.barcode] += 1
        return Owned(sample, inner, other or call.barcode == CONFLICT)
