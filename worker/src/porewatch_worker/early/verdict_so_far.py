"""What is suspected by the files that have landed: the rule of the running verdict over their
counts, while nobody knows how much is to come."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from porewatch.domain.calls.alarm_rule import Alarm
from porewatch.domain.runs import InputFile, Sample
from porewatch.domain.stage.screening_parameters import ScreeningParameters
from porewatch_worker.references.load import LoadedBundle
from porewatch_worker.science.count.units import UnitCounts, add, unit_from_bytes
from porewatch_worker.suspicions.running import RunningVerdict


def suspected(
    counts: Iterable[bytes],
    files: Sequence[InputFile],
    *,
    samples: Sequence[Sample],
    bundle: LoadedBundle,
    parameters: ScreeningParameters,
) -> tuple[Alarm, ...]:
    """Alarms over the counts (`counts_of_file`) of these files, in any order. What the sample's
    species inherits is not judged before the run is whole."""
    verdict = so_far(files, samples=samples, bundle=bundle, parameters=parameters)
    names = _by_barcode(samples)
    for one in counts:
        verdict.take_counts(_named(unit_from_bytes(one), names, samples))
    return tuple(verdict.alarms())


def so_far(
    files: Sequence[InputFile],
    *,
    samples: Sequence[Sample],
    bundle: LoadedBundle,
    parameters: ScreeningParameters,
) -> RunningVerdict:
    """The running verdict of a run that goes on, before any of its files is taken."""
    return RunningVerdict(
        bundle=bundle.manifest,
        bundle_sha256=bundle.sha256,
        panel=bundle.panel,
        files=files,
        samples=samples,
        parameters=parameters,
        goes_on=True,
    )


def _by_barcode(samples: Sequence[Sample]) -> dict[str, str]:
    return {sample.barcode: sample.name for sample in samples if sample.barcode}


def _named(unit: UnitCounts, names: Mapping[str, str], samples: Sequence[Sample]) -> UnitCounts:
    """The counts by the samples' names: those of a file that came before the sample sheet are by
    its barcode, or by the run's id."""
    known = {sample.name for sample in samples}
    only = samples[0].name if len(samples) == 1 else None

    def name_of(name: str) -> str | None:
        return name if name in known else names.get(name, only)

    made = UnitCounts(unlisted=unit.unlisted)
    for name, counts in unit.samples.items():
        if (now := name_of(name)) is not None:
            add(made.sample(now), counts)
    made.places = tuple(
        place._replace(
            samples={
                now: reads
                for name, reads in place.samples.items()
                if (now := name_of(name)) is not None
            }
        )
        for place in unit.places
    )
    return made
