"""Alerts of the validation pack: what is raised while units finish, against the final call.

`python -m validation.alert_pack` prints its numbers at full size: 200 runs of host,
PERV-A/B and near relatives (no alert), 50 runs with 10 reads of a critical target (every one in the
run), the audit's two PERV probes. The suite runs the same functions at small size.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from porewatch.domain.calls.alarm_rule import Alarm
from porewatch.domain.calls.evidence import ScreenResult
from porewatch.domain.calls.findings import Call, Finding, Quantification
from porewatch.domain.runs import Sample
from porewatch.domain.stage.screening_parameters import ScreeningParameters
from porewatch_worker.phases.quantification import quantify
from porewatch_worker.phases.screening import ScreeningWork
from porewatch_worker.references.load import LoadedBundle
from porewatch_worker.simulate.errors import R9, R10
from porewatch_worker.simulate.genomes import Genome
from porewatch_worker.simulate.plan import RunPlan, Source
from porewatch_worker.simulate.reads import simulate_run
from validation import made_reads as made
from validation.pack import IDENTITY
from validation.perv_pack import mixture
from validation.screens import diverged, screening
from validation.surrogates import (
    PervWorld,
    copy_of,
    genome,
    make_perv_world,
    recombinant,
)

ONE = (Sample(name="one"),)
UNIT = 60
"""Reads a unit: a run of some hundred reads is judged several times on its way."""


@dataclass(frozen=True)
class Watched:
    """One run: alarms with the unit (from 1) after which each was raised, and the final result.
    `units` + 1 stands for the look after the last unit."""

    raised: tuple[tuple[int, Alarm], ...]
    units: int
    final: Quantification

    @property
    def alarms(self) -> set[tuple[str, str]]:
        return {(a.sample, a.code) for _, a in self.raised}

    @property
    def final_alarms(self) -> set[tuple[str, str]]:
        return {(a.sample, a.code) for a in self.final.alarms}

    def finding(self, code: str, sample: str = "one") -> Finding:
        return next(f for f in self.final.findings if (f.sample, f.code) == (sample, code))


def watch(
    bundle: LoadedBundle,
    paths: Sequence[Path],
    scratch: Path,
    *,
    samples: tuple[Sample, ...] = ONE,
    barcodes: tuple[str | None, ...] = (),
    shuffled: int | None = None,
    unit_reads: int = UNIT,
) -> Watched:
    """Screen files unit by unit as the stage loop does, in the units' order or `shuffled`."""
    work = screening(bundle, *paths, samples=samples, barcodes=barcodes, unit_reads=unit_reads)
    contents = [work.process(unit).content for _, unit in work.units(frozenset())]
    order = list(contents)
    if shuffled is not None:
        random.Random(shuffled).shuffle(order)
    raised = followed(work, order)
    result = work.finish(iter(contents), scratch)
    screen = ScreenResult.model_validate_json(result.outputs["screen.json"].read_text())
    final = quantify(screen, samples, bundle.panel, bundle.manifest, ScreeningParameters())
    return Watched(raised, len(contents), final)


def followed(work: ScreeningWork, contents: Sequence[bytes]) -> tuple[tuple[int, Alarm], ...]:
    running = work.running()
    raised: list[tuple[int, Alarm]] = []
    for number, content in enumerate(contents, 1):
        running.take(content)
        raised += [(number, alarm) for alarm in running.alarms()]
    running.end()
    raised += [(len(contents) + 1, alarm) for alarm in running.alarms()]
    return tuple(raised)


