"""The result of one pass over a file, and the running tally it is made from."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from porewatch.domain.base import Model, Moment, Sha256
from porewatch.domain.runs import ReadKind, Sequencing
from porewatch.reads.headers import ReadHeader

PHRED_ERROR = 10.0 ** (-np.arange(256) / 10.0)
"""Error probability of each Phred value (Ewing & Green 1998: Q = -10 log10 p)."""


class ReadsSummary(Model):
    """One file, checked to its last byte. Lengths in bases, `size` and `sha256` of the raw bytes.

    `mean_quality` is the Phred value of the mean error probability over all bases. `counted` is
    False when reads could not be counted (POD5 with footers unknown to us); the counts are 0
    then. Signal has no bases before it is called: `bases` is 0 for POD5.
    `barcodes` counts reads whose header names a barcode (`unclassified` included).
    """

    name: str
    kind: ReadKind
    size: int
    sha256: Sha256
    counted: bool = True
    reads: int = 0
    bases: int = 0
    n50: int = 0
    mean_length: float = 0.0
    longest: int = 0
    mean_quality: float | None = None
    barcodes: dict[str, int] = {}
    sequencing: Sequencing = Sequencing()
    first_read_at: Moment | None = None


def n50(lengths: Iterable[int]) -> int:
    """The largest length L such that reads of at least L bases hold half of all bases; 0 if none.
    A Counter of lengths is as good as the lengths.

    Definition of Lander et al. 2001 (Nature 409:860), applied to reads.
    """
    running = 0
    counted = sorted(Counter(lengths).items(), reverse=True)
    half = sum(length * reads for length, reads in counted) / 2
    for length, reads in counted:
        running += length * reads
        if running and running >= half:
            return length
    return 0


def phred(error: float) -> float:
    """Phred value of an error probability, capped at 93 (the highest FASTQ can write)."""
    return 93.0 if error <= 0 else min(93.0, -10.0 * math.log10(error))


class Tally:
    """Counts of one file while it is read: of lengths a histogram, so that memory does not grow
    with the number of reads (n different lengths take n^2 / 2 bases at least)."""

    def __init__(self) -> None:
        self.reads = 0
        self.lengths: Counter[int] = Counter()
        self.qualities = np.zeros(256, dtype=np.int64)
        self.barcodes: dict[str, int] = {}
        self.first: ReadHeader | None = None

    def take(self, lengths: Sequence[int], qualities: np.ndarray) -> None:
        """Reads of these lengths; `qualities`: how often each Phred value occurs, from 0 on."""
        self.reads += len(lengths)
        self.lengths.update(lengths)
        self.qualities[: qualities.size] += qualities

    def count_barcode(self, barcode: str) -> None:
        self.barcodes[barcode] = self.barcodes.get(barcode, 0) + 1

    def mean_quality(self) -> float | None:
        """Phred value of the mean error probability over all bases, None without bases."""
        bases = int(self.qualities.sum())
        return phred(float(self.qualities @ PHRED_ERROR) / bases) if bases else None

    def summary(self, *, name: str, kind: ReadKind, size: int, sha256: str) -> ReadsSummary:
        """The finished counts."""
        bases = sum(length * reads for length, reads in self.lengths.items())
        quality = self.mean_quality()
        return ReadsSummary(
            name=name,
            kind=kind,
            size=size,
            sha256=sha256,
            reads=self.reads,
            bases=bases,
            n50=n50(self.lengths),
            mean_length=round(bases / self.reads, 3) if self.reads else 0.0,
            longest=max(self.lengths, default=0),
            mean_quality=None if quality is None else round(quality, 3),
            barcodes=dict(sorted(self.barcodes.items())),
            sequencing=self.first.sequencing() if self.first else Sequencing(),
            first_read_at=self.first.start_time if self.first else None,
        )
