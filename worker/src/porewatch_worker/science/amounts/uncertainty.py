"""How sure an amount is: what counting leaves open, and what the bench adds to it.

1. Reads are not equally long, and copies of one molecule are not independent: both make `n` reads
   worth fewer, `effective` ones.
2. Counting gives exact limits for that many reads (`intervals`).
3. Pipetting, extraction and the like are relative standard uncertainties of factors, so they are
   normal on the log scale (JCGM 100:2008, 5.1.6: for products the relative variances add up).
4. `widened` puts both together without taking the limits of counting for symmetric: the method of
   variance estimates recovery (Zou & Donner 2008, Stat Med 27:1693), on the log scale.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from porewatch.domain.calls.evidence import Evidence, Histogram
from porewatch_worker.science.count.evidence import MOST_STARTS
from porewatch_worker.science.intervals import Z

FEWEST = 3
"""Below so many reads of a target its amount is only bounded from above."""


def log_sd(cv: float) -> float:
    """Standard deviation of ln X for a log-normal X with coefficient of variation `cv`.

    >>> round(log_sd(0.20), 4)
    0.198
    """
    return math.sqrt(math.log1p(cv * cv))


def rectangular(low: float, high: float) -> float:
    """Relative standard uncertainty of a factor known only to be in [low, high]: rectangular on the
    log scale, half width / sqrt(3) (JCGM 100:2008, 4.3.7)."""
    return math.log(high / low) / math.sqrt(12.0)


def widened(value: float, low: float, high: float, cvs: Iterable[float]) -> tuple[float, float]:
    """Limits of `value` when factors with the coefficients of variation `cvs` come on top.

    `low`, `high`: 95 % limits by counting alone, 0 <= low <= value <= high, value > 0. Without
    factors they come back as they are; where counting is certain the result is log-normal.
    """
    spread = Z * Z * sum(log_sd(cv) ** 2 for cv in cvs)
    below = math.log(value / low) if low > 0 else math.inf
    above = math.log(high / value) if math.isfinite(high) else math.inf
    return (
        value * math.exp(-math.hypot(below, math.sqrt(spread))),
        value * math.exp(math.hypot(above, math.sqrt(spread))),
    )


def effective_reads(evidence: Evidence, genome_length: int) -> float:
    """Equal, independent reads that are as certain as these (at most as many as there are).

    Unequal sizes: a sum of reads of b bases is a compound Poisson variable, of relative variance
    sum(b^2) / sum(b)^2, that of n' = sum(b)^2 / sum(b^2) equal reads (Fay & Feuer 1997, Stat Med
    16:791, for weighted sums). Copies: variance = phi x mean (negative binomial, NB1; quasi-Poisson
    of Wedderburn 1974, Biometrika 61:439), so both counts are divided by phi.
    """
    e = evidence
    if not e.reads or not e.aligned_bases:
        return 0.0
    equal = e.aligned_bases**2 / e.squared_bases if e.squared_bases else e.reads
    return min(e.reads, equal) / copies_of_one(e, genome_length)


def copies_of_one(evidence: Evidence, genome_length: int) -> float:
    """phi: reads a molecule, from starts that recur more often than chance makes them.

    m molecules at P = 2 x length places (start and strand) give P (1 - exp(-m/P)) distinct places
    (as Lander & Waterman 1988 count covered bases); m solves that for what was seen. 1 where reads
    are as long as half the genome (they all start at its ends) or starts were not all kept.
    """
    e = evidence
    places = 2.0 * genome_length
    if e.distinct_starts >= min(MOST_STARTS, places) or not e.distinct_starts:
        return 1.0
    if 2.0 * e.aligned_bases / e.reads >= genome_length:
        return 1.0
    molecules = -places * math.log1p(-e.distinct_starts / places)
    return max(1.0, e.reads / molecules)


def size_factor(lengths: Histogram) -> float:
    """1 + cv^2 of read lengths: by it the variance of bases exceeds that of equal reads. Lengths
    inside a bin count as its mean. 1 without bases by bin."""
    pairs = _mean_lengths(lengths)
    total = sum(n * mean for n, mean in pairs)
    if not total:
        return 1.0
    return sum(n for n, _ in pairs) * sum(n * mean * mean for n, mean in pairs) / total**2


def mean_piece(lengths: Histogram, least: int, genome_length: int, otherwise: float) -> float:
    """Mean of min(read length, genome length) over reads of at least `least` bases: the mean length
    of reads of so short a genome. `otherwise` (a mean length) where the histogram is empty."""
    long_enough = [(n, mean) for n, mean in _mean_lengths(lengths) if mean >= least]
    if not long_enough:
        return min(otherwise, genome_length)
    return sum(n * min(mean, genome_length) for n, mean in long_enough) / sum(
        n for n, _ in long_enough
    )


def share_as_long(lengths: Histogram, least: int, genome_length: int) -> float:
    """Share of reads of at least `least` bases that are as long as the genome: on a linear one
    they all start at an end. 0 where the histogram is empty."""
    long_enough = [(n, mean) for n, mean in _mean_lengths(lengths) if mean >= least]
    whole = sum(n for n, mean in long_enough if mean >= genome_length)
    return whole / sum(n for n, _ in long_enough) if long_enough else 0.0


def _mean_lengths(lengths: Histogram) -> list[tuple[int, float]]:
    """(reads, their mean length) of each bin that has any; nothing without bases by bin."""
    return [(n, b / n) for n, b in zip(lengths.counts, lengths.bases, strict=False) if n]
