"""Build the work of an order: which phases make up the stage, and their inputs.

    basecalling                                          one unit per POD5 file
    quality_control, host_removal, pathogen_detection    one pass over the reads, in units
    quantification, reporting                            one step each, from screen.json

The three phases of the pass share it even when a layout gives each an instance of its own: the
first of them runs it, the others write their records from `screen.json`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from porewatch.domain.base import now
from porewatch.domain.calls.evidence import ScreenResult
from porewatch.domain.calls.findings import Quantification
from porewatch.domain.errors import ConfigurationRefused
from porewatch.domain.reasons.reason import RunCode, because
from porewatch.domain.runs import InputFile, ReadKind, Sample
from porewatch.domain.stage.manifest import PhaseRecord, StageManifest
from porewatch.domain.stage.quarantine import QuarantinedUnit
from porewatch.domain.stage.read_limits import settled
from porewatch.domain.stage.spec import Phase
from porewatch.domain.stage.work_order import WorkOrder
from porewatch_worker.phases.basecalling import BasecallingWork, skipped_record
from porewatch_worker.phases.first_header import basecall_model_of
from porewatch_worker.phases.quantification import OUTPUT as QUANTIFICATION
from porewatch_worker.phases.quantification import QuantificationWork
from porewatch_worker.phases.reporting import Around, ReportingWork, report_phase, with_phases
from porewatch_worker.phases.screening import OUTPUT, ScreeningWork
from porewatch_worker.phases.screening_records import MAPPED, RECORDS, SCREENING
from porewatch_worker.phases.wrappers import (
    OneStep,
    WithRecords,
)
from porewatch_worker.references.installed import bundle_folder
from porewatch_worker.references.load import load
from porewatch_worker.references.panel import read_panel
from porewatch_worker.references.verify import check_bundle
from porewatch_worker.science.release.incomplete import gaps_of
from porewatch_worker.science.release.policies import release_policies
from porewatch_worker.settings import BasecallerSettings
from porewatch_worker.stage_inputs import reads_of
from porewatch_worker.stage_work import (
    Inputs,
    StageResult,
    StageWork,
)

REPORT = (Phase.QUANTIFICATION, Phase.REPORTING)


@dataclass(frozen=True)
class Means:
    """What the instance or computer provides. `stopped`: whether long computations are to give up;
    `rented`: the instance is billed, so the report has a bill."""

    inputs: Inputs
    previous: tuple[StageManifest, ...]
    references_root: Path
    scratch: Path
    basecaller: BasecallerSettings
    stopped: Callable[[], bool] = lambda: False
    threads: int | None = None
    unit_reads: int | None = None
    rented: bool = True

    @property
    def records(self) -> tuple[PhaseRecord, ...]:
        """Records of all earlier phases, in order."""
        return tuple(record for manifest in self.previous for record in manifest.phases)

    @property
    def lost(self) -> tuple[QuarantinedUnit, ...]:
        """Units that earlier stages gave up."""
        return tuple(unit for manifest in self.previous for unit in manifest.quarantined)


Build = Callable[[WorkOrder, Means], StageWork]


def build(order: WorkOrder, means: Means) -> StageWork:
    """The work of the order's stage. Raises the errors of phases that cannot start."""
    phases = set(order.phases)
    if phases == {Phase.BASECALLING}:
        return _basecalling(order, means)
    if phases <= set(SCREENING):
        counted = any(OUTPUT in manifest.outputs for manifest in means.previous)
        return _records_of_earlier_pass(order, means) if counted else _screening(order, means)
    if phases <= set(REPORT):
        return _reporting(order, means)
    raise ConfigurationRefused(
        f"no work is known for a stage of {', '.join(order.phases)}.",
        remedy="group phases as basecalling | quality_control, host_removal, pathogen_detection | "
        "quantification, reporting, or give each a stage of its own.",
    )


