"""From reads to genome copies, with intervals that carry counting, spike-in and extraction.

Genomes sequenced = aligned bases / genome length. (Reads / length is the same up to a factor that
target and spike share, but overcounts genomes shorter than a read, which come in one piece.)

1. from spike-in: copies = (A_t / L_t) / (A_s / L_s) x spike copies [/ plasma mL], A aligned bases,
   L genome lengths (bases), t target, s spike.
2. from yield (`quantity_by_yield.py`), which needs no spike-in: nucleic acid of a mL x share of
   bases.
3. against the host: the same ratio with the host's depth in place of the spike's: copies per
   haploid host genome. It needs no spike-in and no volume.
4. genomes sequenced: the yield itself.

Intervals: exact for the ratio of two Poisson means (`intervals.ratio_interval`) at effective counts
(`uncertainty.effective_reads`), widened by the relative standard uncertainties of the factors
(`uncertainty.widened`). Below 3 reads only an upper bound is given. Where the intervals of the
loads by spike-in and by yield do not overlap, both get a remark (`quantity_agreement.py`).
"""

from __future__ import annotations

from dataclasses import dataclass

from porewatch.domain.calls.evidence import SampleScreen, TargetResult
from porewatch.domain.calls.findings import Quantity
from porewatch.domain.reasons.reason import Code, Reason, because
from porewatch.domain.runs import Sample
from porewatch.domain.stage.screening_parameters import ScreeningParameters
from porewatch_worker.science.amounts.efficiency import (
    efficiency,
    unknowable,
)
from porewatch_worker.science.amounts.quantity_agreement import compared
from porewatch_worker.science.amounts.quantity_by_yield import from_yield
from porewatch_worker.science.amounts.spike import spike_of
from porewatch_worker.science.amounts.uncertainty import (
    FEWEST,
    effective_reads,
    size_factor,
    widened,
)
from porewatch_worker.science.intervals import poisson_interval, ratio_interval


@dataclass(frozen=True)
class Counted:
    """Reads and sequenced genomes (aligned bases / length) of a target, the spike-in or the host.
    `effective`: the number of equal, independent reads that they amount to."""

    reads: int
    genomes: float
    effective: float


def counted(result: TargetResult) -> Counted:
    e = result.evidence
    effective = effective_reads(e, result.genome_length)
    return Counted(e.reads, e.aligned_bases / result.genome_length, effective)


def counted_host(screen: SampleScreen, host_length: int) -> Counted:
    """The host's reads; their sizes vary as those of all reads do."""
    reads = screen.account.host
    equal = reads / size_factor(screen.quality.lengths)
    return Counted(reads, screen.host_bases / host_length, equal)


def quantities(
    result: TargetResult,
    screen: SampleScreen,
    sample: Sample,
    host_length: int,
    *,
    genome: str = "",
    p: ScreeningParameters | None = None,
) -> tuple[Quantity, ...]:
    """All quantities of a target, absolute values first: by spike-in, by yield, against the host,
    genomes sequenced. `genome`: its type, as in the panel file."""
    p = p or ScreeningParameters()
    measured = efficiency(screen, result.evidence)
    spiked = from_spike(result, screen, sample, p)
    mass = from_yield(result, screen, sample, genome, p)
    if not measured.known:
        host = against_host(result, screen, host_length)
        bounds = tuple(unknowable(q, measured) for q in (spiked, mass, host) if q is not None)
        return (*bounds, sequenced(result))
    if spiked and mass:
        spiked, mass = compared(spiked, mass, sample, p)
    found = (spiked, mass, against_host(result, screen, host_length), sequenced(result))
    return tuple(q for q in found if q is not None)


def bench_cvs(sample: Sample, parameters: ScreeningParameters) -> dict[str, float]:
    """What pipetting and extraction add to a load by spike-in: the sheet's values, else defaults.

    Extraction counts also where the spike-in went through it: the two need not be lost alike.
    """
    return {
        "spike_in": sample.spike_cv or parameters.spike_cv,
        "extraction": sample.extraction_cv or parameters.extraction_cv,
    }


def copies_of_spike(sample: Sample) -> float:
    """Value of one unit of the ratio target / spike: copies/mL, or copies in the sample.

    A stated extraction efficiency means that the spike-in was added after extraction: the copies
    are divided by it.
    """
    copies = (sample.spike_copies or 0.0) / (sample.extraction_efficiency or 1.0)
    return copies / (sample.volume_ml or 1.0)


