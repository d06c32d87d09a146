"""Genome copies from the yield: the mass of nucleic acid times the target's share of it.

    copies/mL = C x 1e-9 g/ng x f x N_A / (L x M) [/ extraction efficiency]

C: ng of nucleic acid extracted from a mL of plasma (sample sheet). f: share of all sequenced bases
that are the target's; every strand is sequenced alike, so it is the share of mass, however long
other genomes are. L: genome length in nucleotides (of one strand). M: g/mol for each of them: 650
for dsDNA, 330 for ssDNA, 340 for ssRNA, 680 for dsRNA (the usual averages; the exact ones depend
on composition and differ by about 5 %). N_A = 6.02214076e23 / mol (SI Brochure, 9th edition, 2019).

f is between two shares: of the bases that passed the filters, and of all bases. Short cell-free DNA
has mass but never passes, reads of low quality may be of any source. The estimate takes the middle
(geometric), and the distance is a part of the uncertainty (rectangular, JCGM 100:2008, 4.3.7).

It holds where nothing was amplified or enriched, and where the measured nucleic acid is what was
sequenced. Without a stated efficiency the copies are those in the extract: losses are not
corrected, and a remark says so. It is independent of the spike-in but for the target's own reads.
"""

from __future__ import annotations

import math

from porewatch.domain.calls.evidence import SampleScreen, TargetResult
from porewatch.domain.calls.findings import Quantity
from porewatch.domain.calls.references import ContigRole
from porewatch.domain.reasons.reason import Code, because
from porewatch.domain.runs import Sample
from porewatch.domain.stage.screening_parameters import ScreeningParameters
from porewatch_worker.science.amounts.efficiency import (
    efficiency,
    found_share,
)
from porewatch_worker.science.amounts.uncertainty import (
    FEWEST,
    effective_reads,
    rectangular,
    widened,
)
from porewatch_worker.science.intervals import poisson_interval

AVOGADRO = 6.02214076e23
GRAMS_A_MOL = {"dsDNA": 650.0, "ssDNA": 330.0, "dsRNA": 680.0, "ssRNA": 340.0}


def strand_kind(genome: str, material: str) -> str | None:
    """The key of `GRAMS_A_MOL` for a genome type of the panel file, None where the sample's
    material does not hold genomes of that type (transcripts are no genomes).

    >>> strand_kind("linear dsDNA ~190 kb", "dna"), strand_kind("linear dsDNA ~190 kb", "rna")
    ('dsDNA', None)
    """
    acid = material.upper()
    if "provirus" in genome:
        return "dsDNA" if acid == "DNA" else "ssRNA"
    if not genome:
        return "dsDNA" if acid == "DNA" else None
    return next((kind for kind in GRAMS_A_MOL if kind in genome and kind.endswith(acid)), None)


def copies_a_ng(length: int, kind: str) -> float:
    """Genomes of `length` nucleotides in one nanogram of themselves.

    >>> round(copies_a_ng(1770, 'dsDNA') / 1e6)
    523
    """
    return 1e-9 * AVOGADRO / (length * GRAMS_A_MOL[kind])


def sequenced_bases(screen: SampleScreen, sample: Sample) -> tuple[float, float]:
    """Bases of the measured mass: (those that passed, all). A spike-in that was added after
    extraction (efficiency stated) is not part of it."""
    spike = sum(t.evidence.aligned_bases for t in screen.targets if t.role is ContigRole.SPIKE)
    away = spike if sample.extraction_efficiency else 0
    q = screen.quality
    passed = max(0.0, q.passed_bases - away)
    return passed, max(passed, float(q.bases - away))


def mass_cvs(
    screen: SampleScreen, sample: Sample, parameters: ScreeningParameters
) -> dict[str, float]:
    """Relative standard uncertainties of the factors, by source."""
    passed, there = sequenced_bases(screen, sample)
    cvs = {"nucleic_acid": sample.nucleic_acid_cv or parameters.nucleic_acid_cv}
    if there > passed > 0:
        cvs["filters"] = round(rectangular(passed, there), 4)
    if sample.extraction_efficiency:
        cvs["extraction"] = sample.extraction_cv or parameters.extraction_cv
    return cvs


def load_a_base(screen: SampleScreen, sample: Sample, length: int, genome: str) -> float | None:
    """Copies/mL per aligned base of a target; None where it cannot be computed."""
    kind = strand_kind(genome, sample.material)
    passed, there = sequenced_bases(screen, sample)
    if not sample.nucleic_acid_ng_per_ml or kind is None or not passed or not length:
        return None
    share = 1.0 / math.sqrt(passed * there)
    copies = sample.nucleic_acid_ng_per_ml * copies_a_ng(length, kind) * share
    return copies / (sample.extraction_efficiency or 1.0)


def from_yield(
    result: TargetResult,
    screen: SampleScreen,
    sample: Sample,
    genome: str,
    parameters: ScreeningParameters,
) -> Quantity | None:
    """Genome copies in a mL of plasma by mass; None without the mass or without a genome type."""
    each = load_a_base(screen, sample, result.genome_length, genome)
    e = result.evidence
    effective = effective_reads(e, result.genome_length)
    if each is None or not effective:
        return None
    seen = efficiency(screen, e)
    cvs = {**seen.cvs, **mass_cvs(screen, sample, parameters)}
    cvs.pop("too_short", None)  # `filters` covers it
    value = each * e.aligned_bases / round(found_share(e), 4)
    low, high = poisson_interval(effective)
    low, high = widened(value, value * low / effective, value * high / effective, cvs.values())
    few = e.reads < FEWEST
    extracted = sample.extraction_efficiency
    corrected = Code.COUNTING_MASS_EXTRACTION if extracted else Code.COUNTING_MASS
    return Quantity(
        value=None if few else value,
        low=None if few else low,
        high=high,
        unit="copies/mL",
        how=(because(Code.SHARE_OF_MASS, ng_per_ml=sample.nucleic_acid_ng_per_ml or 0.0),),
        remarks=(because(Code.UPPER_ONLY if few else corrected),),
        basis="yield",
        efficiency=round(found_share(e), 4),
        parts={} if few else {"counting": round(effective**-0.5, 4), **cvs},
    )
