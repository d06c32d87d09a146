"""How much of a cell's reads stands word for word in its reference: the ANI that containment tells.

A word of 21 bases survives a distance of d with (1 - d)^21 (Mash, Ondov et al. 2016, Genome Biol
17:132; containment, Koslicki & Zabeti 2019). Words are sampled one in a hundred by their hash
(`count.minhash`), of the aligned stretches of reads that a genome of `LARGE` bases or more has won;
those of its reference stand in the bundle; for bundles without, they are made when the first such
read comes.

    ANI = (words found / words sampled)^(1/21) / identity of reading

What reading costs is divided out (`distance.own_identity`). Errors come in clusters, so that more
words survive than identity^21 says and the ANI of R9 reads comes out some per cent high: it errs
towards the name, and `relatives.py` holds against that.
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


class ReferenceWords:
    """Sampled words of the bundle's large panel genomes. Shared by all threads."""

    def __init__(
        self,
        contigs: Iterable[Contig],
        sequence_of: Callable[[str], str],
        stored: Path | None = None,
    ) -> None:
        """`stored`: what `write_words` wrote for these very sequences."""
        self._contigs = large_targets(contigs)
        self._stored = stored
        self._sequence_of = sequence_of
        self._made: dict[str, minhash.Hashes] = {}
        self._lock = threading.Lock()

    def __contains__(self, target: str) -> bool:
        return target in self._contigs

    def found(self, target: str, stretches: Sequence[str]) -> tuple[int, int]:
        """(sampled words of these stretches, those of them that the target's genomes have)."""
        words, _ = minhash.words(GAP.join(stretches).upper().encode())
        there = self._words(target)
        places = np.searchsorted(there, words).clip(0, max(0, len(there) - 1))
        found = int((there[places] == words).sum()) if len(there) else 0
        return len(words), found

    def _words(self, target: str) -> minhash.Hashes:
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
        return _words_of(self._contigs[target], self._sequence_of)


def write_words(path: Path, contigs: Iterable[Contig], sequence_of: Callable[[str], str]) -> bool:
    """Write the sampled words of every large panel genome, one array a target (numpy's .npz, the
    same bytes every time). False, and no file, when there is none."""
    large = large_targets(contigs)
    if large:
        words = {t: _words_of(names, sequence_of) for t, names in sorted(large.items())}
        np.savez(path, allow_pickle=False, **words)
    return bool(large)


def _words_of(names: Iterable[str], sequence_of: Callable[[str], str]) -> minhash.Hashes:
    parts = [minhash.words(sequence_of(name).upper().encode())[0] for name in names]
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
    """The ANI of these reads to the reference, at most 1; None without words. `reading`: identity
    of reads with their very source."""
    if not e.words or not reading:
        return None
    return min(1.0, math.pow(e.words_found / e.words, 1.0 / minhash.K) / reading)
