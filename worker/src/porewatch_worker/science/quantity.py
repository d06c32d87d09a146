"""From reads to genome copies, with intervals that carry the counting of target and spike-in.

Genomes sequenced = aligned bases / genome length. (Reads / length is the same up to a factor that
target and spike share, but overcounts genomes shorter than a read, which come in one piece.)

- from spike-in: copies = (A_t / L_t) / (A_s / L_s) x spike copies [/ plasma mL], A aligned bases,
  L genome lengths, t target, s spike. Interval: exact for the ratio of two Poisson counts of reads
  (`intervals.ratio_interval`), scaled to the estimate.
- against the host: the same ratio with the host's depth in place of the spike's: copies per haploid
  host genome. It needs no spike-in and no volume.
- below 3 reads only an upper bound is given: the upper limit, no value.

The intervals carry counting only. Reads of one amplicon or one molecule are not independent, and
pipetting of the spike-in adds its own error: real intervals are wider, and the remark says so.
"""

from __future__ import annotations

from dataclasses import dataclass

from porewatch.domain.findings import Quantity, SampleScreen, TargetResult
from porewatch.domain.references import ContigRole
from porewatch.domain.runs import Sample
from porewatch_worker.science.intervals import poisson_interval, ratio_interval

FEWEST = 3
UPPER_ONLY = "fewer than 3 reads: upper bound only"
COUNTING_ONLY = "interval: counting of reads only"


@dataclass(frozen=True)
class Counted:
    """Reads and sequenced genomes (aligned bases / length) of one thing."""

    reads: int
    genomes: float


def counted(result: TargetResult) -> Counted:
    return Counted(result.evidence.reads, result.evidence.aligned_bases / result.genome_length)


def spike_of(screen: SampleScreen) -> TargetResult | None:
    """The spike-in with most reads, None when none was seen."""
    spikes = [t for t in screen.targets if t.role is ContigRole.SPIKE and t.evidence.reads]
    return max(spikes, key=lambda t: t.evidence.reads, default=None)


def quantities(
    result: TargetResult, screen: SampleScreen, sample: Sample, host_length: int
) -> tuple[Quantity, ...]:
    """Everything that can be said of how much there is, absolute values first."""
    found = [from_spike(result, screen, sample), against_host(result, screen, host_length)]
    return (*(q for q in found if q is not None), sequenced(result))


def from_spike(result: TargetResult, screen: SampleScreen, sample: Sample) -> Quantity | None:
    """Genome copies by spike-in: a mL of plasma when the volume is stated, else in the sample.

    A stated extraction efficiency means that the spike-in was added after extraction: the copies
    are divided by it. None without stated copies or without spike reads.
    """
    spike = spike_of(screen)
    if spike is None or not sample.spike_copies:
        return None
    factor = sample.spike_copies / (sample.extraction_efficiency or 1.0)
    factor /= sample.volume_ml or 1.0
    value, low, high = _ratio(counted(result), counted(spike))
    efficiency = sample.extraction_efficiency
    corrected = f", extraction efficiency {efficiency:g}" if efficiency else ""
    return Quantity(
        value=None if value is None else value * factor,
        low=None if low is None else low * factor,
        high=None if high is None else high * factor,
        unit="copies/mL" if sample.volume_ml else "copies in the sample",
        method=f"depth ratio to spike-in {spike.target}, {sample.spike_copies:g} copies added"
        + corrected,
        remark=COUNTING_ONLY if value is not None else UPPER_ONLY,
    )


def against_host(result: TargetResult, screen: SampleScreen, host_length: int) -> Quantity | None:
    """Copies per haploid host genome; None without host reads or host length."""
    if not screen.account.host or not host_length:
        return None
    host = Counted(screen.account.host, screen.host_bases / host_length)
    value, low, high = _ratio(counted(result), host)
    return Quantity(
        value=value,
        low=low,
        high=high,
        unit="copies per haploid host genome",
        method="depth ratio to the host",
        remark=COUNTING_ONLY if value is not None else UPPER_ONLY,
    )


def sequenced(result: TargetResult) -> Quantity:
    """Genomes sequenced: the yield itself, not a concentration."""
    target = counted(result)
    low, high = poisson_interval(target.reads)
    each = target.genomes / target.reads if target.reads else 0.0
    few = target.reads < FEWEST
    return Quantity(
        value=None if few else target.genomes,
        low=None if few else low * each,
        high=high * each if target.reads else None,
        unit="genomes sequenced",
        method="aligned bases / genome length",
        remark=UPPER_ONLY if few else "not a concentration",
    )


def spike_recovery(screen: SampleScreen, sample: Sample) -> Quantity | None:
    """Share of the added spike copies that was sequenced; None when no copies are stated."""
    if not sample.spike_copies:
        return None
    spike = spike_of(screen)
    there = counted(spike) if spike else Counted(0, 0.0)
    low, high = poisson_interval(there.reads)
    each = there.genomes / there.reads / sample.spike_copies if there.reads else 0.0
    return Quantity(
        value=there.genomes / sample.spike_copies,
        low=low * each,
        high=high * each if there.reads else None,
        unit="genomes sequenced per copy added",
        method=f"spike-in {spike.target}" if spike else "no spike-in read was seen",
    )


def _ratio(above: Counted, below: Counted) -> tuple[float | None, float | None, float | None]:
    """(value, low, high) of above.genomes / below.genomes; only `high` below 3 reads."""
    low, high = ratio_interval(above.reads, below.reads)
    if not above.reads or not below.genomes:
        return None, None, None
    scale = (above.genomes / above.reads) / (below.genomes / below.reads)
    if above.reads < FEWEST:
        return None, None, high * scale
    return above.genomes / below.genomes, low * scale, high * scale
