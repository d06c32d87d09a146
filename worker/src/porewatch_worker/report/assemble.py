"""Everything that was measured -> one `Report`.

All fields but `VOLATILE` are a pure function of inputs, bundle and parameters, so that the report
of an interrupted run equals that of an uninterrupted one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from porewatch.domain.calls.evidence import ScreenResult
from porewatch.domain.calls.findings import (
    Call,
    Finding,
    Quantification,
)
from porewatch.domain.calls.panel import Panel
from porewatch.domain.calls.references import BundleManifest
from porewatch.domain.errors import ManifestRefused
from porewatch.domain.money.cost import Bill
from porewatch.domain.reasons.reason import (
    Code,
    Reason,
    Reasons,
    RunCode,
    because,
    panel_note,
    verbatim,
)
from porewatch.domain.results.report import Provenance, Report
from porewatch.domain.runs import InputFile, RunManifest, SampleRole
from porewatch.domain.stage.manifest import (
    PhaseRecord,
    TimelineEntry,
)
from porewatch.domain.stage.quarantine import QuarantinedUnit
from porewatch.domain.stage.screening_parameters import ScreeningParameters
from porewatch.domain.stage.spec import Phase
from porewatch_worker import __version__
from porewatch_worker.report.pages.first_sentence import Verdicts, decide, run_outcome
from porewatch_worker.report.pages.run_record.audit_trail import with_trail


@dataclass(frozen=True)
class ReportInputs:
    """What a report is made of. `phases` are the records of all earlier phases, in order, `lost`
    the units that they gave up."""

    manifest: RunManifest
    revision: int
    screen: ScreenResult
    quantification: Quantification
    bundle: BundleManifest
    panel: Panel
    parameters: ScreeningParameters
    phases: tuple[PhaseRecord, ...]
    timeline: tuple[TimelineEntry, ...]
    bill: Bill | None
    created_at: datetime
    lost: tuple[QuarantinedUnit, ...] = ()


def assemble(inputs: ReportInputs) -> Report:
    """Build the report. Raises ManifestRefused when the pieces do not belong together."""
    _check_same_bundle(inputs)
    manifest = inputs.manifest
    findings = complete_findings(inputs)
    synthetic = inputs.bundle.synthetic or inputs.screen.synthetic
    verdicts = Verdicts(
        samples=manifest.samples,
        outcomes=inputs.quantification.outcomes,
        findings=findings,
        panel=inputs.panel.entries,
        synthetic=synthetic,
    )
    remarks = _remarks(inputs, synthetic, findings)
    report = Report(
        run_id=manifest.run_id,
        revision=inputs.revision,
        created_at=inputs.created_at,
        synthetic=synthetic,
        outcome=run_outcome(verdicts, remarked=bool(remarks)),
        decision=decide(verdicts),
        inputs=tuple(_content(file) for file in manifest.files),
        samples=manifest.samples,
        sequencing=manifest.sequencing,
        laboratory=manifest.laboratory,
        left_out=manifest.left_out,
        lost=manifest.lost,
        expected=manifest.expected,
        outcomes=inputs.quantification.outcomes,
        findings=findings,
        screens=inputs.screen.samples,
        unlisted_barcodes=inputs.screen.unlisted_barcodes,
        spike_recovery=inputs.quantification.spike_recovery,
        perv=inputs.quantification.perv,
        panel=inputs.panel.entries,
        remark_reasons=remarks,
        quarantined=inputs.lost,
        provenance=_provenance(inputs, synthetic),
        phases=inputs.phases,
        timeline=inputs.timeline,
        bill=inputs.bill,
        crosstalk=inputs.quantification.crosstalk,
        release=inputs.quantification.release,
    )
    return with_trail(report)


def _content(file: InputFile) -> InputFile:
    """What a file holds, by its checksum. Which version of an S3 object held it is in the manifest
    that the run was started with: the same reads, sent again, give the same report."""
    return file.model_copy(update={"version": None})


def complete_findings(inputs: ReportInputs) -> tuple[Finding, ...]:
    """One finding for every sample and panel row, in sheet and panel order; gaps are marked.

    Targets that are in the bundle and not on the panel follow, in their own order.
    """
    known = {(f.sample, f.code): f for f in inputs.quantification.findings}
    listed = {entry.code for entry in inputs.panel.entries}
    extra = tuple(f for f in inputs.quantification.findings if f.code not in listed)
    rows = (
        known.get((sample.name, entry.code))
        or Finding(
            sample=sample.name,
            code=entry.code,
            name=entry.name,
            severity=entry.severity,
            call=Call.NOT_SCREENED,
            why=(because(Code.NO_RESULT),),
            remarks=panel_note(entry.status_reason),
        )
        for sample in inputs.manifest.samples
        for entry in inputs.panel.entries
    )
    return (*rows, *extra)


def _check_same_bundle(inputs: ReportInputs) -> None:
    if inputs.screen.bundle != inputs.bundle.ref:
        raise ManifestRefused(
            f"the screen used bundle {inputs.screen.bundle}, the report was given "
            f"{inputs.bundle.ref}.",
            file="screen.json",
            remedy="make the report with the bundle the screen used.",
        )
    named = {sample.name for sample in inputs.manifest.samples}
    strange = {screen.sample for screen in inputs.screen.samples} - named
    if strange:
        raise ManifestRefused(
            f"sample {sorted(strange)[0]} is not in the run's sample sheet.",
            file="screen.json",
            remedy="make the report from the outputs of this run's own stages.",
        )


def _remarks(inputs: ReportInputs, synthetic: bool, findings: tuple[Finding, ...]) -> Reasons:
    remarks = []
    if synthetic:
        remarks.append(because(Code.SYNTHETIC_BUNDLE, bundle=inputs.bundle.ref))
    roles = {sample.role for sample in inputs.manifest.samples}
    if SampleRole.NO_TEMPLATE_CONTROL not in roles:
        remarks.append(because(Code.NO_BLANK_SEQUENCED))
    if SampleRole.POSITIVE_CONTROL not in roles:
        remarks.append(because(Code.NO_POSITIVE_SEQUENCED))
    remarks += [
        because(Code.PERV_ALARM, sample=r.sample, what=alarm)
        for r in inputs.quantification.perv
        for alarm in r.alarm_reasons
    ]
    remarks += [unit.remark() for unit in inputs.lost]
    remarks += _account_remarks(inputs)
    gaps = sum(f.has(Code.NO_RESULT) for f in findings)
    if gaps:
        remarks.append(because(Code.RESULTS_MISSING, count=gaps))
    return tuple(remarks)


def _account_remarks(inputs: ReportInputs) -> list[Reason]:
    remarks = []
    screens = {screen.sample: screen for screen in inputs.screen.samples}
    for sample in inputs.manifest.samples:
        screen = screens.get(sample.name)
        if screen is None or screen.account.total == 0:
            remarks.append(because(Code.SAMPLE_WITHOUT_READS, sample=sample.name))
        elif not screen.account.balanced:
            remarks.append(because(Code.ACCOUNT_UNBALANCED, sample=sample.name))
    strays = inputs.screen.unlisted_barcodes
    if strays:
        shown = tuple(
            because(Code.BARCODE_READS, barcode=name, reads=n) for name, n in sorted(strays.items())
        )
        remarks.append(because(Code.UNCLAIMED_BARCODES, reads=sum(strays.values()), barcodes=shown))
    return remarks


def _provenance(inputs: ReportInputs, synthetic: bool) -> Provenance:
    tools: dict[str, str] = {}
    for record in inputs.phases:
        tools |= record.tools
    return Provenance(
        porewatch_version=__version__,
        tools=dict(sorted(tools.items())),
        bundle=inputs.bundle.ref,
        bundle_sha256=inputs.screen.bundle_sha256,
        bundle_synthetic=synthetic,
        panel=inputs.panel.name,
        panel_version=inputs.panel.version,
        panel_sha256=inputs.panel.digest(),
        parameters=inputs.parameters,
        parameters_sha256=inputs.parameters.digest(),
        manifest_sha256=inputs.manifest.digest(),
        basecalled=(_basecalled(inputs),),
    )


def _basecalled(inputs: ReportInputs) -> Reason:
    """How signal became bases: by us, or before us (then the model, if the reads name one)."""
    model = inputs.manifest.sequencing.basecall_model
    for record in inputs.phases:
        if record.phase is Phase.BASECALLING and record.status == "completed":
            return because(RunCode.BASECALLED_HERE, how=record.how or verbatim("dorado"))
        if record.phase is Phase.BASECALLING and record.why:
            return because(RunCode.NOT_BASECALLED_HERE, why=record.why)
    came = because(RunCode.CAME_BASECALLED)
    why = because(RunCode.CAME_BASECALLED_BY, model=model) if model else came
    return because(RunCode.NOT_BASECALLED_HERE, why=why)
