"""Screen a simulated run with the product's own phases; one result a sample."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from porewatch.domain.calls.evidence import ScreenResult
from porewatch.domain.calls.findings import Call, Quantification
from porewatch.domain.errors import NoReadsLeft
from porewatch.domain.reasons.reason import Code
from porewatch.domain.runs import InputFile, Sample
from porewatch.domain.stage.screening_parameters import ScreeningParameters
from porewatch.reads.naming import kind_of
from porewatch_worker.phases.quantification import quantify
from porewatch_worker.phases.screening import ScreeningWork
from porewatch_worker.references.load import LoadedBundle
from porewatch_worker.simulate.headers import RunIdentity
from porewatch_worker.simulate.plan import RunPlan, Source
from porewatch_worker.simulate.reads import simulate_run
from porewatch_worker.stage_work import Inputs
from porewatch_worker.validation.sets import MadeRun, Tube
from porewatch_worker.validation.worlds import World

SPIKE_COPIES = 10_000.0
IDENTITY = RunIdentity(
    run_id="5" * 40, flow_cell="SYN00003", sample_id="SYNTHETIC",
    model="dna_r10.4.1_e8.2_400bps_hac@v5.0.0", started_at=datetime(2026, 1, 1, tzinfo=UTC),
)  # fmt: skip


@dataclass(frozen=True)
class ScreenedSample:
    """Results of one sample: calls and reads by code (groups have no reads), and whether an alarm
    for a PERV recombinant was raised."""

    run: MadeRun
    tube: Tube
    calls: dict[str, Call]
    reads: dict[str, int]
    recombinant: bool


def screen_made(world: World, run: MadeRun) -> list[ScreenedSample]:
    """Make the reads, screen and quantify them; one result a sample, in order."""
    samples = samples_of(run)
    with tempfile.TemporaryDirectory() as folder:
        files = make_reads(run, samples, Path(folder))
        try:
            result = answer(world.bundle, samples, files, Path(folder))
        except NoReadsLeft:
            return [ScreenedSample(run, tube, {}, {}, False) for tube in run.tubes]
    return screened_samples(run, samples, result)


def screened_samples(
    run: MadeRun, samples: tuple[Sample, ...], result: Quantification
) -> list[ScreenedSample]:
    """One result a sample, in order."""
    cut = Code.PERV_ALARM_RECOMBINANT
    alarms = {p.sample for p in result.perv if any(a.code is cut for a in p.alarm_reasons)}
    seen = []
    for sample, tube in zip(samples, run.tubes, strict=True):
        mine = [f for f in result.findings if f.sample == sample.name]
        calls = {f.code: f.call for f in mine}
        reads = {f.code: f.evidence.reads for f in mine if f.evidence and f.evidence.reads}
        seen.append(ScreenedSample(run, tube, calls, reads, sample.name in alarms))
    return seen


def samples_of(run: MadeRun) -> tuple[Sample, ...]:
    """One sample a tube, each with a barcode and a spike-in declared."""
    return tuple(
        Sample(name=f"s{n:02}", barcode=f"barcode{n:02}", spike_copies=SPIKE_COPIES, volume_ml=1.0)
        for n in range(1, len(run.tubes) + 1)
    )


def make_reads(run: MadeRun, samples: tuple[Sample, ...], folder: Path) -> list[Path]:
    """Write the run's FASTQ files below `folder`; a sample without reads has none."""
    sources = tuple(
        Source(sample.name, str(sample.barcode), genomes, reads)
        for sample, tube in zip(samples, run.tubes, strict=True)
        for genomes, reads in tube.contents
        if reads
    )
    plan = RunPlan(
        identity=IDENTITY, sources=sources, seed=run.seed, model=run.model, mean_length=run.mean,
        sd_length=run.sd, min_length=run.shortest, crosstalk=run.crosstalk, chimeras=run.chimeras,
    )  # fmt: skip
    return sorted(folder / name for name in simulate_run(plan, folder, folder / "truth.tsv").files)


def answer(
    bundle: LoadedBundle, samples: tuple[Sample, ...], paths: list[Path], folder: Path
) -> Quantification:
    """Screen and quantify files, as the worker's phases do. Raises NoReadsLeft."""
    files = [
        InputFile(path=f"fastq/{p.name}", kind=kind_of(p.name), size=p.stat().st_size)
        for p in paths
    ]
    work = ScreeningWork(
        files=files,
        samples=samples,
        parameters=ScreeningParameters(),
        bundle=bundle,
        inputs=Inputs({f.path: p for f, p in zip(files, paths, strict=True)}),
    )
    contents = (work.process(unit).content for _, unit in work.units(frozenset()))
    result = work.finish(contents, folder)
    screen = ScreenResult.model_validate_json(result.outputs["screen.json"].read_bytes())
    return quantify(screen, samples, bundle.panel, bundle.manifest, ScreeningParameters())
