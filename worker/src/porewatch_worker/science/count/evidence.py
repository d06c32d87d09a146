"""All reads of one target added up over units, and what they show: depth, breadth, evenness.

Memory is bounded whatever the yield: depth is kept at every `step`-th base (step 1 up to a million
bases), distinct starts as the 10,000 smallest places, mapping qualities as a histogram.
"""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from porewatch.domain.calls.evidence import ContigCoverage, Evidence, NearReads, TargetResult
from porewatch.domain.calls.references import Contig
from porewatch_worker.science.count.distance import OwnIdentity
from porewatch_worker.science.count.placed_reads import (
    Place,
    Placed,
    near_reads,
    smallest,
)
from porewatch_worker.science.count.target_counts import TargetCounts
from porewatch_worker.science.sequence.conserved import (
    LARGE,
    named_rrna,
)

FINE = 1 << 20
MOST_STARTS = 10_000
MOST_BINS = 200


class Depth:
    """Depth along one contig, without its masked regions."""

    def __init__(self, contig: Contig) -> None:
        self.contig = contig
        self.step = -(-contig.length // FINE)
        self._steps = np.zeros(-(-contig.length // self.step) + 1, dtype=np.int32)

    def add(self, intervals: Sequence[tuple[int, int]]) -> None:
        spans = np.asarray(intervals, dtype=np.int64)
        np.add.at(self._steps, -(-spans[:, 0] // self.step), 1)
        np.add.at(self._steps, -(-spans[:, 1] // self.step), -1)

    def values(self) -> NDArray[np.int64]:
        """Depth at every `step`-th base; 0 inside masked regions."""
        depth = np.cumsum(self._steps[:-1], dtype=np.int64)
        depth[self._masked()] = 0
        return depth

    @property
    def open_length(self) -> int:
        """Bases outside masked regions."""
        return self.contig.length - sum(b - a for a, b in self.contig.masked)

    def covered(self) -> int:
        """Bases outside masked regions with at least one read."""
        return min(self.open_length, int((self.values() > 0).sum()) * self.step)

    def bases(self) -> int:
        """Bases of reads outside masked regions."""
        return int(self.values().sum()) * self.step

    def regions(self) -> int:
        """Covered stretches with uncovered bases between them; masked bases are no gap."""
        covered = self.values()[~self._masked()] > 0
        return int(covered[:1].sum()) + int((covered[1:] & ~covered[:-1]).sum())

    def bins(self) -> NDArray[np.float64]:
        """Mean depth in at most 200 equal bins."""
        depth = self.values()
        means: NDArray[np.float64] = np.add.reduceat(depth, self._edges()) / self._sizes()
        return means

    def evenness(self) -> float | None:
        """1 - Gini coefficient of the bins' depths, masked bases apart; None without depth."""
        free = np.add.reduceat(~self._masked(), self._edges())
        total = np.add.reduceat(self.values(), self._edges())
        open_bins = total[free > 0] / free[free > 0]
        if not open_bins.size or not open_bins.sum():
            return None
        return 1.0 - gini(open_bins)

    def coverage(self) -> ContigCoverage:
        depth = self.values()
        return ContigCoverage(
            contig=self.contig.name,
            length=self.contig.length,
            covered_bases=self.covered(),
            mean_depth=round(float(depth.mean()), 4),
            max_depth=int(np.max(depth)),
            bin_size=self._bin_size() * self.step,
            bins=tuple(round(float(b), 3) for b in self.bins()),
        )

    def _masked(self) -> NDArray[np.bool_]:
        mask = np.zeros(self._steps.size - 1, dtype=bool)
        for a, b in self.contig.masked:
            mask[-(-a // self.step) : -(-b // self.step)] = True
        return mask

    def _bin_size(self) -> int:
        return -(-(self._steps.size - 1) // MOST_BINS)

    def _edges(self) -> NDArray[np.int64]:
        return np.arange(0, self._steps.size - 1, self._bin_size())

    def _sizes(self) -> NDArray[np.int64]:
        return np.diff(np.append(self._edges(), self._steps.size - 1))


def gini(values: NDArray[np.float64]) -> float:
    """Gini coefficient (Gini 1912): 0 all equal, near 1 everything in one place.

    >>> round(float(gini(np.array([1.0, 1.0, 1.0]))), 3)
    0.0
    >>> round(float(gini(np.array([0.0, 0.0, 3.0]))), 3)
    0.667
    """
    ordered = np.sort(values)
    ranks = np.arange(1, ordered.size + 1)
    return float(
        (2 * (ranks * ordered).sum() / (ordered.size * ordered.sum()))
        - (ordered.size + 1) / ordered.size
    )


class TargetTotals:
    """One target in one sample, over all units."""

    def __init__(self, contigs: Sequence[Contig]) -> None:
        self._contigs = {c.name: c for c in contigs}
        self._depths: dict[str, Depth] = {}
        self._starts: dict[str, list[int]] = {}
        self._mapq: Counter[int] = Counter()
        self._explained: Counter[int] = Counter()
        self._shared_with: Counter[str] = Counter()
        self._sums: Counter[str] = Counter()
        self._placed: dict[str, list[Placed]] = {}

    def add(self, counts: TargetCounts) -> None:
        """Add one unit. The order of units does not matter."""
        for name, value in vars(counts).items():
            if isinstance(value, int):
                self._sums[name] += value
        self._mapq.update(counts.mapq)
        self._explained.update(counts.explained)
        self._shared_with.update(counts.shared_with)
        for contig, intervals in counts.intervals.items():
            self._depths.setdefault(contig, Depth(self._contigs[contig])).add(intervals)
        for contig, places in counts.starts.items():
            merged = {*self._starts.get(contig, ()), *places}
            self._starts[contig] = heapq.nsmallest(MOST_STARTS, merged)
        for contig, reads in counts.placed.items():
            self._placed[contig] = smallest((*self._placed.get(contig, ()), *reads))

    def result(self, target: str) -> TargetResult:
        """The evidence, rested on the strain (or set of segments) with most covered bases."""
        best = best_set(self._contigs.values(), {c: d.covered() for c, d in self._depths.items()})
        length = sum(c.length for c in best)
        return TargetResult(
            target=target,
            role=best[0].role,
            genome_length=length,
            evidence=self._evidence(best),
        )

    def near(self, found: TargetResult, own: OwnIdentity, distance: float) -> NearReads | None:
        """What the reads within `distance` of the target, errors of reading taken out, show."""
        if not self._placed or not own.aligned or not own.whole:
            return None
        large = found.genome_length >= LARGE
        least = (1.0 - distance) * (own.aligned if large else own.whole)
        places = {
            name: Place(found.genome_length, contig.conserved or named_rrna(contig))
            for name, contig in self._contigs.items()
        }
        return near_reads(self._placed, places, large=large, least=least)

    def _evidence(self, best: Sequence[Contig]) -> Evidence:
        depths = [self._depths.get(c.name) or Depth(c) for c in best]
        open_length = max(1, sum(d.open_length for d in depths))
        sums = self._sums
        fold = sums["aligned"] / open_length
        even = [(e, d.open_length) for d in depths if (e := d.evenness()) is not None]
        weight = sum(w for _, w in even)
        return Evidence(
            reads=sums["reads"],
            aligned_bases=sums["aligned"],
            squared_bases=sums["squared"],
            distinct_starts=sum(len(s) for s in self._starts.values()),
            regions=sum(d.regions() for d in depths),
            breadth=round(sum(d.covered() for d in depths) / open_length, 6),
            expected_breadth=round(
                1.0 - math.exp(-sum(d.bases() for d in depths) / open_length), 6
            ),
            mean_depth=round(fold, 4),
            evenness=round(sum(e * w for e, w in even) / weight, 4) if weight else None,
            identity=_share(sums["matched"], sums["block"]),
            whole_identity=_share(sums["matched"], sums["block"] + sums["unaligned"]),
            explained={str(cent): n for cent, n in sorted(self._explained.items())},
            median_mapq=_median(self._mapq),
            shared_reads=sums["shared"],
            shared_with=dict(sorted(self._shared_with.items())),
            own_reads=sums["own"],
            words=sums["words"],
            words_found=sums["words_found"],
            reads_with_host_flank=sums["host_flank"],
            host_better=sums["host_better"],
            coverage=tuple(d.coverage() for d in depths if d.contig.name in self._depths),
        )


def best_set(contigs: Iterable[Contig], covered: Mapping[str, int]) -> list[Contig]:
    """One genome out of a target's contigs: for every segment name the contig with most covered
    bases (strains share a segment name; a genome in one piece has the name '')."""
    best: dict[str, Contig] = {}
    for contig in contigs:
        there = best.get(contig.segment)
        if there is None or covered.get(contig.name, 0) > covered.get(there.name, 0):
            best[contig.segment] = contig
    return list(best.values())


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0


def _median(counts: Mapping[int, int]) -> int:
    middle = (sum(counts.values()) + 1) // 2
    seen = 0
    for value in sorted(counts):
        seen += counts[value]
        if seen >= middle:
            return value
    return 0
