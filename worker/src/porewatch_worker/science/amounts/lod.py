"""Detection limit of this run: LOD95 of a target that was not found.

The smallest amount that would have been called with a chance of 95 %, by the calling rule itself:

1. Reads of a target are Poisson with mean m (the reasoning is Currie's, 1968, Anal Chem 40:586). A
   call needs k of them, k = `required_reads`: 3, or more where crossover from other samples or the
   no-template control would explain 3.
2. n reads of a genome that they fill to a good part may pile up by chance; `spread_chance` is how
   often they pass the rule on breadth; those as long as the genome may all start at one position
   (`starts_chance`). So m95 solves sum over n >= k of Poisson(n; m) spread(n) starts(n) = 0.95 (m95
   = 6.30 for k = 3 on a long genome).
3. A sequenced genome of length L gives L / l reads, l the mean of min(read length, L) over reads
   that passed; a share s of them is found by mapping (0.87, measured on simulated reads with R9
   errors, some of diverged strains). So genomes that must be sequenced = m95 x l / (L x s).
4. The spike-in, the mass of nucleic acid or the host convert that into copies: copies = genomes x
   spike copies / sequenced spike genomes [/ plasma mL]. Yield and host share need no term of their
   own: both are in the sequenced spike genomes.

The interval is that of the yardstick: its count, and the bench's uncertainties (`uncertainty`).
"""

from __future__ import annotations

import math

from porewatch.domain.calls.evidence import SampleScreen
from porewatch.domain.calls.findings import Quantity
from porewatch.domain.reasons.reason import Code, Reasons, because
from porewatch.domain.runs import Sample
from porewatch.domain.stage.screening_parameters import ScreeningParameters
from porewatch_worker.science.amounts.efficiency import efficiency, unknowable
from porewatch_worker.science.amounts.quantity import (
    Counted,
    bench_cvs,
    copies_of_spike,
    counted,
    counted_host,
    load_unit,
)
from porewatch_worker.science.amounts.quantity_by_yield import load_a_base, mass_cvs
from porewatch_worker.science.amounts.required_reads import Reading, mean_needed
from porewatch_worker.science.amounts.spike import spike_of
from porewatch_worker.science.amounts.uncertainty import mean_piece, share_as_long, widened
from porewatch_worker.science.intervals import poisson_interval

CHANCE = 0.95


def lod95(
    genome_length: int,
    screen: SampleScreen,
    sample: Sample,
    host_length: int,
    parameters: ScreeningParameters,
    *,
    genome: str = "",
    reads: int | None = None,
) -> Quantity | None:
    """LOD95 by spike-in, else by yield, else against the host, else as a share of reads.

    `reads`: how many a call needs (`required_reads`), `genome`: its type in the panel file. None
    without reads that passed.
    """
    passed = screen.quality.passed_reads
    if not passed or not genome_length:
        return None
    k = reads or parameters.detected_min_reads
    piece = piece_length(screen, genome_length, parameters)
    whole = share_as_long(screen.quality.lengths, parameters.min_read_length, genome_length)
    reading = Reading(piece / genome_length, whole)
    measured = efficiency(screen)
    needed = mean_needed(CHANCE, k, reading, parameters) / measured.share
    bases = needed * piece
    least = parameters.detected_min_reads
    raised: Reasons = (because(Code.MORE_READS_NEEDED, reads=least),) if k > least else ()
    template = Quantity(
        value=None, low=None, high=None, unit="", how=(because(Code.CHANCE_OF_READS, reads=k),),
        remarks=raised,
    )  # fmt: skip
    found = (
        _by_spike(template, bases / genome_length, screen, sample, parameters)
        or _by_yield(
            template, bases, screen, sample, parameters, length=genome_length, genome=genome
        )
        or _by_host(template, bases / genome_length, screen, host_length)
        or _by_share(template, needed / passed * 1e6)
    )
    return found if measured.known else unknowable(found.model_copy(update={"low": None}), measured)


def piece_length(
    screen: SampleScreen, genome_length: int, parameters: ScreeningParameters
) -> float:
    """Mean length, in bases, that reads of a genome of this length would have had."""
    q = screen.quality
    mean = q.passed_bases / q.passed_reads
    return mean_piece(q.lengths, parameters.min_read_length, genome_length, mean)


def _by_spike(
    template: Quantity,
    genomes: float,
    screen: SampleScreen,
    sample: Sample,
    parameters: ScreeningParameters,
) -> Quantity | None:
    spike = spike_of(screen)
    if spike is None or not sample.spike_copies:
        return None
    template = template.model_copy(
        update={
            "unit": load_unit(sample),
            "how": _by(template, Code.CHANCE_BY_SPIKE, spike=spike.target),
            "basis": "spike",
        }
    )
    cvs = bench_cvs(sample, parameters)
    return _scaled(template, genomes * copies_of_spike(sample), counted(spike), cvs)


def _by_yield(
    template: Quantity,
    bases: float,
    screen: SampleScreen,
    sample: Sample,
    parameters: ScreeningParameters,
    *,
    length: int,
    genome: str,
) -> Quantity | None:
    each = load_a_base(screen, sample, length, genome)
    if each is None:
        return None
    value, cvs = bases * each, mass_cvs(screen, sample, parameters)
    low, high = widened(value, value, value, cvs.values())
    more = {"value": value, "low": low, "high": high, "unit": "copies/mL", "basis": "yield"}
    return template.model_copy(
        update={**more, "parts": cvs, "how": _by(template, Code.CHANCE_BY_MASS)}
    )


def _by_host(
    template: Quantity, genomes: float, screen: SampleScreen, host_length: int
) -> Quantity | None:
    if not screen.account.host or not host_length:
        return None
    template = template.model_copy(
        update={
            "unit": "copies per haploid host genome",
            "how": _by(template, Code.CHANCE_BY_HOST),
            "basis": "host",
        }
    )
    return _scaled(template, genomes, counted_host(screen, host_length), {})


def _by_share(template: Quantity, share: float) -> Quantity:
    why = Code.NO_YARDSTICK if share <= 1e6 else Code.ABOVE_A_MILLION
    return template.model_copy(
        update={
            "value": share,
            "unit": "reads per million",
            "remarks": (because(why),),
            "basis": "",
        }
    )


def _by(template: Quantity, code: Code, **more: str) -> Reasons:
    """The reasons of the method, with the code of its yardstick."""
    return (because(code, **{**(template.how[0].values or {}), **more}),)


def _scaled(template: Quantity, amount: float, there: Counted, cvs: dict[str, float]) -> Quantity:
    """`amount` per sequenced genome of the yardstick, whose reads carry the interval."""
    low, high = poisson_interval(there.effective)
    value = amount / there.genomes
    top = value * there.effective / low if low else math.inf
    low, high = widened(value, value * there.effective / high, top, cvs.values())
    parts = {"counting": round(there.effective**-0.5, 4), **cvs}
    ends = {"low": low, "high": None if math.isinf(high) else high, "parts": parts}
    return template.model_copy(update={"value": value, **ends})
