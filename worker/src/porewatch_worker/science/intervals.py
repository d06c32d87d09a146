"""Exact intervals for counts, without scipy: incomplete gamma and beta functions, inverted.

The functions are the regularised incomplete gamma P(a, x) and beta I_x(a, b), by series and
continued fraction (Abramowitz & Stegun 1964, 6.5.29, 6.5.31, 26.5.8; modified Lentz evaluation,
Thompson & Barnett 1986), inverted by bisection: monotone, so it cannot fail, and fast enough.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

LEVEL = 0.95
Z = 1.959964
"""Normal quantile of a central interval of that level."""
_TINY = 1e-300
_EPSILON = 1e-14


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
    """x with P(shape, x) = probability."""
    top = shape + 10.0 * math.sqrt(shape) + 50.0
    return _bisect(lambda x: gamma_cdf(shape, x) - probability, 0.0, top)


def beta_quantile(probability: float, a: float, b: float) -> float:
    """x with I_x(a, b) = probability."""
    return _bisect(lambda x: beta_cdf(a, b, x) - probability, 0.0, 1.0)


def gamma_cdf(a: float, x: float) -> float:
    """P(a, x): the chance that a Poisson variable of mean x is at least a (for whole a)."""
    if x <= 0:
        return 0.0
    scale = math.exp(a * math.log(x) - x - math.lgamma(a))
    if x < a + 1.0:
        return scale * _gamma_series(a, x)
    return 1.0 - scale * _gamma_fraction(a, x)


def beta_cdf(a: float, b: float, x: float) -> float:
    """I_x(a, b)."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    scale = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
        + a * math.log(x) + b * math.log1p(-x)
    )  # fmt: skip
    if x < (a + 1.0) / (a + b + 2.0):
        return scale * _beta_fraction(a, b, x) / a
    return 1.0 - scale * _beta_fraction(b, a, 1.0 - x) / b


def _gamma_series(a: float, x: float) -> float:
    term = total = 1.0 / a
    n = a
    while abs(term) > abs(total) * _EPSILON:
        n += 1.0
        term *= x / n
        total += term
    return total


def _gamma_fraction(a: float, x: float) -> float:
    """1/(x+1-a - 1(1-a)/(x+3-a - 2(2-a)/(x+5-a - ...)))."""
    first = x + 1.0 - a
    return 1.0 / _lentz(first, lambda n: (-n * (n - a), first + 2.0 * n))


def _beta_fraction(a: float, b: float, x: float) -> float:
    def step(n: int) -> tuple[float, float]:
        m = n // 2
        if n % 2:
            return -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)), 1.0
        return m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)), 1.0

    return 1.0 / _lentz(1.0, step)


def _lentz(first: float, step: Callable[[int], tuple[float, float]]) -> float:
    """first + n1/(d1 + n2/(d2 + ...)) with (n, d) = step(1), step(2), ..."""
    value = first or _TINY
    c, d = value, 0.0
    n = 0
    while True:
        # even and odd steps of the beta fraction pair up, so judge only every second one
        n += 1
        numerator, denominator = step(n)
        d = 1.0 / (denominator + numerator * d or _TINY)
        c = denominator + numerator / c or _TINY
        value *= c * d
        if (n % 2 == 0 and abs(c * d - 1.0) < _EPSILON) or n > 100_000:
            return value


def _bisect(distance: Callable[[float], float], low: float, high: float) -> float:
    for _ in range(200):
        middle = (low + high) / 2.0
        if middle in (low, high):
            break
        if distance(middle) < 0:
            low = middle
        else:
            high = middle
    return (low + high) / 2.0
