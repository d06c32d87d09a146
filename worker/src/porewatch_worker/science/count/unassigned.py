"""Reads that fit nothing in the bundle: counted, sketched, compared with broader sketches.

The k-mers kept are those with the smallest hashes, at most MOST_KMERS a sample, each with the
number of reads that hold it. A k-mer among the smallest of all units is among the smallest of each
unit it occurs in, so adding units up gives the same k-mers and counts in any order and grouping.

Leads come from `sketches/` in the references root: any file that sourmash reads (.sig, .sig.gz,
.zip) with k = 21. A genome that shares LEAST_SHARED k-mers or more is a lead. Leads are never
calls: their genomes were neither aligned nor compared with their relatives.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from porewatch.domain.calls.host_and_unassigned import (
    UnknownLead,
    Unknowns,
)
from porewatch_worker.science.count import minhash
from porewatch_worker.science.count.histograms import length_statistics
from porewatch_worker.science.sequence.complexity import complex_bases
from porewatch_worker.science.sequence.kmers import gc_bases

PREFIX = 1000
MOST_KMERS = 5_000
RECURRING = 3
LEAST_SHARED = 3
MOST_LEADS = 10
FOLDER = "sketches"


@dataclass
class UnknownCounts:
    """Unassigned reads of one sample in one unit. `looked_at` and `complex` cover the first PREFIX
    bases of each read; `words` are hashes of k-mers -> reads."""

    lengths: Counter[int] = field(default_factory=Counter)
    looked_at: int = 0
    complex: int = 0
    gc: int = 0
    words: Counter[int] = field(default_factory=Counter)

    def take(self, sequences: Sequence[str]) -> None:
        """Count reads, as they were trimmed."""
        for sequence in sequences:
            self.lengths[len(sequence)] += 1
            upper = sequence[:PREFIX].upper()
            self.looked_at += len(upper)
            self.complex += complex_bases(upper)
            self.gc += gc_bases(upper)
        self.words.update(_kmers_of([s[:PREFIX] for s in sequences]))
        self._keep_smallest()

    def add(self, other: UnknownCounts) -> None:
        """Add another part of the sample; the order of parts does not matter."""
        self.lengths.update(other.lengths)
        self.looked_at += other.looked_at
        self.complex += other.complex
        self.gc += other.gc
        self.words.update(other.words)
        self._keep_smallest()

    def _keep_smallest(self) -> None:
        if len(self.words) > MOST_KMERS:
            smallest = heapq.nsmallest(MOST_KMERS, self.words)
            self.words = Counter({kmer: self.words[kmer] for kmer in smallest})

    @property
    def limit(self) -> int:
        """Hashes below this were kept, all of them."""
        return minhash.LARGEST if len(self.words) < MOST_KMERS else max(self.words) + 1

    def summary(self, passed: int, searched: Sketches | None) -> Unknowns:
        """All of it in short, with leads where there are sketches."""
        _, median, n50, longest = length_statistics(self.lengths)
        reads = self.lengths.total()
        often = {w: n for w, n in self.words.items() if n >= RECURRING}
        one_in = 2.0**64 / self.limit
        looked = self.looked_at
        return Unknowns(
            reads=reads,
            bases=sum(length * n for length, n in self.lengths.items()),
            share_of_passed=round(reads / passed, 6) if passed else None,
            complex_share=round(self.complex / looked, 4) if looked else None,
            gc_fraction=round(self.gc / looked, 4) if looked else None,
            median_length=median if reads else None,
            n50=n50,
            longest=longest,
            sampled_words=len(self.words),
            one_in=round(one_in, 3),
            recurring_words=len(often),
            recurring_bases=round(len(often) * one_in),
            recurring_depth=round(sum(often.values()) / len(often), 2) if often else None,
            searched=searched.names if searched else (),
            leads=searched.leads(self.words, self.limit) if searched else (),
        )


def from_plain(plain: Mapping[str, object]) -> UnknownCounts:
    """The inverse of `vars`, after JSON."""
    fields = dict(plain)
    for name in ("lengths", "words"):
        counts = fields[name]
        assert isinstance(counts, dict)  # noqa: S101 - written by ourselves
        fields[name] = Counter({int(k): v for k, v in counts.items()})
    return UnknownCounts(**fields)  # type: ignore[arg-type]


def _kmers_of(sequences: Sequence[str]) -> Counter[int]:
    """Hash -> number of sequences that hold the k-mer."""
    edges = np.cumsum([0, *(len(s) + 1 for s in sequences)])
    hashes, positions = minhash.sampled("N".join(sequences).encode())
    homes = np.searchsorted(edges, positions, side="right")
    once = set(zip(hashes.tolist(), homes.tolist(), strict=True))
    return Counter(kmer for kmer, _ in once)


class Sketches:
    """Broader sketches to look leads up in; sourmash is imported when there is one to read."""

    def __init__(self, folder: Path) -> None:
        self._files = sorted(p for p in folder.glob("*") if _is_sketch(p))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(path.name for path in self._files)

    def marks(self) -> list[tuple[str, int]]:
        """Name and size of each file: other sketches, other leads."""
        return [(p.name, p.stat().st_size) for p in self._files]

    def leads(self, kmers: Mapping[int, int], limit: int) -> tuple[UnknownLead, ...]:
        """Genomes that share k-mers, most first; hashes at or above `limit` are not compared."""
        found = []
        for name, source, theirs in self._genomes() if kmers else ():
            compared = {kmer for kmer in theirs if kmer < limit}
            shared = len(compared & kmers.keys())
            if shared >= LEAST_SHARED:
                share = round(shared / len(compared), 4)
                found.append(
                    UnknownLead(name=name, source=source, shared_words=shared, containment=share)
                )
        found.sort(key=lambda lead: (-lead.shared_words, -lead.containment, lead.name))
        return tuple(found[:MOST_LEADS])

    def _genomes(self) -> Iterator[tuple[str, str, set[int]]]:
        if not self._files:
            return
        import sourmash  # noqa: PLC0415 - takes three seconds

        for path in self._files:
            for signature in sourmash.load_file_as_signatures(str(path), ksize=minhash.K):
                yield str(signature), path.name, set(signature.minhash.hashes)


def _is_sketch(path: Path) -> bool:
    return path.name.endswith((".sig", ".sig.gz", ".zip"))
