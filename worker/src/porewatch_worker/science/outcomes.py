"""Whether a sample's result may be relied on: controls and spike-in first, then remarks.

A sample that fails is INVALID with the reason, never "clean".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from porewatch.domain.findings import (
    Call,
    Finding,
    Outcome,
    Quantity,
    SampleOutcome,
    SampleScreen,
    ScreenResult,
)
from porewatch.domain.phases import ScreeningParameters
from porewatch.domain.runs import Sample, SampleRole
from porewatch_worker.science.agreement import disagreements
from porewatch_worker.science.quantity import spike_of, spike_recovery


def outcomes(
    screen: ScreenResult,
    samples: Sequence[Sample],
    findings: Sequence[Finding],
    parameters: ScreeningParameters,
) -> tuple[SampleOutcome, ...]:
    """One outcome a sample, in the order of the sheet."""
    screens = {s.sample: s for s in screen.samples}
    found = []
    for sample in samples:
        mine = [f for f in findings if f.sample == sample.name]
        failed = tuple(_failures(sample, screens[sample.name], mine, parameters))
        remarks = tuple(_remarks(sample, mine, samples))
        outcome = Outcome.RELEASED_WITH_REMARKS if remarks else Outcome.RELEASED
        if failed:
            outcome = Outcome.INVALID
        found.append(SampleOutcome(sample=sample.name, outcome=outcome, reasons=failed or remarks))
    return tuple(found)


def recoveries(screen: ScreenResult, samples: Sequence[Sample]) -> dict[str, Quantity]:
    """Spike-in recovery of every sample with stated copies."""
    screens = {s.sample: s for s in screen.samples}
    found = {s.name: spike_recovery(screens[s.name], s) for s in samples}
    return {name: quantity for name, quantity in found.items() if quantity is not None}


def _failures(
    sample: Sample, screen: SampleScreen, mine: Sequence[Finding], parameters: ScreeningParameters
) -> Iterator[str]:
    detected = [f.code for f in mine if f.call is Call.DETECTED]
    control = sample.role is SampleRole.NO_TEMPLATE_CONTROL
    if control and detected:
        yield f"the no-template control holds {', '.join(detected)}: the run is contaminated"
    if not screen.quality.passed_reads and not control:
        yield "no read passed quality control, so nothing can be said"
        return
    spike = spike_of(screen)
    spiked = spike.evidence.reads if spike else 0
    least = parameters.min_spike_reads
    if sample.spike_copies and spiked < least:
        yield f"the spike-in gave {spiked} reads ({least} needed): sensitivity is not shown"
    if sample.role is SampleRole.POSITIVE_CONTROL and not detected and not spiked:
        yield "the positive control shows neither a panel member nor a spike-in"


def _remarks(sample: Sample, mine: Sequence[Finding], samples: Sequence[Sample]) -> Iterator[str]:
    if sample.role is not SampleRole.SAMPLE:
        return
    if all(s.role is not SampleRole.NO_TEMPLATE_CONTROL for s in samples):
        yield "no no-template control in this run: contamination cannot be excluded"
    if not sample.spike_copies:
        yield "no spike-in stated: no absolute copies, and sensitivity rests on yield alone"
    yield from disagreements(mine)
    unsure = [f.code for f in mine if f.call is Call.INDETERMINATE]
    if unsure:
        yield f"indeterminate: {', '.join(unsure)}"
