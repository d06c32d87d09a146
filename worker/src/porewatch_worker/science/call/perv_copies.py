"""PERV copies per diploid genome: the depth of PERV over the depth of single-copy sequence.

depth(PERV) = bases of the provirus under reads / its length.
depth(host) = reads at single-copy loci (each by the share of its prefix inside) x mean length of
host reads / length of the loci; it corresponds to two copies. So

    copies per diploid genome = 2 x depth(PERV) / depth(host)

Without named loci the host's depth is that of the whole reference (host bases / its length), which
repeats and gaps of the reference make approximate; a remark says so. The reference holds PERV
copies, and PERV reads map to them: the whole host is a yardstick only where its other reads are
many (`LEAST_READS`, `LEAST_SHARE`).

Interval: ratio of two Poisson means (`intervals.ratio_interval`), with effective counts. A sum of
n reads of unequal size b has the relative variance sum(b^2) / sum(b)^2 of a compound Poisson
variable, that is of n' = sum(b)^2 / sum(b^2) equal reads. Where the loci's tiles vary by more than
Poisson (variance over mean phi > 1), both counts are divided by phi (quasi-Poisson, Wedderburn
1974, Biometrika 61).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from porewatch.domain.calls.evidence import SampleScreen
from porewatch.domain.calls.findings import Quantity
from porewatch.domain.calls.perv import PervScreen
from porewatch.domain.reasons.reason import Code, because
from porewatch_worker.science.amounts.uncertainty import FEWEST
from porewatch_worker.science.intervals import ratio_interval

UNIT = "copies per diploid genome"
LEAST_READS = 30
"""Host reads, those without PERV in them, that the depth of the whole host rests on at least: the
relative error of fewer is above 18 %."""
LEAST_SHARE = 0.1
"""Such reads for each PERV read. A pig's DNA has more than a thousand; where there are fewer than
this, the molecules of a genome are not what was sequenced (10 in 600 were stray reads of PERV)."""


@dataclass(frozen=True)
class Depth:
    """Mean depth, and how many equal reads would be as certain."""

    value: float
    effective: float


@dataclass(frozen=True)
class HostDepth:
    """What a diploid genome is measured by. `why_whole`: why not by single-copy loci, if not."""

    depth: Depth
    dispersion: float
    why_whole: Code | None = None


def host_depth(
    screen: SampleScreen, counted: PervScreen, locus_length: int, host_length: int
) -> HostDepth | None:
    """None without host reads, or with too few of them to be a yardstick."""
    reads = screen.account.host
    if not reads or not host_length:
        return None
    phi = max(1.0, counted.locus_dispersion or 1.0)
    if locus_length and counted.locus_reads >= FEWEST:
        mean = screen.host_bases / reads
        effective = counted.locus_weight**2 / counted.locus_squares
        depth = Depth(counted.locus_weight * mean / locus_length, effective)
        return HostDepth(depth, phi)
    own = reads - counted.host_alike
    if own < max(LEAST_READS, LEAST_SHARE * counted.reads):
        return None
    why = Code.WHOLE_HOST_FEW_AT_LOCI if locus_length else Code.WHOLE_HOST_NO_LOCUS
    return HostDepth(Depth(screen.host_bases / host_length, reads), 1.0, why)


def copies(bases: float, squares: float, reads: int, length: int, host: HostDepth) -> Quantity:
    """Copies of what is `length` bases long, from `bases` of it under `reads` reads."""
    effective = bases**2 / squares if squares else 0.0
    value = 2 * bases / length / host.depth.value
    phi = host.dispersion
    low, high = _interval(effective / phi, host.depth.effective / phi, value)
    few = reads < FEWEST
    how = Code.DEPTH_TO_WHOLE_HOST if host.why_whole else Code.DEPTH_TO_LOCI
    remark = because(Code.UPPER_ONLY) if few else because(Code.OVERDISPERSION, phi=phi)
    return Quantity(
        value=None if few else value,
        low=None if few else low,
        high=high,
        unit=UNIT,
        how=(because(how),),
        remarks=(remark, because(host.why_whole)) if host.why_whole else (remark,),
    )


def _interval(above: float, below: float, value: float) -> tuple[float | None, float | None]:
    if not above:
        return None, None
    low, high = ratio_interval(above, below)
    scale = value * below / above
    return low * scale, None if math.isinf(high) else high * scale
