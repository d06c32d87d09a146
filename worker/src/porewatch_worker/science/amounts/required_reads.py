"""How many reads a call needs in this run, and how many are needed on average to have them.

The rule itself is in `calls`; here it is turned round. A test holds the two together by simulation.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from porewatch.domain.stage.screening_parameters import ScreeningParameters
from porewatch_worker.science.intervals import gamma_cdf

SURE = 25
"""From so many reads on they are spread over any genome as chance spreads them."""
DRAWS = 2000


def required_reads(
    elsewhere: int, controls: Sequence[float], parameters: ScreeningParameters
) -> int:
    """The fewest reads that can be called.

    `elsewhere`: reads of the target in all other samples: crossover from them (share
    `crossover`) must be less likely than `crossover_chance`. `controls`: its reads in each
    no-template control, at equal numbers of reads: to be exceeded `control_factor` times.
    """
    p = parameters
    least = p.detected_min_reads
    for reads in controls:
        if reads > 0:
            least = max(least, math.floor(p.control_factor * reads) + 1)
    if not elsewhere:
        return least
    stray = p.crossover * elsewhere
    top = least + int(stray + 10 * math.sqrt(stray)) + 50
    return bisect_left(
        range(top), True, lo=least, key=lambda k: gamma_cdf(k, stray) < p.crossover_chance
    )


@dataclass(frozen=True)
class Reading:
    """Read length relative to a genome. `fill`: read length / genome length; `whole`: share of
    reads as long as the genome. Rounded to two decimals."""

    fill: float
    whole: float = 0.0

    def rounded(self) -> Reading:
        return Reading(round(min(1.0, self.fill), 2), round(self.whole, 2))


def mean_needed(
    chance: float, reads: int, reading: Reading, parameters: ScreeningParameters
) -> float:
    """Mean number of reads at which at least `reads` come, and pass, with this chance."""
    rule = (parameters.min_spread, parameters.many_regions)
    return _mean_needed(chance, reads, reading.rounded(), rule)


@lru_cache(maxsize=10_000)
def _mean_needed(chance: float, reads: int, reading: Reading, rule: tuple[float, int]) -> float:
    low, high = 0.0, reads + 10.0 * math.sqrt(reads) + 50.0
    for _ in range(40):
        middle = (low + high) / 2.0
        if _called(middle, reads, reading, rule) < chance:
            low = middle
        else:
            high = middle
    return high


def _called(mean: float, reads: int, reading: Reading, rule: tuple[float, int]) -> float:
    """Chance of a call: all Poisson counts of `reads` and more, less those that fail the rule."""
    lost = 0.0
    for n in range(reads, SURE):
        chance = math.exp(n * math.log(mean) - mean - math.lgamma(n + 1))
        passed = spread_chance(n, reading.fill, *rule) * starts_chance(n, reading.whole)
        lost += chance * (1.0 - passed)
    return gamma_cdf(reads, mean) - lost


def starts_chance(reads: int, whole: float) -> float:
    """Chance that reads have two distinct starts or more (a start is a position and a strand; more
    than two are never required): not when all span the whole of a linear genome on one strand.

    >>> round(starts_chance(3, 0.0), 3)
    1.0
    """
    return 1.0 - 2.0 * (whole / 2.0) ** reads


@lru_cache(maxsize=20_000)
def spread_chance(reads: int, fill: float, min_spread: float, many_regions: int) -> float:
    """How often `reads` random reads, each `fill` of the genome long, pass the rule on breadth:
    at least `min_spread` of the expected 1 - exp(-reads x fill) (Lander & Waterman 1988, Genomics
    2:231), or `many_regions` stretches. By 2,000 draws from a fixed seed."""
    if fill <= 0.0 or fill >= 1.0:
        return 1.0
    dice = np.random.default_rng([reads, round(fill * 100)])
    starts = np.sort(dice.random((DRAWS, reads)) * (1.0 - fill), axis=1)
    gaps = np.diff(starts, axis=1)
    breadth = fill + np.minimum(gaps, fill).sum(axis=1)
    regions = 1 + (gaps > fill).sum(axis=1)
    enough = breadth >= min_spread * (1.0 - math.exp(-reads * fill))
    return float((enough | (regions >= many_regions)).mean())
