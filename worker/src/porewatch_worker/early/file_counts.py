"""The counts of one file: what early screening keeps of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from porewatch.domain.runs import InputFile, Sample
from porewatch.domain.stage.screening_parameters import ScreeningParameters
from porewatch_worker.phases.screening import ScreeningWork
from porewatch_worker.references.load import LoadedBundle
from porewatch_worker.science.count.units import UnitCounts, add, unit_from_bytes
from porewatch_worker.stage_work import Inputs


def counts_of_file(
    file: InputFile,
    lies_at: Path,
    *,
    samples: Sequence[Sample],
    bundle: LoadedBundle,
    parameters: ScreeningParameters,
) -> bytes:
    """`UnitCounts` of the whole file, packed; the same file gives the same bytes. `bundle`: an
    alert part. Reads are streamed: memory does not grow with the file. Raises InputRefused naming
    file and record."""
    work = ScreeningWork(
        files=(file,),
        samples=samples,
        parameters=parameters,
        bundle=bundle,
        inputs=Inputs({file.path: lies_at}),
        unknowns=False,
    )
    total = UnitCounts()
    for _, unit in work.units(frozenset()):
        counts = unit_from_bytes(work.process(unit).content)
        add(total, counts)
        total.places += counts.places
    return total.to_bytes()
