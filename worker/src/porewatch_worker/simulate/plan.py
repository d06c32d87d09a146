"""What a simulated run shall be, and the table of its reads that follows from the seed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from porewatch_worker.simulate.errors import R10, ErrorModel
from porewatch_worker.simulate.genomes import Genome
from porewatch_worker.simulate.headers import Dialect, RunIdentity

CHANNELS = 512
UNCLASSIFIED = "unclassified"

Ints = NDArray[np.int64]
Marks = NDArray[np.bool_]


@dataclass(frozen=True)
class Source:
    """`reads` reads in one sample from `genomes` (segments or contigs, drawn by length)."""

    sample: str
    barcode: str
    genomes: tuple[Genome, ...]
    reads: int


@dataclass(frozen=True)
class RunPlan:
    """A run. Lengths are Gamma distributed, at least `min_length` and at most the contig's.

    `crosstalk` is the share of reads filed under a barcode drawn from all of them, `chimeras` the
    share with a second fragment joined on, `untrimmed` the share that keeps its adapters, which are
    read with errors like the rest.
    """

    identity: RunIdentity
    sources: tuple[Source, ...]
    seed: int
    model: ErrorModel = R10
    dialect: Dialect = "minknow"
    mean_length: float = 3000.0
    sd_length: float = 2550.0
    min_length: int = 200
    hours: float = 24.0
    chimeras: float = 0.0
    crosstalk: float = 0.0
    unclassified: float = 0.0
    front_adapter: bytes = b""
    rear_adapter: bytes = b""
    untrimmed: float = 1.0
    reads_per_file: int = 100_000

    @property
    def barcodes(self) -> tuple[str, ...]:
        """Every barcode of the run, the missing one last."""
        return (*dict.fromkeys(source.barcode for source in self.sources), UNCLASSIFIED)


@dataclass(frozen=True)
class ReadTable:
    """One entry a read, ascending by start time. `partner` is the read whose fragment is joined on
    (a chimera), or -1; `second` counts from the start of the run."""

    source: Ints
    contig: Ints
    start: Ints
    length: Ints
    reverse: Marks
    identity: NDArray[np.float64]
    second: NDArray[np.float64]
    channel: Ints
    barcode: Ints
    partner: Ints
    untrimmed: Marks

    def __len__(self) -> int:
        return len(self.source)


def draw_table(plan: RunPlan, rng: np.random.Generator) -> ReadTable:
    """Decide about every read of the run but its errors."""
    source = np.repeat(np.arange(len(plan.sources)), [s.reads for s in plan.sources])
    source = rng.permutation(source)
    reads = len(source)
    contig, sizes, circular = _contigs(plan, source, rng)
    shape = (plan.mean_length / plan.sd_length) ** 2
    drawn = rng.gamma(shape, plan.mean_length / shape, reads).astype(np.int64)
    length = np.minimum(np.maximum(drawn, plan.min_length), sizes)
    room = np.where(circular, sizes, sizes - length + 1)
    chimeric = rng.random(reads) < plan.chimeras
    return ReadTable(
        source=source,
        contig=contig,
        start=(rng.random(reads) * room).astype(np.int64),
        length=length,
        reverse=rng.random(reads) < 0.5,
        identity=plan.model.draw_identities(reads, rng),
        second=_start_seconds(plan.hours * 3600, reads, rng),
        channel=rng.integers(1, CHANNELS + 1, reads),
        barcode=_barcodes(plan, source, rng),
        partner=np.where(chimeric, rng.integers(0, max(reads, 1), reads), -1),
        untrimmed=rng.random(reads) < plan.untrimmed,
    )


def _contigs(plan: RunPlan, source: Ints, rng: np.random.Generator) -> tuple[Ints, Ints, Marks]:
    """Per read: the index of its contig in the source, that contig's length, whether a circle."""
    contig = np.zeros(len(source), np.int64)
    size = np.zeros(len(source), np.int64)
    circular = np.zeros(len(source), bool)
    for number, item in enumerate(plan.sources):
        mine = np.flatnonzero(source == number)
        sizes = np.array([len(genome) for genome in item.genomes])
        contig[mine] = rng.choice(len(sizes), len(mine), p=sizes / sizes.sum())
        size[mine] = sizes[contig[mine]]
        circular[mine] = np.array([genome.circular for genome in item.genomes])[contig[mine]]
    return contig, size, circular


def _barcodes(plan: RunPlan, source: Ints, rng: np.random.Generator) -> Ints:
    """The barcode each read is filed under: its own, any other, or none."""
    names = plan.barcodes
    missing = len(names) - 1
    own = np.array([names.index(item.barcode) for item in plan.sources], np.int64)[source]
    stray = rng.random(len(source)) < plan.crosstalk
    filed = np.where(stray, rng.integers(0, missing, len(source)), own)
    return np.where(rng.random(len(source)) < plan.unclassified, missing, filed)


def _start_seconds(seconds: float, reads: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Ascending start times; the yield falls over the run as pores die (time constant 2/3 run)."""
    decay = 1.5
    drawn = rng.random(reads) * (1 - np.exp(-decay))
    return np.sort(-np.log1p(-drawn) / decay * seconds)
