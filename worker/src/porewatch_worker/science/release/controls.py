"""What controls mean for every sample they govern: those of their batch, or of the whole run.

Order: the policy file, then for one sample what refuses it and what is only remarked: controls
that are missing, a positive control that failed, contamination, spike-in recovery, crosstalk in
the sample and in the controls. Crosstalk knows no batches: barcodes leak where all are pooled.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from porewatch.domain.calls.evidence import SampleScreen
from porewatch.domain.calls.findings import Call, Crosstalk, Finding, Quantity
from porewatch.domain.calls.references import ContigRole
from porewatch.domain.calls.release_policy import (
    Consequence,
    ReleasePolicies,
    ReleasePolicy,
)
from porewatch.domain.runs import Sample, SampleRole

Judged = tuple[Consequence, str]
LACKING = {
    SampleRole.NO_TEMPLATE_CONTROL: (
        "no no-template control in this run",
        "no no-template control for batch {}",
        "no no-template control for samples without a batch",
    ),
    SampleRole.POSITIVE_CONTROL: (
        "no positive control in this run",
        "no positive control for batch {}",
        "no positive control for samples without a batch",
    ),
}
"""What is said of a missing control: none in the run; none for a batch; none without one."""


@cache
def release_policies() -> ReleasePolicies:
    """The policies as published with this version."""
    path = files("porewatch_worker").joinpath("data/release.json")
    return ReleasePolicies.model_validate_json(path.read_bytes(), extra="forbid")


@dataclass(frozen=True)
class Batch:
    """All that controls say."""

    samples: Sequence[Sample]
    screens: Mapping[str, SampleScreen]
    findings: Sequence[Finding]
    recoveries: Mapping[str, Quantity]
    crosstalk: Sequence[Crosstalk]
    policy: ReleasePolicy
    least_spike_reads: int
    hosted: bool = True

    def controls_of(self, sample: Sample, role: SampleRole) -> list[Sample]:
        """The controls of that role that speak for the sample."""
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
    """Everything the policy says about one sample; about a control, only its crosstalk."""
    yield from _unstated(sample, batch)
    if sample.role is SampleRole.SAMPLE:
        yield from _missing(sample, batch)
        yield from _implausible(sample, batch)
        yield from _positive_failed(sample, batch)
        yield from _contaminated(sample, batch)
        yield from _recovery(sample, batch)
    yield from _crosstalk(sample, batch)


def positive_faults(control: Sample, batch: Batch) -> Iterator[str]:
    """Why a positive control failed; nothing when it shows what it must."""
    detected = set(batch.detected(control.name))
    seen = detected | set(batch.endogenous(control.name))
    expected = control.expected_codes or batch.policy.expected_codes
    missed = [code for code in expected if code not in seen]
    if missed:
        yield f"the positive control does not show {', '.join(missed)}"
    elif not detected and not _spiked(batch.screens[control.name]):
        yield "the positive control shows neither a panel member nor a spike-in"


def _missing(sample: Sample, batch: Batch) -> Iterator[Judged]:
    policy = batch.policy
    if lacks := _lacks(SampleRole.NO_TEMPLATE_CONTROL, sample, batch):
        yield policy.missing_no_template_control, f"{lacks}: contamination cannot be excluded"
    if lacks := _lacks(SampleRole.POSITIVE_CONTROL, sample, batch):
        yield policy.missing_positive_control, f"{lacks}: detection is not shown"
    if not sample.spike_copies:
        yield (
            policy.missing_spike_in,
            "no spike-in stated: no absolute copies, and sensitivity rests on yield alone",
        )


def _lacks(role: SampleRole, sample: Sample, batch: Batch) -> str:
    """That a control of that role is missing; nothing when one speaks for the sample."""
    if batch.controls_of(sample, role):
        return ""
    in_the_run, in_the_batch, without_a_batch = LACKING[role]
    if not batch.has(role):
        return in_the_run
    return in_the_batch.format(sample.batch) if sample.batch else without_a_batch


def _unstated(sample: Sample, batch: Batch) -> Iterator[Judged]:
    """A positive control that need not show anything shows nothing. Said of it and of what it
    speaks for; where another control states a code, detection is shown."""
    speaking = batch.controls_of(sample, SampleRole.POSITIVE_CONTROL)
    mine = [sample] if sample.role is SampleRole.POSITIVE_CONTROL else []
    controls = mine or (speaking if sample.role is SampleRole.SAMPLE else [])
    stated = [c for c in controls if c.expected_codes or batch.policy.expected_codes]
    if controls and not stated:
        yield (
            batch.policy.positive_unstated,
            f"{called(controls[0])} states no expected code: detection is not shown",
        )


def _implausible(sample: Sample, batch: Batch) -> Iterator[Judged]:
    """What a sample of the host hardly looks like: another sample, or another material."""
    account, policy = batch.screens[sample.name].account, batch.policy
    passed = account.passed
    if passed < policy.plausible_from_reads:
        return
    host, nothing = account.host / passed, account.unassigned / passed
    if batch.hosted and host < policy.least_host_share:
        yield (
            Consequence.REMARK,
            f"{host:.2%} of {passed} reads are of the host, at least "
            f"{policy.least_host_share:.2%} expected: check the sample's identity",
        )
    if nothing > policy.most_unassigned_share:
        yield (
            Consequence.REMARK,
            f"{nothing:.1%} of {passed} reads fit nothing in the bundle, at most "
            f"{policy.most_unassigned_share:.1%} expected: check sample, library and bundle",
        )


def _positive_failed(sample: Sample, batch: Batch) -> Iterator[Judged]:
    for control in batch.controls_of(sample, SampleRole.POSITIVE_CONTROL):
        for fault in positive_faults(control, batch):
            yield batch.policy.positive_failed, f"{called(control)} failed: {fault}"


def called(control: Sample) -> str:
    """The control by its name, and its batch."""
    of = f" of batch {control.batch}" if control.batch else ""
    return f"control {control.name}{of}"


def _contaminated(sample: Sample, batch: Batch) -> Iterator[Judged]:
    there = {
        f.code
        for f in batch.findings
        if f.sample == sample.name and f.call in (Call.DETECTED, Call.INDETERMINATE)
    }
    for control in batch.controls_of(sample, SampleRole.NO_TEMPLATE_CONTROL):
        both = [code for code in batch.detected(control.name) if code in there]
        if both:
            told = f"{called(control)} holds {', '.join(both)} as well: contamination"
            yield batch.policy.contaminated, told


def _recovery(sample: Sample, batch: Batch) -> Iterator[Judged]:
    bounds = batch.policy.spike_recovery
    known = [q.value for q in batch.recoveries.values() if q.value]
    mine = batch.recoveries.get(sample.name)
    if bounds is None or mine is None or mine.value is None or len(known) < 2:
        return
    share = mine.value / statistics.median(known)
    if not bounds[0] <= share <= bounds[1]:
        yield (
            batch.policy.spike_out_of_bounds,
            f"spike-in recovery is {share:.2g} times the run's median "
            f"({bounds[0]:g} to {bounds[1]:g} allowed)",
        )


def _crosstalk(sample: Sample, batch: Batch) -> Iterator[Judged]:
    control = sample.role is not SampleRole.SAMPLE
    policy = batch.policy
    for found in batch.crosstalk:
        told = f"{found.share:.3%} by {found.marker}, {found.budget:.3%} allowed"
        if found.over and found.sample == sample.name:
            consequence = policy.crosstalk_in_control if control else policy.crosstalk_over_budget
            yield consequence, f"crosstalk over budget: {told}"
        elif found.over and sample.barcode and not control and found.sample in batch.control_names:
            yield (
                policy.crosstalk_in_control,
                f"crosstalk over budget in control {found.sample}: {told}",
            )


def _spiked(screen: SampleScreen) -> int:
    return sum(t.evidence.reads for t in screen.targets if t.role is ContigRole.SPIKE)