def load_unit(sample: Sample) -> str:
    return "copies/mL" if sample.volume_ml else "copies in the sample"


def from_spike(
    result: TargetResult, screen: SampleScreen, sample: Sample, parameters: ScreeningParameters
) -> Quantity | None:
    """Genome copies by spike-in: a mL of plasma when the volume is stated, else in the sample.

    None without stated copies or without spike reads.
    """
    spike = spike_of(screen)
    if spike is None or not sample.spike_copies:
        return None
    extracted = sample.extraction_efficiency
    seen = efficiency(screen, result.evidence)
    return _ratio(
        counted(result),
        counted(spike),
        copies_of_spike(sample) / round(seen.share, 4),
        {**bench_cvs(sample, parameters), **seen.cvs},
        Quantity(
            value=None, low=None, high=None, unit=load_unit(sample), basis="spike",
            how=(_to_spike(spike.target, sample.spike_copies, extracted),),
            remarks=(because(Code.COUNTING_SPIKE_EXTRACTION),), efficiency=round(seen.share, 4),
        ),
    )  # fmt: skip


def _to_spike(spike: str, copies: float, extracted: float | None) -> Reason:
    if extracted:
        return because(
            Code.DEPTH_TO_SPIKE_EXTRACTED, spike=spike, copies=copies, efficiency=extracted
        )
    return because(Code.DEPTH_TO_SPIKE, spike=spike, copies=copies)


def against_host(result: TargetResult, screen: SampleScreen, host_length: int) -> Quantity | None:
    """Copies per haploid host genome; None without host reads or host length."""
    if not screen.account.host or not host_length:
        return None
    measured = efficiency(screen, result.evidence)
    template = Quantity(
        value=None, low=None, high=None, unit="copies per haploid host genome", basis="host",
        how=(because(Code.DEPTH_TO_HOST),), remarks=(because(Code.COUNTING_ONLY),),
        efficiency=round(measured.share, 4),
    )  # fmt: skip
    host = counted_host(screen, host_length)
    return _ratio(counted(result), host, 1.0 / round(measured.share, 4), measured.cvs, template)


def sequenced(result: TargetResult) -> Quantity:
    """Genomes sequenced: the yield itself, not a concentration."""
    target = counted(result)
    low, high = poisson_interval(target.effective)
    each = target.genomes / target.effective if target.effective else 0.0
    few = target.reads < FEWEST
    return Quantity(
        value=None if few else target.genomes,
        low=None if few else low * each,
        high=high * each if target.reads else None,
        unit="genomes sequenced",
        how=(because(Code.BASES_OVER_LENGTH),),
        remarks=(because(Code.UPPER_ONLY if few else Code.NO_CONCENTRATION),),
        basis="sequenced",
    )


def spike_recovery(screen: SampleScreen, sample: Sample) -> Quantity | None:
    """Share of the added spike copies that was sequenced; None when no copies are stated."""
    if not sample.spike_copies:
        return None
    spike = spike_of(screen)
    there = counted(spike) if spike else Counted(0, 0.0, 0.0)
    low, high = poisson_interval(there.effective)
    each = there.genomes / there.effective / sample.spike_copies if there.effective else 0.0
    return Quantity(
        value=there.genomes / sample.spike_copies,
        low=low * each,
        high=high * each if there.reads else None,
        unit="genomes sequenced per copy added",
        how=(
            because(Code.SPIKE_SEEN, spike=spike.target) if spike else because(Code.SPIKE_UNSEEN),
        ),
    )


def _ratio(
    above: Counted, below: Counted, factor: float, cvs: dict[str, float], template: Quantity
) -> Quantity:
    """`template` with value and limits of above.genomes / below.genomes x factor; `cvs` are the
    relative standard uncertainties of the factors. Only `high` below 3 reads."""
    if not above.effective or not below.effective:
        return template.model_copy(update={"remarks": (because(Code.UPPER_ONLY),)})
    value = above.genomes / below.genomes * factor
    low, high = ratio_interval(above.effective, below.effective)
    scale = value * below.effective / above.effective
    low, high = widened(value, low * scale, high * scale, cvs.values())
    if above.reads < FEWEST:
        return template.model_copy(update={"high": high, "remarks": (because(Code.UPPER_ONLY),)})
    counting = (1 / above.effective + 1 / below.effective) ** 0.5
    parts = {"counting": round(counting, 4), **cvs}
    return template.model_copy(update={"value": value, "low": low, "high": high, "parts": parts})
