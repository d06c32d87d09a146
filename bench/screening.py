"""`porewatch screen` against the command-line chain that people write for the same question.

The chain: drop short and poor reads, map the rest to the host, keep what does not map, map that to
the panel, depth of every position. (It answers less: no checking, no competition, no report.) Same
reads, same references, two threads each, indexes built by both, whole processes timed. The peak
memory of ours is shown for the reads once and ten times over: it must not grow with them.
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
    reads = sorted(str(file) for file in run.rglob("*.fastq.gz"))
    bundle = references / "bench" / "1"
    command = Path(sys.executable).with_name("porewatch")

    def ours() -> float:
        out = folder / "out"
        shutil.rmtree(out, ignore_errors=True)
        return wall(_screen(command, reads, references, out))

    chain = (
        f"seqkit seq -j 2 -m 200 -Q 7 {' '.join(reads)} 2>/dev/null"
        f" | minimap2 -t 2 -ax map-ont {bundle}/host.fa - 2>/dev/null"
        " | samtools fastq -f 4 - 2>/dev/null"
        f" | minimap2 -t 2 -ax map-ont {bundle}/panel.fa - 2>/dev/null"
        " | samtools sort - 2>/dev/null | samtools depth -a -"
    )
    size = sum(Path(r).stat().st_size for r in reads) / 1e6
    result = compare(
        "screen reads (check, QC, panel, host, report)",
        ours,
        lambda: wall(chain),
        peer="seqkit filter | minimap2 host | minimap2 panel | samtools depth",
        pairs=min(pairs, 3),
        note=f"{size:.0f} MB gz, host {HOST_BASES / 1e6:.0f} Mb, 2 threads",
    )
    return [result, *_memory(command, reads, references, folder)]


def _screen(command: Path, reads: list[str], references: Path, out: Path) -> list[str]:
    return [
        str(command), "screen", *reads, "--references", str(references), "--out", str(out),
        "--threads", "2", "--json",
    ]  # fmt: skip


def _memory(command: Path, reads: list[str], references: Path, folder: Path) -> list[Pair]:
    rows = []
    for times in (1, TENFOLD):
        many = [str(_repeated(Path(read), times, folder / f"x{times}")) for read in reads]
        peak = peak_memory(_screen(command, many, references, folder / f"out-x{times}"))
        rows.append(peak)
    note = f"{rows[0] / 1e6:.0f} MB; the reads {TENFOLD} times over: {rows[1] / 1e6:.0f} MB"
    ratio = rows[1] / rows[0]
    return [Pair("peak memory of porewatch screen", 0, 0, ratio, ratio, ratio, "itself", note)]


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
    from porewatch_worker.references.build import build_bundle
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
