"""Checking a .fastq.gz to its last byte against `seqkit stats` (which checks less)."""

from __future__ import annotations

import sys
from pathlib import Path

from bench.material import some_reads
from bench.pairs import Pair, compare, wall


def measure(folder: Path, pairs: int) -> list[Pair]:
    """Whole processes, interpreter start included. seqkit uses two threads, we use one."""
    reads, told = some_reads(folder)
    check = "import sys; from porewatch.reads.check import check_file; check_file(sys.argv[1])"
    return [
        compare(
            "validate .fastq.gz",
            lambda: wall([sys.executable, "-c", check, str(reads)]),
            lambda: wall(["seqkit", "stats", "--all", "-j", "2", str(reads)]),
            peer="seqkit stats --all -j 2",
            pairs=pairs,
            note=told,
        )
    ]
