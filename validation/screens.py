"""A screen of some files by the phase itself, and sequences drawn at random."""

from __future__ import annotations

import random
from pathlib import Path

from porewatch.domain.calls.evidence import ScreenResult
from porewatch.domain.runs import InputFile, Sample
from porewatch.domain.stage.screening_parameters import ScreeningParameters
from porewatch.reads.naming import kind_of
from porewatch_worker.phases.screening import ScreeningWork
from porewatch_worker.references.load import LoadedBundle
from porewatch_worker.stage_work import Inputs


def random_sequence(length: int, seed: int) -> str:
    return "".join(random.Random(seed).choices("ACGT", k=length))


def diverged(sequence: str, share: float, seed: int) -> str:
    """`sequence` with that share of its bases substituted."""
    dice = random.Random(seed)
    other = {"A": "CGT", "C": "AGT", "G": "ACT", "T": "ACG"}
    return "".join(dice.choice(other[b]) if dice.random() < share else b for b in sequence)


def fasta_sequence(path: Path) -> str:
    return "".join(path.read_text().splitlines()[1:]).upper()


def screening(
    bundle: LoadedBundle,
    *paths: Path,
    samples: tuple[Sample, ...] = (Sample(name="one"),),
    barcodes: tuple[str | None, ...] = (),
    **parameters: int | float,
) -> ScreeningWork:
    files = [
        InputFile(
            path=f"{kind_of(p.name)}/{p.name}",
            kind=kind_of(p.name),
            size=p.stat().st_size,
            barcode=barcodes[i] if barcodes else None,
        )
        for i, p in enumerate(paths)
    ]
    return ScreeningWork(
        files=files,
        samples=samples,
        parameters=ScreeningParameters(**parameters),  # type: ignore[arg-type]
        bundle=bundle,
        inputs=Inputs({f.path: p for f, p in zip(files, paths, strict=True)}),
    )


def screen(work: ScreeningWork, scratch: Path) -> ScreenResult:
    """All units in order, merged: what the stage loop does, without checkpoints."""
    contents = [work.process(unit).content for _, unit in work.units(frozenset())]
    result = work.finish(iter(contents), scratch)
    return ScreenResult.model_validate_json(result.outputs["screen.json"].read_text())
