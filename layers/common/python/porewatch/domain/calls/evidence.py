"""What the phases measured: reads, quality, and the evidence for each target (`screen.json`)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from porewatch.domain.base import Model
from porewatch.domain.calls.host_and_unassigned import (
    HostScreen,
    Unknowns,
)
from porewatch.domain.calls.perv import (
    PervScreen,
)
from porewatch.domain.calls.references import ContigRole


class Histogram(Model):
    """`counts[i]` reads (and `bases[i]` bases) in `edges[i] <= x < edges[i+1]`."""

    unit: str
    edges: tuple[float, ...]
    counts: tuple[int, ...]
    bases: tuple[int, ...] = ()


class YieldPoint(Model):
    """Reads and bases whose sequencing started in this time bin, from the read headers."""

    minute: int
    reads: int
    bases: int


class ReadAccount(Model):
    """Where every read of a sample went. `total = filtered + host + assigned + unassigned`.

    `assigned` = panel + spike + decoy. `filtered` is by reason (`too_short`, `low_quality`, ...).
    """

    total: int = 0
    filtered: dict[str, int] = {}
    filtered_bases: Annotated[
        dict[str, int], Field(description="bases of them, after trimming, by reason")
    ] = {}
    host: int = 0
    panel: int = 0
    spike: int = 0
    decoy: int = 0
    unassigned: int = 0
    split: Annotated[
        int, Field(description="parts that reads with an adapter inside gave beyond themselves")
    ] = 0
    demultiplexed: Annotated[
        int, Field(description="reads given to the sample by the barcode at their ends alone")
    ] = 0
    barcodes_told: Annotated[
        dict[str, int],
        Field(
            description="barcode that the ends of this sample's reads show -> reads, its own "
            "included; others are `filtered` as other_barcode: crosstalk, seen directly"
        ),
    ] = {}

    @property
    def passed(self) -> int:
        """Reads that no filter kept back."""
        return self.total - sum(self.filtered.values())

    @property
    def assigned(self) -> int:
        return self.panel + self.spike + self.decoy

    @property
    def balanced(self) -> bool:
        there = sum(self.filtered.values()) + self.host + self.assigned + self.unassigned
        return self.total == there


class QualityControl(Model):
    """Per sample, before filtering unless the name says otherwise. Lengths in bases, quality Phred.

    `mean_quality` is the Phred value of the mean error probability over reads.
    """

    reads: int
    bases: int
    passed_reads: int
    passed_bases: int
    mean_length: float
    median_length: float
    n50: int
    longest: int
    mean_quality: float | None
    gc_fraction: float | None = None
    adapter_trimmed_reads: int = 0
    kinds: Annotated[
        dict[str, int],
        Field(description="simplex, duplex, duplex_parent -> reads, where the basecaller said so"),
    ] = {}
    lengths: Histogram
    qualities: Histogram
    yield_over_time: tuple[YieldPoint, ...] = ()


class ContigCoverage(Model):
    """Depth along one contig in equal bins (mean depth a bin), at most 200 bins."""

    contig: str
    length: int
    covered_bases: int
    mean_depth: float
    max_depth: int
    bin_size: int
    bins: tuple[float, ...]


class NearReads(Model):
    """Reads that are near their target, and whether they would stand alone."""

    of: Annotated[
        int, Field(description="reads looked at: an even sample, ribosomal operons left out")
    ]
    reads: Annotated[int, Field(description="those of them that are near")]
    own: Annotated[
        int, Field(description="near reads that the target fills; others are pieces of joined ones")
    ]
    starts: Annotated[int, Field(description="distinct starts of the near reads")]
    regions: Annotated[int, Field(description="stretches that near reads cover")]
    breadth: Annotated[float, Field(description="share of the genome under near reads")]
    expected_breadth: Annotated[
        float, Field(description="what near bases placed at random would cover")
    ]


class Evidence(Model):
    """What speaks for one target in one sample, after alignment and competition with the host.

    `breadth` = covered bases / length over the target's best contig set; `expected_breadth` =
    1 - exp(-bases aligned to that set / length) (Lander & Waterman 1988), so that reads of other
    strains are in neither. `evenness` = 1 - Gini of bin depths.
    `identity` = matching bases / alignment block, base-weighted mean; `whole_identity` is that over
    whole reads: their other bases are columns that do not match, host beside them apart.
    """

    reads: int
    aligned_bases: int
    distinct_starts: int
    regions: Annotated[
        int, Field(description="stretches of the genome that are covered, apart from each other")
    ] = 0
    breadth: float
    expected_breadth: float
    mean_depth: float
    evenness: float | None
    identity: float
    median_mapq: int
    shared_reads: Annotated[
        int, Field(description="reads that fit another target equally well (ties)")
    ] = 0
    shared_with: Annotated[
        dict[str, int],
        Field(description="partners in those ties (joined by '|'; 'host' is the host) -> reads"),
    ] = {}
    squared_bases: Annotated[
        int, Field(description="sum over reads of the square of their aligned bases")
    ] = 0
    whole_identity: Annotated[
        float | None,
        Field(description="matching bases / (alignment block + bases outside it that are no host)"),
    ] = None
    explained: Annotated[
        dict[str, int],
        Field(description="the same of each read, in whole per cent -> reads"),
    ] = {}
    own_reads: Annotated[
        int | None,
        Field(description="reads that the target fills; the others are pieces of joined molecules"),
    ] = None
    near: NearReads | None = None
    words: Annotated[
        int, Field(description="sampled words of 21 bases of its reads; of large genomes alone")
    ] = 0
    words_found: Annotated[int, Field(description="those of them that its reference has")] = 0
    reads_with_host_flank: int = 0
    host_better: Annotated[
        int, Field(description="reads given to the host because it matched more bases")
    ] = 0
    coverage: tuple[ContigCoverage, ...] = ()


class TargetResult(Model):
    """Everything mapped to one target (panel member, spike-in or decoy) in one sample."""

    target: str
    role: ContigRole
    genome_length: int
    evidence: Evidence


class SampleScreen(Model):
    """Output of the screening pass for one sample: the content of `screen.json`."""

    sample: str
    account: ReadAccount
    quality: QualityControl
    host_bases: int = 0
    unassigned_bases: int = 0
    targets: tuple[TargetResult, ...] = ()
    perv: Annotated[
        PervScreen | None, Field(description="only when the bundle has PERV genomes")
    ] = None
    host: HostScreen | None = None
    unknowns: Unknowns | None = None


class ScreenResult(Model):
    """`screen.json`: all samples, plus reads whose barcode no sample claims."""

    schema_version: Literal["1"] = "1"
    bundle: str
    bundle_sha256: str
    synthetic: bool
    samples: tuple[SampleScreen, ...]
    unlisted_barcodes: dict[str, int] = {}
