"""What this run could have seen: LOD95 of a target that was not found.

The smallest amount that would have given at least k reads (k = the reads a detection needs) with
a chance of 95 %. Reads of a target are Poisson with mean m, so m95 solves P(k, m95) = 0.95 (m95 =
6.30 for k = 3; the reasoning is Currie's, 1968, Anal Chem 40:586). A sequenced genome of length L
gives L / l reads, l the mean length of reads that passed (one read when L < l); a share s of them
is found by mapping (0.87, measured on simulated reads with R9 errors, some of diverged strains). So

    genomes that must be sequenced = m95 x min(l, L) / (L x s)

and the spike-in (or the host) says how many copies that stands for:
copies = genomes x spike copies / sequenced spike genomes [/ plasma mL]. Yield and host share need
no term of their own: both are in the sequenced spike genomes.
"""

from __future__ import annotations

from porewatch.domain.findings import Quantity, SampleScreen
from porewatch.domain.phases import ScreeningParameters
from porewatch.domain.runs import Sample
from porewatch_worker.science.intervals import gamma_quantile, poisson_interval
from porewatch_worker.science.quantity import counted, spike_of

FOUND_BY_MAPPING = 0.87
CHANCE = 0.95
NO_YARDSTICK = "no spike-in and no host reads: the amount of sample behind a read is unknown"
TOO_FEW = "above a million: with so few reads nothing could have been detected reliably"
_METHOD = "95 % chance of at least {k} reads"


def lod95(
    genome_length: int,
    screen: SampleScreen,
    sample: Sample,
    host_length: int,
    parameters: ScreeningParameters,
) -> Quantity | None:
    """LOD95 by spike-in, else against the host, else as a share of reads. None without reads.

    The interval is that of the yardstick's own count (spike or host reads).
    """
    passed = screen.quality.passed_reads
    if not passed or not genome_length:
        return None
    needed = gamma_quantile(CHANCE, parameters.detected_min_reads) / FOUND_BY_MAPPING
    mean = screen.quality.passed_bases / passed
    genomes = needed * min(mean, genome_length) / genome_length
    method = _METHOD.format(k=parameters.detected_min_reads)
    spike = spike_of(screen)
    if spike is not None and sample.spike_copies:
        there = counted(spike)
        scale = sample.spike_copies / (sample.extraction_efficiency or 1.0)
        scale /= sample.volume_ml or 1.0
        unit = "copies/mL" if sample.volume_ml else "copies in the sample"
        return _scaled(
            genomes * scale, there.genomes, there.reads, unit, f"{method}, by {spike.target}"
        )
    if screen.account.host and host_length:
        return _scaled(
            genomes,
            screen.host_bases / host_length,
            screen.account.host,
            "copies per haploid host genome",
            f"{method}, against the host",
        )
    share = needed / passed * 1e6
    return Quantity(
        value=share,
        low=None,
        high=None,
        unit="reads per million",
        method=method,
        remark=NO_YARDSTICK if share <= 1e6 else TOO_FEW,
    )


def _scaled(amount: float, genomes: float, reads: int, unit: str, method: str) -> Quantity:
    """`amount` per sequenced genome of the yardstick, whose reads carry the interval."""
    low, high = poisson_interval(reads)
    value = amount / genomes
    return Quantity(
        value=value,
        low=value * reads / high,
        high=value * reads / low if low else None,
        unit=unit,
        method=method,
    )
