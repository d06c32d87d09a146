"""What a run's controls mean for every sample they govern: a run is one batch.

Order: the policy file, then for one sample what refuses it and what is only remarked: controls
that are missing, a positive control that failed, contamination, spike-in recovery, crosstalk.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from porewatch.domain.findings import Call, Crosstalk, Finding, Quantity, SampleScreen
from porewatch.domain.references import ContigRole
from porewatch.domain.release import Consequence, ReleasePolicies, ReleasePolicy
from porewatch.domain.runs import Sample, SampleRole

Judged = tuple[Consequence, str]


@cache
def release_policies() -> ReleasePolicies:
    """The policies as published with this version."""
    path = files("porewatch_worker").joinpath("data/release.json")
    return ReleasePolicies.model_validate_json(path.read_bytes())


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

    def of_role(self, role: SampleRole) -> list[Sample]:
        return [s for s in self.samples if s.role is role]

    def detected(self, sample: str) -> list[str]:
        return [f.code for f in self.findings if f.sample == sample and f.call is Call.DETECTED]


def judged(sample: Sample, batch: Batch) -> Iterator[Judged]:
    """Everything the policy says about one sample (not a control)."""
    if sample.role is not SampleRole.SAMPLE:
        return
    yield from _missing(sample, batch)
    yield from _positive_failed(batch)
    yield from _contaminated(sample, batch)
    yield from _recovery(sample, batch)
    yield from _crosstalk(sample, batch)


def positive_faults(control: Sample, batch: Batch) -> Iterator[str]:
    """Why a positive control failed; nothing when it shows what it must."""
    detected = set(batch.detected(control.name))
    expected = control.expected_codes or batch.policy.expected_codes
    missed = [code for code in expected if code not in detected]
    if missed:
        yield f"the positive control does not show {', '.join(missed)}"
    elif not detected and not _spiked(batch.screens[control.name]):
        yield "the positive control shows neither a panel member nor a spike-in"


def _missing(sample: Sample, batch: Batch) -> Iterator[Judged]:
    policy = batch.policy
    if not batch.of_role(SampleRole.NO_TEMPLATE_CONTROL):
        yield (
            policy.missing_no_template_control,
            "no no-template control in this run: contamination cannot be excluded",
        )
    if not batch.of_role(SampleRole.POSITIVE_CONTROL):
        yield (
            policy.missing_positive_control,
            "no positive control in this run: detection is not shown",
        )
    if not sample.spike_copies:
        yield (
            policy.missing_spike_in,
            "no spike-in stated: no absolute copies, and sensitivity rests on yield alone",
        )


def _positive_failed(batch: Batch) -> Iterator[Judged]:
    for control in batch.of_role(SampleRole.POSITIVE_CONTROL):
        for fault in positive_faults(control, batch):
            yield batch.policy.positive_failed, f"control {control.name} failed: {fault}"


def _contaminated(sample: Sample, batch: Batch) -> Iterator[Judged]:
    there = {
        f.code
        for f in batch.findings
        if f.sample == sample.name and f.call in (Call.DETECTED, Call.INDETERMINATE)
    }
    for control in batch.of_role(SampleRole.NO_TEMPLATE_CONTROL):
        both = [code for code in batch.detected(control.name) if code in there]
        if both:
            told = f"control {control.name} holds {', '.join(both)} as well: contamination"
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
    for found in batch.crosstalk:
        if found.sample == sample.name and found.over:
            yield (
                batch.policy.crosstalk_over_budget,
                f"crosstalk over budget: {found.share:.3%} by {found.marker}, "
                f"{found.budget:.3%} allowed",
            )


def _spiked(screen: SampleScreen) -> int:
    return sum(t.evidence.reads for t in screen.targets if t.role is ContigRole.SPIKE)
