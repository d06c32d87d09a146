"""Effect of controls on the samples they apply to: those of their batch, or of the whole run.

Order: the policy file, then for one sample reasons to refuse it and remarks: controls that are
missing, a positive control that failed, contamination, spike-in recovery, crosstalk in the sample
and in the controls. Crosstalk ignores batches: all barcodes are pooled.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from porewatch.domain.calls.evidence import SampleScreen
from porewatch.domain.calls.findings import (
    Call,
    Crosstalk,
    Finding,
    Quantity,
)
from porewatch.domain.calls.references import ContigRole
from porewatch.domain.calls.release_policy import Consequence, ReleasePolicy
from porewatch.domain.reasons.reason import Code, Reason, Value, because
from porewatch.domain.runs import Sample, SampleRole

Judged = tuple[Consequence, Reason]
LACKING = {
    SampleRole.NO_TEMPLATE_CONTROL: (
        Code.NO_BLANK_IN_RUN,
        Code.NO_BLANK_IN_BATCH,
        Code.NO_BLANK_WITHOUT_BATCH,
    ),
    SampleRole.POSITIVE_CONTROL: (
        Code.NO_POSITIVE_IN_RUN,
        Code.NO_POSITIVE_IN_BATCH,
        Code.NO_POSITIVE_WITHOUT_BATCH,
    ),
}
"""Reason for a missing control: none in the run; none for a batch; none without a batch."""


@dataclass(frozen=True)
class Batch:
    """The data of all controls."""

    samples: Sequence[Sample]
    screens: Mapping[str, SampleScreen]
    findings: Sequence[Finding]
    recoveries: Mapping[str, Quantity]
    crosstalk: Sequence[Crosstalk]
    policy: ReleasePolicy
    least_spike_reads: int
    hosted: bool = True

    def controls_of(self, sample: Sample, role: SampleRole) -> list[Sample]:
        """The controls of that role that apply to the sample."""
        return [s for s in self.samples if s.role is role and s.governs(sample)]

    def has(self, role: SampleRole) -> bool:
        return any(s.role is role for s in self.samples)

    @property
    def control_names(self) -> set[str]:
        return {s.name for s in self.samples if s.role is not SampleRole.SAMPLE}

    def detected(self, sample: str) -> list[str]:
        return [f.code for f in self.findings if f.sample == sample and f.call is Call.DETECTED]

    def endogenous(self, sample: str) -> list[str]:
        """What its genome holds as expected: shown by a control that is to show it."""
        return [f.code for f in self.findings if f.sample == sample and f.call is Call.ENDOGENOUS]


def judged(sample: Sample, batch: Batch) -> Iterator[Judged]:
    """All consequences of the policy for one sample; for a control, only of its crosstalk."""
    yield from _unstated(sample, batch)
    if sample.role is SampleRole.SAMPLE:
        yield from _missing(sample, batch)
        yield from _implausible(sample, batch)
        yield from _positive_failed(sample, batch)
        yield from _contaminated(sample, batch)
        yield from _recovery(sample, batch)
    yield from _crosstalk(sample, batch)


def positive_faults(control: Sample, batch: Batch) -> Iterator[Reason]:
    """Why a positive control failed; nothing when it shows what it must."""
    detected = set(batch.detected(control.name))
    seen = detected | set(batch.endogenous(control.name))
    expected = control.expected_codes or batch.policy.expected_codes
    missed = tuple(code for code in expected if code not in seen)
    if missed:
        yield because(Code.POSITIVE_MISSES, codes=missed)
    elif not detected and not _spiked(batch.screens[control.name]):
        yield because(Code.POSITIVE_SHOWS_NOTHING)


def _missing(sample: Sample, batch: Batch) -> Iterator[Judged]:
    policy = batch.policy
    if lacks := _lacks(SampleRole.NO_TEMPLATE_CONTROL, sample, batch):
        yield policy.missing_no_template_control, lacks
    if lacks := _lacks(SampleRole.POSITIVE_CONTROL, sample, batch):
        yield policy.missing_positive_control, lacks
    if not sample.spike_copies:
        yield policy.missing_spike_in, because(Code.NO_SPIKE_STATED)


def _lacks(role: SampleRole, sample: Sample, batch: Batch) -> Reason | None:
    """The reason that a control of that role is missing; None when one applies to the sample."""
    if batch.controls_of(sample, role):
        return None
    in_the_run, in_the_batch, without_a_batch = LACKING[role]
    if not batch.has(role):
        return because(in_the_run)
    if sample.batch:
        return because(in_the_batch, batch=sample.batch)
    return because(without_a_batch)


def _unstated(sample: Sample, batch: Batch) -> Iterator[Judged]:
    """A positive control without stated codes shows nothing. A remark on it and on its samples,
    unless another control with a stated code proves detection."""
    speaking = batch.controls_of(sample, SampleRole.POSITIVE_CONTROL)
    mine = [sample] if sample.role is SampleRole.POSITIVE_CONTROL else []
    controls = mine or (speaking if sample.role is SampleRole.SAMPLE else [])
    stated = [c for c in controls if c.expected_codes or batch.policy.expected_codes]
    if controls and not stated:
        nothing = because(Code.CONTROL_STATES_NOTHING, control=called(controls[0]))
        yield batch.policy.positive_unstated, nothing


def _implausible(sample: Sample, batch: Batch) -> Iterator[Judged]:
    """What a sample of the host hardly looks like: another sample, or another material."""
    account, policy = batch.screens[sample.name].account, batch.policy
    passed = account.passed
    if passed < policy.plausible_from_reads:
        return
    host, nothing = account.host / passed, account.unassigned / passed
    if batch.hosted and host < policy.least_host_share:
        least = policy.least_host_share
        few = because(Code.FEW_HOST_READS, share=host, reads=passed, least=least)
        yield Consequence.REMARK, few
    if nothing > policy.most_unassigned_share:
        most = policy.most_unassigned_share
        many = because(Code.MANY_UNASSIGNED, share=nothing, reads=passed, most=most)
        yield Consequence.REMARK, many


def _positive_failed(sample: Sample, batch: Batch) -> Iterator[Judged]:
    for control in batch.controls_of(sample, SampleRole.POSITIVE_CONTROL):
        for fault in positive_faults(control, batch):
            yield batch.policy.positive_failed, control_failed(control, fault)


def called(control: Sample) -> Reason:
    """The control by its name, and its batch."""
    if control.batch:
        return because(Code.CONTROL_OF_BATCH, control=control.name, batch=control.batch)
    return because(Code.CONTROL, control=control.name)


def control_failed(control: Sample, why: Reason) -> Reason:
    return because(Code.CONTROL_FAILED, control=called(control), why=why)


def _contaminated(sample: Sample, batch: Batch) -> Iterator[Judged]:
    there = {
        f.code
        for f in batch.findings
        if f.sample == sample.name and f.call in (Call.DETECTED, Call.INDETERMINATE)
    }
    for control in batch.controls_of(sample, SampleRole.NO_TEMPLATE_CONTROL):
        both = tuple(code for code in batch.detected(control.name) if code in there)
        if both:
            held = because(Code.CONTROL_HOLDS_TOO, control=called(control), codes=both)
            yield batch.policy.contaminated, held


def _recovery(sample: Sample, batch: Batch) -> Iterator[Judged]:
    bounds = batch.policy.spike_recovery
    known = [q.value for q in batch.recoveries.values() if q.value]
    mine = batch.recoveries.get(sample.name)
    if bounds is None or mine is None or mine.value is None or len(known) < 2:
        return
    share = mine.value / statistics.median(known)
    if not bounds[0] <= share <= bounds[1]:
        low, high = bounds
        out = because(Code.RECOVERY_OUT_OF_BOUNDS, share=share, low=low, high=high)
        yield batch.policy.spike_out_of_bounds, out


def _crosstalk(sample: Sample, batch: Batch) -> Iterator[Judged]:
    control = sample.role is not SampleRole.SAMPLE
    policy = batch.policy
    for found in batch.crosstalk:
        ends = found.basis == "ends"
        numbers: dict[str, Value] = {
            "share": found.share,
            "budget": found.budget,
            "marker": because(Code.OTHER_BARCODE) if ends else found.marker,
        }
        if found.over and found.sample == sample.name:
            consequence = policy.crosstalk_in_control if control else policy.crosstalk_over_budget
            yield consequence, because(Code.CROSSTALK_OVER_BUDGET, **numbers)
        elif found.over and sample.barcode and not control and found.sample in batch.control_names:
            over = because(Code.CROSSTALK_IN_CONTROL, control=found.sample, **numbers)
            yield policy.crosstalk_in_control, over


def _spiked(screen: SampleScreen) -> int:
    return sum(t.evidence.reads for t in screen.targets if t.role is ContigRole.SPIKE)
