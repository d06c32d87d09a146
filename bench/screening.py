"""`porewatch screen` against the command-line chain that people write for the same question.

The chain: drop short and poor reads, map the rest to the host, keep what does not map, map that to
the panel, depth of every position. (It answers less: no checking, no competition, no report.) Same
reads, same references, two threads each, indexes built by both, whole processes timed: once with
the reads of a demo, where starting and writing the reports weigh, and once with ten times as many.
The peak memory of ours is shown for both: it must not grow with the reads.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from bench.pairs import Pair, compare, peak_memory, wall

HOST_BASES = 20_000_000
SEED = 7
TENFOLD = 10


def measure(folder: Path, pairs: int) -> list[Pair]:
    run, references = _material(folder / "screening")
    reads = sorted(run.rglob("*.fastq.gz"))
    few = [_repeated(read, 1, folder / "x1") for read in reads]
    many = [_repeated(read, TENFOLD, folder / f"x{TENFOLD}") for read in reads]
    return [
        _speed(few, references, folder, min(pairs, 3)),
        _speed(many, references, folder, min(pairs, 2)),
        _memory(few, many, references, folder),
    ]


def _speed(reads: list[Path], references: Path, folder: Path, pairs: int) -> Pair:
    bundle, out = references / "bench" / "1", folder / "out"
    command = _screen(reads, references, out)

    def ours() -> float:
        shutil.rmtree(out, ignore_errors=True)
        return wall(command)

    chain = (
        f"seqkit seq -j 2 -m 200 -Q 7 {' '.join(map(str, reads))} 2>/dev/null"
        f" | minimap2 -t 2 -ax map-ont {bundle}/host.fa - 2>/dev/null"
        " | samtools fastq -f 4 - 2>/dev/null"
        f" | minimap2 -t 2 -ax map-ont {bundle}/panel.fa - 2>/dev/null"
        " | samtools sort - 2>/dev/null | samtools depth -a -"
    )
    size = sum(read.stat().st_size for read in reads) / 1e6
    return compare(
        f"screen {size:.0f} MB of reads (check, QC, panel, host, report)",
        ours,
        lambda: wall(chain),
        peer="seqkit filter | minimap2 host | minimap2 panel | samtools depth",
        pairs=pairs,
        note=f"gzipped; host {HOST_BASES / 1e6:.0f} Mb, 2 threads",
    )


def _screen(reads: list[Path], references: Path, out: Path) -> list[str]:
    return [
        str(Path(sys.executable).with_name("porewatch")), "screen", "--exit-zero", *map(str, reads),
        "--references", str(references), "--out", str(out), "--threads", "2", "--json",
    ]  # fmt: skip


def _memory(few: list[Path], many: list[Path], references: Path, folder: Path) -> Pair:
    one, ten = (
        peak_memory(_screen(reads, references, folder / f"out-{reads[0].parent.name}"))
        for reads in (few, many)
    )
    note = f"{one / 1e6:.0f} MB; the reads {TENFOLD} times over: {ten / 1e6:.0f} MB"
    ratio = ten / one
    return Pair("peak memory of porewatch screen", 0, 0, ratio, ratio, ratio, "itself", note)


def _repeated(read: Path, times: int, folder: Path) -> Path:
    """The same gzip member several times over: a longer, equally valid file."""
    folder.mkdir(parents=True, exist_ok=True)
    out = folder / read.name
    with out.open("wb") as joined:
        for _ in range(times):
            with read.open("rb") as part:
                shutil.copyfileobj(part, joined)
    return out


def _material(folder: Path) -> tuple[Path, Path]:
    from porewatch_worker.references.building.build import build_bundle
    from porewatch_worker.simulate.demo import demo_plan
    from porewatch_worker.simulate.genomes import synthetic_genomes, write_genomes
    from porewatch_worker.simulate.reads import simulate_run

    genomes = synthetic_genomes(SEED, host_bases=HOST_BASES)
    fasta = folder / "fasta"
    fasta.mkdir(parents=True)
    sheet = write_genomes(genomes, fasta)
    build_bundle(
        fasta, folder / "references", "bench", "1", sheet=sheet, synthetic=True, host_index=False
    )
    simulate_run(demo_plan(genomes, SEED, 0.5), folder / "run", folder / "truth.tsv")
    return folder / "run", folder / "references"
