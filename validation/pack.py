"""The validation pack: made runs with known truth, screened and scored.

Levels are target reads in a sample, in a background of host reads and a spike-in; the strain in the
sample differs from every strain in the bundle by 5 %. Negatives are host only, near relatives only,
and samples beside a heavy one with a share of reads in the wrong barcode. All genomes are invented.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from porewatch.domain.calls.findings import (
    Call,
    Finding,
)
from porewatch.domain.runs import Sample
from porewatch.domain.stage.screening_parameters import ScreeningParameters
from porewatch_worker.phases.quantification import quantify
from porewatch_worker.references.building.build import build_bundle
from porewatch_worker.references.load import LoadedBundle, load
from porewatch_worker.references.panel import shipped_panel
from porewatch_worker.science.intervals import wilson_interval
from porewatch_worker.simulate.edits import diverge
from porewatch_worker.simulate.errors import ErrorModel
from porewatch_worker.simulate.genomes import (
    SPIKE,
    Genome,
    GenomeSet,
    synthetic_genomes,
    write_genomes,
)
from porewatch_worker.simulate.headers import RunIdentity
from porewatch_worker.simulate.plan import RunPlan, Source
from porewatch_worker.simulate.reads import simulate_run
from validation.screens import screen, screening

AGENTS = (
    "PCV2",
    "PCV3",
    "TTV",
    "PPV",
    "SVDV",
    "CSFV",
    "BVDV",
    "JEV",
    "HEV",
    "PRRSV",
    "SIV",
    "PCMV",
)
RELATIVES = ("PCV1", "COXSACKIE-B5", "BORDER-DISEASE", "WEST-NILE", "PERV-E")
SPIKE_COPIES = 10_000.0
STRAIN = 0.05
HOST_READS = 60
SPIKE_READS = 40
IDENTITY = RunIdentity(
    run_id="5" * 40, flow_cell="SYN00002", sample_id="SYNTHETIC",
    model="dna_r10.4.1_e8.2_400bps_hac@v5.0.0", started_at=datetime(2026, 1, 1, tzinfo=UTC),
)  # fmt: skip


@dataclass(frozen=True)
class Score:
    """Hits among trials, with the 95 % score interval."""

    hits: int
    trials: int

    def __str__(self) -> str:
        low, high = wilson_interval(self.hits, self.trials)
        share = self.hits / self.trials
        return f"{share:6.1%} ({low:.1%} to {high:.1%}; {self.hits} of {self.trials})"

    @property
    def share(self) -> float:
        return self.hits / self.trials


@dataclass(frozen=True)
class World:
    genomes: GenomeSet
    bundle: LoadedBundle


def make_world(root: Path, seed: int = 20261121) -> World:
    """Synthetic genomes and the bundle made of them."""
    genomes = synthetic_genomes(seed, host_bases=600_000)
    sheet = write_genomes(genomes, root / "genomes")
    build_bundle(root / "genomes", root, "pack", "1", sheet=sheet, synthetic=True)
    return World(genomes, load(root, "pack@1"))


def strain_of(world: World, code: str, seed: int) -> tuple[Genome, ...]:
    """A strain that the bundle does not hold: its last strain (or all segments), 5 % away."""
    genomes = world.genomes.of(code)
    chosen = genomes if genomes[0].segment else genomes[-1:]
    rng = np.random.default_rng(seed)
    return tuple(replace(g, codes=diverge(g.codes, STRAIN, rng)) for g in chosen)


def run_pack(
    world: World,
    contents: Sequence[dict[str, int]],
    *,
    model: ErrorModel,
    seed: int,
    crosstalk: float = 0.0,
) -> list[dict[str, Finding]]:
    """Screen one run of `contents` (a sample each: code -> reads); findings by code, per sample."""
    samples = tuple(
        Sample(name=f"s{i:02}", barcode=f"barcode{i:02}", spike_copies=SPIKE_COPIES, volume_ml=1.0)
        for i in range(1, len(contents) + 1)
    )
    sources: list[Source] = []
    for sample, content in zip(samples, contents, strict=True):
        place = (sample.name, str(sample.barcode))
        sources.append(Source(*place, world.genomes.of("host"), HOST_READS))
        sources.append(Source(*place, world.genomes.of(SPIKE), SPIKE_READS))
        for code, reads in content.items():
            known = code in AGENTS
            genomes = strain_of(world, code, seed) if known else world.genomes.of(code)
            sources.append(Source(*place, genomes, reads))
    plan = RunPlan(
        identity=IDENTITY, sources=tuple(sources), seed=seed, model=model, mean_length=1500,
        sd_length=1000, crosstalk=crosstalk,
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        files = sorted(
            Path(folder) / name
            for name in simulate_run(plan, Path(folder), Path(folder) / "truth.tsv").files
        )
        work = screening(world.bundle, *files, samples=samples)
        result = screen(work, Path(folder))
    assert all(s.account.balanced for s in result.samples)
    quantified = quantify(
        result, samples, world.bundle.panel, world.bundle.manifest, ScreeningParameters()
    )
    return [
        {f.code: f for f in quantified.findings if f.sample == sample.name} for sample in samples
    ]


def positives(
    world: World, level: int, model: ErrorModel, seed: int
) -> list[tuple[str, dict[str, Finding]]]:
    """Every agent alone in a sample, with `level` reads."""
    found = run_pack(world, [{a: level} for a in AGENTS], model=model, seed=seed)
    return list(zip(AGENTS, found, strict=True))


def false_calls(found: dict[str, Finding], truth: frozenset[str] = frozenset()) -> list[str]:
    """Single members that are detected and not there. PERV-A/B are in every made host, too."""
    expected = {*truth, *(e.code for e in shipped_panel().entries if e.endogenous_in)}
    umbrellas = {"PCV", "PERV"}
    return [
        code for code, f in found.items()
        if f.call is Call.DETECTED and code not in expected and code not in umbrellas
    ]  # fmt: skip


def determination(true: Sequence[float], seen: Sequence[float]) -> float:
    """R2 of log10 seen against log10 true."""
    x, y = np.log10(true), np.log10(seen)
    r = float(np.corrcoef(x, y)[0, 1])
    return 0.0 if math.isnan(r) else r * r
