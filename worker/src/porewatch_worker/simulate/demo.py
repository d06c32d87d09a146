"""The demo: an invented bundle and an invented run that shows what the product does.

Three barcoded samples: a donor (host background with provirus copies, PCV2 and HEV), a no-template
control, a positive control (PPV). Spike-in goes into each. Loads follow from the copies and volumes
of the sample sheet: a target's depth is to its copies what the spike's depth is to the spike's, so
the report's copies/mL can be held against the truth.
"""

from __future__ import annotations

import csv
import hashlib
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from porewatch.domain.base import Model
from porewatch_worker import __version__
from porewatch_worker.references.building.build import build_bundle
from porewatch_worker.references.installed import bundle_folder
from porewatch_worker.references.verify import verify_bundle
from porewatch_worker.science.read.filter_reads import (
    FRONT,
    REAR,
)
from porewatch_worker.simulate.genomes import (
    MARK,
    SPIKE,
    Genome,
    GenomeSet,
    synthetic_genomes,
    write_genomes,
)
from porewatch_worker.simulate.headers import RunIdentity
from porewatch_worker.simulate.plan import RunPlan, Source
from porewatch_worker.simulate.reads import simulate_run

SEED = 20261121
BUNDLE = "demo"
VERSION = "1"
STARTED = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
SPIKE_COPIES = 10_000.0
VOLUME_ML = 1.0
DONE = "demo.json"

MEAN_LENGTH, SD_LENGTH = 4500.0, 3800.0


class DemoSample(Model):
    """One sample: how much spike (as depth over its genome), host reads, and copies/mL by code."""

    name: str
    barcode: str
    role: str
    host_reads: int
    spike_depth: float
    copies_per_ml: dict[str, float] = {}


SAMPLES = (
    DemoSample(
        name="donor-1",
        barcode="barcode01",
        role="sample",
        host_reads=22_000,
        spike_depth=30,
        copies_per_ml={"PCV2": 60_000, "HEV": 20_000},
    ),
    DemoSample(
        name="no-template",
        barcode="barcode02",
        role="no_template_control",
        host_reads=300,
        spike_depth=60,
    ),
    DemoSample(
        name="positive",
        barcode="barcode03",
        role="positive_control",
        host_reads=5_000,
        spike_depth=30,
        copies_per_ml={"PPV": 20_000},
    ),
)


class DemoSet(Model):
    """What `make_demo` left behind. Paths are absolute; `expected` is sample -> codes present."""

    seed: int
    bundle: str
    references: Path
    run_folder: Path
    sample_sheet: Path
    truth: Path
    files: dict[str, int]
    reads: int
    bases: int
    expected: dict[str, tuple[str, ...]]
    copies_per_ml: dict[str, dict[str, float]]
    made_with: str


@dataclass(frozen=True)
class _Folders:
    folder: Path
    references: Path

    @property
    def run(self) -> Path:
        return self.folder / "run"


def make_demo(
    folder: Path, references: Path | None = None, *, seed: int = SEED, scale: float = 1.0
) -> DemoSet:
    """Make bundle `demo@1` below `references` (default `folder/references`) and a run below
    `folder/run`. `scale` multiplies the number of host reads (tests use less).

    The same seed and scale give the same bytes; an intact demo is kept.
    """
    folders = _Folders(folder.resolve(), (references or folder / "references").resolve())
    made_with = f"{__version__} seed={seed} scale={scale} {_digest_of_code()}"
    existing = _existing_demo(folders, made_with)
    if existing is not None:
        return existing
    genomes = synthetic_genomes(seed)
    _build(genomes, folders, seed)
    shutil.rmtree(folders.run, ignore_errors=True)
    plan = demo_plan(genomes, seed, scale)
    written = simulate_run(plan, folders.run, folders.folder / "truth.tsv")
    sheet = _write_sample_sheet(folders.run / "sample_sheet.csv", plan.identity)
    _write_final_summary(folders.run, plan, len(written.files))
    demo = DemoSet(
        seed=seed,
        bundle=f"{BUNDLE}@{VERSION}",
        references=folders.references,
        run_folder=folders.run,
        sample_sheet=sheet,
        truth=written.truth,
        files=dict(sorted(written.files.items())),
        reads=written.reads,
        bases=written.bases,
        expected={sample.name: tuple(sorted(sample.copies_per_ml)) for sample in SAMPLES},
        copies_per_ml={sample.name: sample.copies_per_ml for sample in SAMPLES},
        made_with=made_with,
    )
    (folders.folder / DONE).write_text(demo.model_dump_json(indent=1), "utf-8")
    return demo