def simulated(
    bundle: LoadedBundle, sources: Sequence[tuple[Genome, int]], seed: int, mean: int = 2000
) -> Watched:
    """A run of one sample with so many reads of each genome."""
    plan = RunPlan(
        identity=IDENTITY,
        sources=tuple(Source("one", "barcode01", (g,), n) for g, n in sources if n),
        seed=seed, model=(R10, R9)[seed % 2], mean_length=mean, sd_length=0.8 * mean,
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        files = simulate_run(plan, Path(folder), Path(folder) / "truth.tsv").files
        paths = sorted(Path(folder) / name for name in files)
        return watch(bundle, paths, Path(folder))


def a_envelopes_in_c(world: PervWorld, seed: int, reads: int = 300) -> Watched:
    """The audit's first probe: A's envelope in C's backbone, beside A and B. No type C is there."""
    a, c, rng = world.types["A"], world.types["C"], np.random.default_rng(seed)
    parts = (c.codes[: c.borders[0]], a.codes[slice(*a.env)], c.codes[c.borders[-1] :])
    odd = np.concatenate(parts)
    sources = [
        (genome(f"odd{i}", copy_of(odd, rng.uniform(0.01, 0.03), rng)), reads // 6)
        for i in range(6)
    ]
    sources += mixture(world, {"A": reads // 2, "B": reads // 2}, rng)
    return simulated(world.bundle, sources, seed)


def copies_in_the_reference(world: PervWorld, seed: int, reads: int = 1500) -> Watched:
    """The audit's second probe: the host reference holds C, and reads are the host's own."""
    return simulated(world.bundle, [(genome("host", world.host, "host"), reads)], seed)


def of_recombinants(world: PervWorld, seed: int, reads: int = 300) -> Watched:
    """A/C recombinants beside A and B."""
    rng = np.random.default_rng(seed)
    joined = recombinant(world.types["A"], world.types["C"], 9)
    sources = [(genome("ac", copy_of(joined, 0.01, rng)), reads)]
    return simulated(world.bundle, [*sources, *mixture(world, {"A": 150, "B": 150}, rng)], seed)


def harmless(world: PervWorld, bundle: LoadedBundle, seed: int) -> Watched:
    """Host, host with PERV-A/B, or a near relative of a critical member beside host, in turn."""
    rng = np.random.default_rng(seed)
    kind = seed % 3
    if kind == 0:
        return simulated(world.bundle, [(genome("host", world.host, "host"), 300)], seed)
    if kind == 1:
        shares = rng.multinomial(240, rng.dirichlet([1.0, 1.0]))
        sources = mixture(world, dict(zip("AB", map(int, shares), strict=True)), rng)
        return simulated(world.bundle, [*sources, (genome("host", world.host, "host"), 100)], seed)
    return near_relative(bundle, seed)


def near_relative(bundle: LoadedBundle, seed: int) -> Watched:
    """Reads of a pestivirus 28 to 40 % from the critical member CSFV, and of the bundle's decoy."""
    away = 0.28 + 0.12 * random.Random(seed).random()
    relative = diverged(made.CSFV, away, seed)
    reads = made.reads_of(relative, 40, 1500, seed) + made.reads_of(made.RELATIVE, 20, 900, seed)
    reads += made.reads_of(made.HOST, 150, 1500, seed)
    return of_reads(bundle, reads, seed)


def ten_reads(bundle: LoadedBundle, seed: int) -> Watched:
    """Ten reads of a critical target among host."""
    reads = made.reads_of(made.HOST, 400, 1500, seed) + made.reads_of(made.CSFV, 10, 1500, seed)
    return of_reads(bundle, reads, seed)


def of_reads(bundle: LoadedBundle, reads: list[str], seed: int) -> Watched:
    random.Random(seed).shuffle(reads)
    with tempfile.TemporaryDirectory() as folder:
        path = made.write_fastq(Path(folder) / "a.fastq", reads)
        return watch(bundle, [path], Path(folder))


def main() -> None:
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        world = make_perv_world(root / "perv")
        bundle = made.made_bundle(root / "made")
        seen: Counter[str] = Counter()
        for seed in range(200):
            run = harmless(world, bundle, seed)
            seen["harmless runs"] += 1
            seen["of them with an alert"] += bool(run.alarms)
            seen["of them with a final alarm"] += bool(run.final_alarms)
            if run.alarms | run.final_alarms:
                print("ALERT", seed, seed % 3, run.raised, run.final.alarms, flush=True)
        for seed in range(50):
            run = ten_reads(bundle, seed)
            target = ("one", "CSFV")
            seen["runs of ten reads"] += 1
            seen["finally detected"] += target in run.final_alarms
            seen["alerted in the run"] += target in run.alarms
            at = next((n for n, a in run.raised if a.code == "CSFV"), 0)
            seen["only at its end"] += at > run.units
            seen["before its last unit"] += 0 < at < run.units
        for seed in range(10):
            run = a_envelopes_in_c(world, seed)
            seen["A in C: alerts"] += bool(run.alarms)
            seen["A in C: C detected"] += run.finding("PERV-C").call is Call.DETECTED
            run = of_recombinants(world, seed)
            seen["A/C: alerted and in the report"] += run.alarms == run.final_alarms != set()
        holds_c = make_perv_world(root / "copies", copies=("A", "B", "C"))
        for seed in range(10):
            run = copies_in_the_reference(holds_c, seed)
            seen["C in the reference: alert = report"] += run.alarms == run.final_alarms
            seen["C in the reference: alerted"] += bool(run.alarms)
    for what, number in seen.items():
        print(f"{what:40} {number}")
    print(f"{time.monotonic() - began:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
