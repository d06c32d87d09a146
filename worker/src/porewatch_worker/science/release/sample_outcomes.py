"""Whether a sample's result is reliable: controls and spike-in first, then remarks.

A sample that fails is not reportable, with the reason, never "clean". The run's release policy
decides what a control means for the samples of its batch or run; but under any policy no sample of
a failed control is reportable: the first page states the same for the run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from porewatch.domain.calls.evidence import ScreenResult
from porewatch.domain.calls.findings import (
    Call,
    Crosstalk,
    Finding,
    Outcome,
    Quantity,
    SampleOutcome,
)
from porewatch.domain.calls.release_policy import Consequence, ReleasePolicy
from porewatch.domain.reasons.reason import Code, Reason, because
from porewatch.domain.runs import Sample, SampleRole
from porewatch.domain.stage.screening_parameters import ScreeningParameters
from porewatch_worker.science.amounts.quantity import spike_recovery
from porewatch_worker.science.amounts.quantity_agreement import disagreements
from porewatch_worker.science.amounts.spike import spike_of
from porewatch_worker.science.release.controls import Batch, control_failed, judged, positive_faults
from porewatch_worker.science.release.lost_reads import lost_to_filters


def sample_outcomes(
    screen: ScreenResult,
    samples: Sequence[Sample],
    findings: Sequence[Finding],
    parameters: ScreeningParameters,
    *,
    policy: ReleasePolicy,
    strays: Sequence[Crosstalk],
    recovered: Mapping[str, Quantity],
    hosted: bool = True,
) -> tuple[SampleOutcome, ...]:
    """One outcome a sample, in the order of the sheet, by the release policy. `strays` is what
    `crosstalk` found, `recovered` what `recoveries` found;
    `hosted`: the bundle holds a host genome."""
    batch = Batch(
        samples=samples,
        screens={s.sample: s for s in screen.samples},
        findings=findings,
        recoveries=recovered,
        crosstalk=strays,
        policy=policy,
        hosted=hosted,
        least_spike_reads=policy.min_spike_reads or parameters.min_spike_reads,
    )
    return tuple(_outcome(sample, batch) for sample in samples)


def _outcome(sample: Sample, batch: Batch) -> SampleOutcome:
    mine = [f for f in batch.findings if f.sample == sample.name]
    judgements = list(judged(sample, batch))
    refused = [reason for what, reason in judgements if what is Consequence.REFUSE]
    lost = list(lost_to_filters(sample, batch))
    refused += [reason for what, reason in lost if what is Consequence.REFUSE]
    failed = tuple(_each_once([*_failures(sample, mine, batch), *refused, *_fallen(sample, batch)]))
    if failed:
        return SampleOutcome(sample=sample.name, outcome=Outcome.NOT_REPORTABLE, why=failed)
    remarked = [reason for what, reason in (*judgements, *lost) if what is Consequence.REMARK]
    remarks = tuple(_each_once([*remarked, *_remarks(sample, mine)]))
    outcome = Outcome.REPORTABLE_WITH_REMARKS if remarks else Outcome.REPORTABLE
    return SampleOutcome(sample=sample.name, outcome=outcome, why=remarks)


def _each_once(reasons: Sequence[Reason]) -> Iterator[Reason]:
    return (reason for i, reason in enumerate(reasons) if reason not in reasons[:i])


def _fallen(sample: Sample, batch: Batch) -> Iterator[Reason]:
    """Failures of the controls that apply to the sample."""
    if sample.role is not SampleRole.SAMPLE:
        return
    for control in batch.samples:
        if control.role is not SampleRole.SAMPLE and control.governs(sample):
            mine = [f for f in batch.findings if f.sample == control.name]
            for fault in _failures(control, mine, batch):
                yield control_failed(control, fault)


def recoveries(screen: ScreenResult, samples: Sequence[Sample]) -> dict[str, Quantity]:
    """Spike-in recovery of every sample with stated copies."""
    screens = {s.sample: s for s in screen.samples}
    found = {s.name: spike_recovery(screens[s.name], s) for s in samples}
    return {name: quantity for name, quantity in found.items() if quantity is not None}


def _failures(sample: Sample, mine: Sequence[Finding], batch: Batch) -> Iterator[Reason]:
    screen = batch.screens[sample.name]
    detected = [f.code for f in mine if f.call is Call.DETECTED]
    control = sample.role is SampleRole.NO_TEMPLATE_CONTROL
    if control and detected:
        if sample.batch:
            held = tuple(detected)
            yield because(Code.BLANK_OF_BATCH_HOLDS, codes=held, batch=sample.batch)
        else:
            yield because(Code.BLANK_HOLDS, codes=tuple(detected))
    passed, needed = screen.quality.passed_reads, batch.policy.min_passed_reads
    if not passed and not control:
        yield because(Code.NOTHING_PASSED)
        return
    if passed < needed and not control:
        yield because(Code.FEW_PASSED, reads=passed, needed=needed)
    spike = spike_of(screen)
    spiked = spike.evidence.reads if spike else 0
    least = batch.least_spike_reads
    if sample.spike_copies and spiked < least:
        yield because(Code.SPIKE_FEW_READS, reads=spiked, needed=least)
    if sample.role is SampleRole.POSITIVE_CONTROL:
        yield from positive_faults(sample, batch)


def _remarks(sample: Sample, mine: Sequence[Finding]) -> Iterator[Reason]:
    if sample.role is SampleRole.POSITIVE_CONTROL:
        return
    if sample.role is SampleRole.SAMPLE:
        yield from disagreements(mine)
    unsure = [f.code for f in mine if f.call is Call.INDETERMINATE and _is_remarked(f, sample)]
    if unsure:
        yield because(Code.INDETERMINATE, codes=tuple(unsure))


def _is_remarked(finding: Finding, sample: Sample) -> bool:
    """Whether an indeterminate finding needs a remark: in a blank, only one with reads that
    crossover does not explain."""
    if sample.role is SampleRole.SAMPLE:
        return True
    reads = finding.evidence.reads if finding.evidence else 0
    return reads > 0 and not finding.has(Code.CROSSOVER)
