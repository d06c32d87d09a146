"""Exact intervals for counts and proportions, by scipy's incomplete gamma and beta functions."""

from __future__ import annotations

import math
from functools import lru_cache

from scipy import special

LEVEL = 0.95
Z = 1.959964
"""Normal quantile of a central interval of that level."""


@lru_cache(maxsize=1000)
def poisson_interval(count: float, level: float = LEVEL) -> tuple[float, float]:
    """Exact central interval of a Poisson mean after `count` events (Garwood 1936, Biometrika 28).

    low = gamma quantile of (1-level)/2 with shape count (0 for none seen); high = quantile of
    (1+level)/2 with shape count + 1.

    >>> [round(x, 2) for x in poisson_interval(3)]
    [0.62, 8.77]
    """
    tail = (1.0 - level) / 2.0
    low = gamma_quantile(tail, count) if count else 0.0
    return low, gamma_quantile(1.0 - tail, count + 1)


def ratio_interval(above: float, below: float, level: float = LEVEL) -> tuple[float, float]:
    """Exact central interval of the ratio of two Poisson means, from one count of each (effective
    counts need not be whole).

    Given their sum, `above` is binomial with p = ratio / (1 + ratio) (Przyborowski & Wilenski 1940,
    Biometrika 31), so the Clopper-Pearson limits of p give those of the ratio. `high` is infinite
    when `below` is 0.

    >>> [round(x, 2) for x in ratio_interval(10, 20)]
    [0.21, 1.12]
    """
    tail = (1.0 - level) / 2.0
    low = beta_quantile(tail, above, below + 1) if above else 0.0
    if not below:
        return low / (1.0 - low), math.inf
    high = beta_quantile(1.0 - tail, above + 1, below)
    return low / (1.0 - low), high / (1.0 - high)


def wilson_interval(hits: int, trials: int, z: float = Z) -> tuple[float, float]:
    """Score interval of a proportion (Wilson 1927, JASA 22); (0, 1) without trials.

    >>> [round(x, 3) for x in wilson_interval(9, 10)]
    [0.596, 0.982]
    """
    if not trials:
        return 0.0, 1.0
    share, spread = hits / trials, z * z / trials
    middle = share + spread / 2
    width = z * math.sqrt(share * (1 - share) / trials + spread / (4 * trials))
    low, high = (middle - width) / (1 + spread), (middle + width) / (1 + spread)
    return max(0.0, low), min(1.0, high)


def gamma_quantile(probability: float, shape: float) -> float:
    """x with P(shape, x) = probability, P the regularised incomplete gamma function."""
    return float(special.gammaincinv(shape, probability))


def beta_quantile(probability: float, a: float, b: float) -> float:
    """x with I_x(a, b) = probability, I the regularised incomplete beta function."""
    return float(special.betaincinv(a, b, probability))


def gamma_cdf(a: float, x: float) -> float:
    """P(a, x): the chance that a Poisson variable of mean x is at least a (for whole a)."""
    return float(special.gammainc(a, x)) if x > 0 else 0.0
