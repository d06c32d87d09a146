"""`make bench-science`: what we find and what we wrongly call, beside kraken2, minimap2, sourmash.

Same reads, same references (panel, host) in one run. Ten agents of real sequence and their strains
(`validation/panel_set.py`) at 1 to 30 reads a sample, simulated with R10 and R9 errors; and
real reads that hold none of them. A call: ours `detected`; kraken2 (confidence 0) and minimap2
(map-ont, primary hits) three reads; sourmash (k 21, scaled 50) a gather match of two hashes. "Any"
is one read, or one hash. kraken2 and minimap2 are Debian packages, sourmash is one of ours.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import dnaio
from rich.console import Console
from rich.table import Table

from bench.science_peers import PEERS, Classifier, Reads, prepared
from porewatch.domain.calls.findings import Call
from porewatch.domain.runs import Sample
from porewatch_worker.simulate.errors import R9, R10
from porewatch_worker.validation.screened import answer, make_reads, samples_of, screened_samples
from porewatch_worker.validation.worlds import World
from validation.panel_set import AGENTS, NON_TARGETS, SARS, made_run, make_panel_world
from validation.shared_data import real

LEVELS = (1, 3, 10, 30)
OURS = "porewatch"
ENOUGH = 3


def main(times: int) -> int:
    """Measure and print; returns the exit code."""
    for tool in ("kraken2", "minimap2"):
        if shutil.which(tool) is None:
            sys.stderr.write(f"bench: {tool} is not here: apt-get install {tool}. Others run.\n")
    with tempfile.TemporaryDirectory(prefix="porewatch-science-") as name:
        folder = Path(name)
        world = make_panel_world(folder)
        peers = {p: PEERS[p] for p in prepared(world, folder / "peers")}
        tools = (OURS, *peers)
        levels = Table(
            title=f"share of {len(AGENTS)} agents x {times}: called (any read)", box=None
        )
        false = Table(title="real reads without the agents: members called (reads hit)", box=None)
        for shown in (levels, false):
            for column in ("what", *tools):
                shown.add_column(column)
        for model in (R10, R9):
            for level in LEVELS:
                sys.stderr.write(f"bench: {model.name}, {level} reads ...\n")
                rates = _level(world, folder, peers, level, model.name, times=times)
                levels.add_row(f"{model.name}, {level} reads", *(rates[t] for t in tools))
        for file in (*NON_TARGETS, *SARS):
            cells = _false(world, folder, peers, file)
            false.add_row(file, *(cells[t] for t in tools))
    for shown in (levels, false):
        Console(width=130).print(shown)
    return 0


def _level(
    world: World, folder: Path, peers: dict[str, Classifier], level: int, model: str, *, times: int
) -> dict[str, str]:
    called: Counter[str] = Counter()
    touched: Counter[str] = Counter()
    for seed in range(times):
        chosen = R10 if model == R10.name else R9
        run = made_run(world, level, chosen, 50_000 + 100 * level + seed)
        place = folder / f"{model}-{level}-{seed}"
        samples = samples_of(run)
        files = make_reads(run, samples, place)
        result = answer(world.bundle, samples, files, place)
        for seen in screened_samples(run, samples, result):
            called[OURS] += seen.calls.get(seen.tube.label) is Call.DETECTED
            touched[OURS] += seen.reads.get(seen.tube.label, 0) > 0
        for file in files:
            code = AGENTS[int(file.parent.name.removeprefix("barcode")) - 1]
            for peer, classify in peers.items():
                hits, least = classify(folder / "peers", _reads(file))
                called[peer] += hits[code] >= least
                touched[peer] += hits[code] > 0
        shutil.rmtree(place)
    total = len(AGENTS) * times
    return {t: f"{called[t] / total:.2f} ({touched[t] / total:.2f})" for t in (OURS, *peers)}


def _false(world: World, folder: Path, peers: dict[str, Classifier], name: str) -> dict[str, str]:
    path = real(f"reads/{name}")
    own = {"X-SARS-CoV-2"} if name in SARS else set()
    result = answer(world.bundle, (Sample(name="one"),), [path], folder / "real")
    there = [f for f in result.findings if f.evidence and f.evidence.reads and f.code not in own]
    calls = sum(f.call is Call.DETECTED for f in there)
    cells = {OURS: f"{calls} ({sum(f.evidence.reads for f in there if f.evidence)})"}
    for peer, classify in peers.items():
        hits, least = classify(folder / "peers", _reads(path))
        wrong = {code: n for code, n in hits.items() if code not in own}
        cells[peer] = f"{sum(n >= least for n in wrong.values())} ({sum(wrong.values())})"
    return cells


def _reads(path: Path) -> Reads:
    if path.suffix == ".bam":
        text = subprocess.run(
            ["samtools", "fasta", str(path)], check=True, capture_output=True, text=True
        ).stdout
        parts = [p.split("\n", 1) for p in text.split(">")[1:]]
        return [(p[0].split()[0], p[1].replace("\n", "")) for p in parts]
    with dnaio.open(path) as records:
        return [(r.name.split()[0], r.sequence) for r in records]


if __name__ == "__main__":
    raise SystemExit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 3))