def _basecalling(order: WorkOrder, means: Means) -> StageWork:
    files = tuple(f for f in order.manifest.files if f.kind is ReadKind.POD5)
    return BasecallingWork(
        files,
        means.inputs,
        means.basecaller,
        means.scratch / "basecalling",
        by_barcode=any(sample.barcode for sample in order.manifest.samples),
        sample_of={s.barcode: s.name for s in order.manifest.samples if s.barcode},
        kit=order.manifest.sequencing.kit,
        stopped=means.stopped,
    )


def _screening(order: WorkOrder, means: Means) -> StageWork:
    files = reads_of(order, means.previous)
    threads = means.threads or order.parameters.threads
    work = ScreeningWork(
        files=files,
        samples=samples_of(order),
        parameters=order.parameters.model_copy(
            update={
                "threads": threads,
                "unit_reads": means.unit_reads or order.parameters.unit_reads,
            }
        ),
        bundle=load(means.references_root, order.bundle, threads),
        inputs=means.inputs,
        phases=order.phases,
    )
    if any(record.phase is Phase.BASECALLING for record in means.records):
        return work
    return WithRecords(work, [skipped_record(_model(order, files, means.inputs))])


def samples_of(order: WorkOrder) -> tuple[Sample, ...]:
    """The samples of the manifest with the read limits that are in force for each."""
    manifest = order.manifest
    policy = release_policies().of(manifest.release_policy)
    return settled(manifest.samples, order.parameters, manifest.read_limits, policy)


def _model(order: WorkOrder, files: Sequence[InputFile], inputs: Inputs) -> str | None:
    """The model that called the reads: from the manifest, else from the header of the first
    read."""
    model = order.manifest.sequencing.basecall_model
    if model or not files:
        return model
    return basecall_model_of(inputs.path(files[0].path), files[0])


def _records_of_earlier_pass(order: WorkOrder, means: Means) -> StageWork:
    def step(_scratch: Path) -> StageResult:
        began = now()
        result = ScreenResult.model_validate_json(means.inputs.path(OUTPUT).read_bytes())
        records = [
            PhaseRecord(
                phase=phase,
                status="completed",
                why=(because(RunCode.COUNTED_EARLIER),),
                how=MAPPED,
                started_at=began,
                finished_at=now(),
                counts=RECORDS[phase](result),
            )
            for phase in order.phases
            if phase in SCREENING
        ]
        return StageResult(outputs={}, phases=tuple(records))

    return OneStep(order.phases[0], list(order.previous), step)


def _reporting(order: WorkOrder, means: Means) -> StageWork:
    bundle = check_bundle(means.references_root, order.bundle)
    folder = bundle_folder(means.references_root, order.bundle)
    panel = read_panel(folder / bundle.files["panel_list"].path)
    around = Around(bundle, panel, means.records, means.lost, rented=means.rented)
    if set(order.phases) == {Phase.REPORTING}:
        return ReportingWork(order, means.inputs, around)
    counting = QuantificationWork(
        samples=samples_of(order),
        panel=panel,
        bundle=bundle,
        parameters=order.parameters,
        inputs=means.inputs,
        lost=means.lost,
        release_policy=order.manifest.release_policy,
        gaps=gaps_of(order.manifest),
    )
    if set(order.phases) == {Phase.QUANTIFICATION}:
        return counting
    depends_on = [counting.fingerprint(), order.manifest.digest(), *order.previous]
    return OneStep(
        Phase.QUANTIFICATION,
        depends_on,
        lambda scratch: _count_and_report(order, means.inputs, counting, around, scratch),
    )


def _count_and_report(
    order: WorkOrder, inputs: Inputs, counting: QuantificationWork, around: Around, scratch: Path
) -> StageResult:
    counted = counting.finish(iter([counting.process(None).content]), scratch)
    quantification = Quantification.model_validate_json(
        counted.outputs[QUANTIFICATION].read_bytes()
    )
    screen = ScreenResult.model_validate_json(inputs.path(OUTPUT).read_bytes())
    after = with_phases(around, *counted.phases)
    reported = report_phase(order, screen, quantification, after, scratch)
    return StageResult(
        outputs={**counted.outputs, **reported.outputs},
        phases=(*counted.phases, *reported.phases),
        findings=reported.findings,
    )
