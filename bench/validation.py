"""Checking a .fastq.gz to its last byte against `seqkit stats` (which checks less)."""

from __future__ import annotations

import sys
from pathlib import Path

from bench.material import some_reads
from bench.pairs import Pair, compare, wall


def measure(folder: Path, pairs: int) -> list[Pair]:
    """Whole processes, interpreter start included. seqkit uses two threads, we use one."""
    reads, description = some_reads(folder)
    check = "import sys; from porewatch.reads.check import check_file; check_file(sys.argv[1])"

    def ours() -> float:
        return wall([sys.executable, "-c", check, str(reads)])

    return [
        compare(
            "validate .fastq.gz",
            ours,
            lambda peer=peer: wall([*peer.split(), str(reads)]),  # type: ignore[misc]
            peer=peer,
            pairs=pairs,
            note=description,
        )
        for peer in ("seqkit stats -j 2", "seqkit stats --all -j 2")
    ]
