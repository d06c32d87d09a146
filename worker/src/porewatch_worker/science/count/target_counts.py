"""What one unit of reads leaves behind of one target: sums, places, and how well each read fits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from porewatch_worker.science.count.placed_reads import (
    OWN,
    Placed,
    placed_reads,
)
from porewatch_worker.science.read.placement import (
    Candidate,
    Segment,
)


@dataclass
class TargetCounts:
    """Reads of one target (panel member, spike-in or decoy) in one sample.

    `matched`, `block`: matching bases and columns of the alignments; `aligned`: bases of the target
    under them, masked ones apart. `unaligned`: bases of those reads outside their alignments, host
    beside them apart; `explained`: matching bases of each read, in per cent of its block and those
    bases -> reads; `own`: reads that the target fills, `placed`: each read's fit and position.
    `words`: sampled k-mers of reads of a large genome, `words_found` those its reference has.
    """

    reads: int = 0
    matched: int = 0
    block: int = 0
    aligned: int = 0
    squared: int = 0
    host_flank: int = 0
    host_better: int = 0
    shared: int = 0
    unaligned: int = 0
    own: int = 0
    words: int = 0
    words_found: int = 0
    shared_with: Counter[str] = field(default_factory=Counter)
    mapq: Counter[int] = field(default_factory=Counter)
    explained: Counter[int] = field(default_factory=Counter)
    intervals: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    starts: dict[str, list[int]] = field(default_factory=dict)
    placed: dict[str, list[Placed]] = field(default_factory=dict)

    def take(self, winner: Candidate, length: int, host_flank: bool, flank_bases: int = 0) -> None:
        """Count a read of `length` bases, host beside it included, that is this target's alone."""
        self.reads += 1
        self.squared += sum(s.evidence for s in winner.segments) ** 2
        self.host_flank += host_flank
        self.mapq[max(s.mapq for s in winner.segments)] += 1
        self._explain(winner.segments, length - flank_bases)
        contig, read = placed_reads(winner.segments, length - flank_bases)
        self.placed.setdefault(contig, []).append(read)
        self.own += read.fills >= OWN
        for s in winner.segments:
            self.matched += s.matched
            self.block += s.block
            self.aligned += s.evidence
            self.intervals.setdefault(s.contig, []).append((s.start, s.end))
        for s in winner.alike:
            self.intervals.setdefault(s.contig, []).append((s.start, s.end))
        first = min(winner.segments, key=lambda s: s.read_start)
        place = 2 * first.start if first.strand > 0 else 2 * first.end + 1
        self.starts.setdefault(first.contig, []).append(place)

    def _explain(self, segments: Sequence[Segment], length: int) -> None:
        """How much of the read the target explains: what aligns nowhere is explained by nothing.
        (Host beside a virus is explained: it makes no relative of an integrated strain.)"""
        outside = max(0, length - sum(s.read_end - s.read_start for s in segments))
        columns = sum(s.block for s in segments) + outside
        self.unaligned += outside
        self.explained[100 * sum(s.matched for s in segments) // max(1, columns)] += 1


def from_plain(plain: dict[str, Any]) -> TargetCounts:
    """The inverse of `vars`, after JSON made every key a string."""
    intervals = {c: [(a, b) for a, b in spans] for c, spans in plain["intervals"].items()}
    return TargetCounts(
        **{
            **plain,
            "mapq": int_counter(plain["mapq"]),
            "explained": int_counter(plain["explained"]),
            "shared_with": Counter(plain["shared_with"]),
            "intervals": intervals,
            "placed": {c: [Placed(*p) for p in found] for c, found in plain["placed"].items()},
        }
    )


def int_counter(plain: Mapping[str, int]) -> Counter[int]:
    """A counter whose keys are numbers again."""
    return Counter({int(k): v for k, v in plain.items()})
