"""How many reads of each barcode belong to another one, estimated two ways and held to a budget.

1. `ends`: reads in the sample's files whose own ends show another barcode, of all reads there whose
   ends show one. A no-template control has hardly a read of its own, so its strays are held against
   all reads of the run that show another barcode: those they may come from.
2. `marker`: reads of what can only have come from elsewhere. A spike-in found where none was added,
   against the same spike-in where it was; a positive control's code in a no-template control or
   where it is neither called nor a relative's (those reads are the sample's own), against the
   control's own reads.

Intervals are Wilson's (1927). Over budget means that the lower limit is above it: counts that a
budget explains are no accusation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from porewatch.domain.calls.evidence import (
    SampleScreen,
    ScreenResult,
)
from porewatch.domain.calls.findings import (
    Call,
    Crosstalk,
    Finding,
)
from porewatch.domain.calls.references import ContigRole
from porewatch.domain.reasons.reason import RELATIVES, Code, because
from porewatch.domain.runs import Sample, SampleRole
from porewatch_worker.science.intervals import wilson_interval

ENDS = because(Code.OTHER_BARCODE).text()
OWN = (Call.DETECTED, Call.ENDOGENOUS)
"""Calls that make reads the sample's own."""


def crosstalk(
    screen: ScreenResult,
    samples: Sequence[Sample],
    findings: Sequence[Finding],
    budget: float,
) -> tuple[Crosstalk, ...]:
    """All estimates that the run's data allow, in the order of the sheet. Needs barcodes."""
    screens = {s.sample: s for s in screen.samples}
    own = {(f.sample, f.code) for f in findings if f.call in OWN or f.has(*RELATIVES)}
    found: list[Crosstalk] = []
    for sample in samples:
        if sample.barcode is None:
            continue
        found += _by_ends(sample, screens, budget)
        found += _by_spike(sample, samples, screens, budget)
        found += _by_control(sample, samples, screens, own, budget)
    return tuple(found)


def _by_ends(
    sample: Sample, screens: dict[str, SampleScreen], budget: float
) -> Iterator[Crosstalk]:
    seen = screens[sample.name].account.barcodes_told
    stray, total = _foreign(seen, sample), sum(seen.values())
    if sample.role is SampleRole.NO_TEMPLATE_CONTROL:
        total = sum(_foreign(s.account.barcodes_told, sample) for s in screens.values())
    if total:
        yield _estimate(sample.name, None, stray, total, budget)


def _foreign(seen: Mapping[str, int], sample: Sample) -> int:
    return sum(reads for barcode, reads in seen.items() if barcode != sample.barcode)


def _by_spike(
    sample: Sample, samples: Sequence[Sample], screens: dict[str, SampleScreen], budget: float
) -> Iterator[Crosstalk]:
    if sample.spike_copies:
        return
    others = [s for s in samples if s.spike_copies]
    for target, stray in _reads(screens[sample.name], ContigRole.SPIKE).items():
        there = sum(_reads(screens[s.name], ContigRole.SPIKE).get(target, 0) for s in others)
        if there:
            yield _estimate(sample.name, target, stray, stray + there, budget)


def _by_control(
    sample: Sample,
    samples: Sequence[Sample],
    screens: dict[str, SampleScreen],
    own: set[tuple[str, str]],
    budget: float,
) -> Iterator[Crosstalk]:
    if sample.role is SampleRole.POSITIVE_CONTROL:
        return
    mine = _reads(screens[sample.name], ContigRole.PANEL)
    blank = sample.role is SampleRole.NO_TEMPLATE_CONTROL
    controls = [s for s in samples if s.role is SampleRole.POSITIVE_CONTROL]
    for code in dict.fromkeys(c for s in controls for c in s.expected_codes):
        there = sum(_reads(screens[s.name], ContigRole.PANEL).get(code, 0) for s in controls)
        if there and (blank or (sample.name, code) not in own):
            stray = mine.get(code, 0)
            yield _estimate(sample.name, code, stray, stray + there, budget)


def _reads(screen: SampleScreen, role: ContigRole) -> dict[str, int]:
    return {t.target: t.evidence.reads for t in screen.targets if t.role is role}


def _estimate(sample: str, marker: str | None, stray: int, total: int, budget: float) -> Crosstalk:
    """`marker`: None for what the ends of the reads show."""
    low, high = wilson_interval(stray, total)
    return Crosstalk(
        sample=sample,
        basis="marker" if marker else "ends",
        marker=marker or ENDS,
        stray_reads=stray,
        reads=total,
        share=stray / total,
        low=low,
        high=high,
        budget=budget,
        over=low > budget,
    )
