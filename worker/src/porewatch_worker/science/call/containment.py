"""ANI of reads of a large genome to its reference, from the containment of their k-mers.

A 21-mer survives a distance of d with (1 - d)^21 (Mash, Ondov et al. 2016, Genome Biol 17:132;
containment, Koslicki & Zabeti 2019). One k-mer in a hundred is sampled by its hash
(`count.minhash`), in the aligned stretches of reads assigned to a genome of `LARGE` bases or more;
those of its reference are in the bundle; for bundles without, they are computed at the first such
read.

    ANI = (k-mers found / k-mers sampled)^(1/21) / identity of reading

Sequencing errors are divided out (`distance.own_identity`). Errors come in clusters, so that more
k-mers survive than identity^21 predicts and the ANI of R9 reads is some per cent too high: it errs
towards the member, and `relatives.py` corrects for that.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from porewatch.domain.calls.evidence import Evidence
from porewatch.domain.calls.references import (
    Contig,
    ContigRole,
)
from porewatch_worker.science.count import minhash
from porewatch_worker.science.sequence.conserved import LARGE

GAP = "N"


class ReferenceKmers:
    """Sampled k-mers of the bundle's large panel genomes. Shared by all threads."""

    def __init__(
        self,
        contigs: Iterable[Contig],
        sequence_of: Callable[[str], str],
        stored: Path | None = None,
    ) -> None:
        """`stored`: what `write_kmers` wrote for these very sequences."""
        self._contigs = large_targets(contigs)
        self._stored = stored
        self._sequence_of = sequence_of
        self._made: dict[str, minhash.Hashes] = {}
        self._lock = threading.Lock()

    def __contains__(self, target: str) -> bool:
        return target in self._contigs

    def found(self, target: str, stretches: Sequence[str]) -> tuple[int, int]:
        """(sampled k-mers of these stretches, those of them that the target's genomes have)."""
        kmers, _ = minhash.sampled(GAP.join(stretches).upper().encode())
        there = self._kmers(target)
        positions = np.searchsorted(there, kmers).clip(0, max(0, len(there) - 1))
        found = int((there[positions] == kmers).sum()) if len(there) else 0
        return len(kmers), found

    def _kmers(self, target: str) -> minhash.Hashes:
        with self._lock:
            if target not in self._made:
                self._made[target] = self._read(target)
            return self._made[target]

    def _read(self, target: str) -> minhash.Hashes:
        if self._stored is not None:
            with np.load(self._stored, allow_pickle=False) as there:
                if target in there:
                    stored: minhash.Hashes = there[target]
                    return stored
        return _kmers_of(self._contigs[target], self._sequence_of)


def write_kmers(path: Path, contigs: Iterable[Contig], sequence_of: Callable[[str], str]) -> bool:
    """Write the sampled k-mers of every large panel genome, one array a target (numpy's .npz, the
    same bytes every time). False, and no file, when there is none."""
    large = large_targets(contigs)
    if large:
        kmers = {t: _kmers_of(names, sequence_of) for t, names in sorted(large.items())}
        np.savez(path, allow_pickle=False, **kmers)
    return bool(large)


def _kmers_of(names: Iterable[str], sequence_of: Callable[[str], str]) -> minhash.Hashes:
    parts = [minhash.sampled(sequence_of(name).upper().encode())[0] for name in names]
    unique: minhash.Hashes = np.unique(np.concatenate(parts))
    return unique


def large_targets(contigs: Iterable[Contig]) -> dict[str, tuple[str, ...]]:
    """Panel targets whose genome (longest sequence of each segment) has LARGE bases or more ->
    names of all their contigs."""
    names: dict[str, tuple[str, ...]] = {}
    pieces: dict[str, dict[str, int]] = {}
    for contig in contigs:
        if contig.role is ContigRole.PANEL:
            names[contig.target] = (*names.get(contig.target, ()), contig.name)
            lengths = pieces.setdefault(contig.target, {})
            lengths[contig.segment] = max(contig.length, lengths.get(contig.segment, 0))
    return {t: found for t, found in names.items() if sum(pieces[t].values()) >= LARGE}


def containment_ani(e: Evidence, reading: float) -> float | None:
    """The ANI of these reads to the reference, at most 1; None without k-mers. `reading`: identity
    of reads with their own source."""
    if not e.words or not reading:
        return None
    return min(1.0, math.pow(e.words_found / e.words, 1.0 / minhash.K) / reading)