def demo_plan(genomes: GenomeSet, seed: int, scale: float = 1.0) -> RunPlan:
    """The run of the demo, before anything is drawn."""
    sources: list[Source] = []
    for sample in SAMPLES:
        host = Source(sample.name, sample.barcode, genomes.of("host"),
                      max(1, round(sample.host_reads * scale)))  # fmt: skip
        sources += [host, *_sources(sample, genomes)]
    identity = RunIdentity(
        run_id=hashlib.sha1(f"{MARK} {seed}".encode(), usedforsecurity=False).hexdigest(),
        flow_cell="SYN00001",
        sample_id=MARK,
        model="dna_r10.4.1_e8.2_400bps_hac@v5.0.0",
        started_at=STARTED,
    )
    return RunPlan(
        identity=identity,
        sources=tuple(sources),
        seed=seed,
        mean_length=MEAN_LENGTH,
        sd_length=SD_LENGTH,
        unclassified=0.01,
        front_adapter=FRONT[1].encode(),
        rear_adapter=REAR[0].encode(),
        untrimmed=0.10,
    )


def _sources(sample: DemoSample, genomes: GenomeSet) -> list[Source]:
    """Spike and targets, as reads from depths: depth = copies x (spike depth / spike copies)."""
    spike = genomes.of(SPIKE)
    found = [Source(sample.name, sample.barcode, spike, _reads(spike, sample.spike_depth))]
    for code, copies_per_ml in sample.copies_per_ml.items():
        strain = genomes.of(code)[-1:]
        depth = copies_per_ml * VOLUME_ML / SPIKE_COPIES * sample.spike_depth
        found.append(Source(sample.name, sample.barcode, strain, _reads(strain, depth)))
    return found


def _reads(genomes: tuple[Genome, ...], depth: float) -> int:
    """Reads that give this depth: their mean length is cut off by the genome's own length."""
    length = sum(map(len, genomes))
    shape = (MEAN_LENGTH / SD_LENGTH) ** 2
    drawn = np.random.default_rng(0).gamma(shape, MEAN_LENGTH / shape, 20_000)
    return round(depth * length / float(np.clip(drawn, 200, length).mean()))


def _build(genomes: GenomeSet, place: _Folders, seed: int) -> None:
    """The bundle, rebuilt unless the present one was drawn from the same seed."""
    old = bundle_folder(place.references, f"{BUNDLE}@{VERSION}")
    shutil.rmtree(old, ignore_errors=True)
    source = place.folder / "genomes"
    sheet = write_genomes(genomes, source)
    build_bundle(
        source,
        place.references,
        BUNDLE,
        VERSION,
        sheet=sheet,
        synthetic=True,
        description=f"{MARK}: every sequence is invented (seed {seed}). For the demo only.",
        created_at=STARTED,
    )
    shutil.rmtree(source)


def _existing_demo(place: _Folders, made_with: str) -> DemoSet | None:
    """The demo of an earlier call, when it has not changed."""
    try:
        demo = DemoSet.model_validate_json((place.folder / DONE).read_bytes())
        whole = all((place.run / name).is_file() for name in demo.files)
        if demo.made_with != made_with or demo.references != place.references or not whole:
            return None
        verify_bundle(place.references, demo.bundle)
    except (OSError, ValueError):
        return None
    return demo


def _digest_of_code() -> str:
    """A short digest of the modules that draw, so that a changed simulator makes a new demo."""
    parts = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in parts)).hexdigest()[:12]


def _write_sample_sheet(path: Path, identity: RunIdentity) -> Path:
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        head: tuple[str, ...] = ("flow_cell_id", "kit", "sample_id", "alias", "barcode", "role")
        writer.writerow((*head, "material", "volume_ml", "spike_copies", "expected_codes"))
        for sample in SAMPLES:
            head = (identity.flow_cell, identity.kit, MARK, sample.name, sample.barcode)
            shows = " ".join(sorted(sample.copies_per_ml)) if "positive" in sample.role else ""
            writer.writerow((*head, sample.role, "dna", VOLUME_ML, SPIKE_COPIES, shows))
    return path


def _write_final_summary(folder: Path, plan: RunPlan, files: int) -> None:
    """As MinKNOW writes it at the end of a run."""
    identity = plan.identity
    ended = identity.started_at + timedelta(hours=plan.hours)
    facts = {
        "instrument": f"{MARK}-MINION",
        "position": "",
        "flow_cell_id": identity.flow_cell,
        "sample_id": identity.sample_id,
        "protocol_group_id": identity.sample_id,
        "protocol": f"sequencing/sequencing_MIN114_DNA_e8_2_400K:FLO-MIN114:{identity.kit}:400",
        "protocol_run_id": identity.run_id[:32],
        "acquisition_run_id": identity.run_id,
        "started": identity.started_at.isoformat(),
        "acquisition_stopped": ended.isoformat(),
        "processing_stopped": ended.isoformat(),
        "basecalling_enabled": "1",
        "fastq_files_in_final_dest": str(files),
        "fastq_files_in_fallback": "0",
    }
    name = f"final_summary_{identity.flow_cell}_{identity.run_id[:8]}.txt"
    (folder / name).write_text("".join(f"{k}={v}\n" for k, v in facts.items()), "utf-8")
