"""Agreement with exact intervals, and the limit of detection fitted from a dilution series.

Proportions: Clopper & Pearson 1934, Biometrika 26:404. LOD95: logistic curve of the hit rate over
log10 of the amount (Forootan et al. 2017, Biomol Detect Quantif 12:1), the amount at 95 % and its
interval by profile likelihood (2 x difference of log likelihoods below 3.84). Both parameters run
over a grid, so hits that separate completely give a finite answer as well: the interval then spans
the amounts between the last miss and the first hit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from porewatch_worker.science.intervals import beta_quantile
from porewatch_worker.validation.result import Limit, Point, Share

TAIL = 0.025
_STEEPNESS = np.geomspace(0.5, 60, 90)
_DROP = 3.841 / 2


def share(hits: int, trials: int) -> Share | None:
    """Hits among trials with the exact central 95 % interval; None without trials."""
    if not trials:
        return None
    low = beta_quantile(TAIL, hits, trials - hits + 1) if hits else 0.0
    high = beta_quantile(1 - TAIL, hits + 1, trials - hits) if hits < trials else 1.0
    return Share(hits=hits, trials=trials, share=hits / trials, low=low, high=high)


def series(observed: Iterable[tuple[float, bool]]) -> tuple[Point, ...]:
    """(amount, hit) -> hit rate by amount, ascending."""
    counts: dict[float, list[int]] = {}
    for amount, hit in observed:
        counted = counts.setdefault(amount, [0, 0])
        counted[0] += hit
        counted[1] += 1
    made = [(amount, share(*counts[amount])) for amount in sorted(counts)]
    return tuple(Point(amount=amount, rate=rate) for amount, rate in made if rate)


def limit(points: Sequence[Point], unit: str) -> Limit | None:
    """LOD95 of a series, None when nothing was found or nothing missed."""
    hits = np.array([p.rate.hits for p in points], float)
    trials = np.array([p.rate.trials for p in points], float)
    if not hits.sum() or hits.sum() == trials.sum():
        return None
    amounts: NDArray[np.float64] = np.log10(np.array([p.amount for p in points]))
    places: NDArray[np.float64] = np.linspace(amounts[0] - 1, amounts[-1] + 1, 600)
    profile = _profile(amounts, hits, trials, places)
    inside = places[profile >= np.max(profile) - _DROP]
    return Limit(
        value=float(10 ** places[int(np.argmax(profile))]),
        low=float(10 ** inside[0]),
        high=float(10 ** inside[-1]),
        step=_step(points),
        unit=unit,
    )


def _profile(
    amounts: NDArray[np.float64],
    hits: NDArray[np.float64],
    trials: NDArray[np.float64],
    places: NDArray[np.float64],
) -> NDArray[np.float64]:
    """For every place of the LOD95 (log10) the log likelihood at the best steepness."""
    best = np.full(len(places), -np.inf)
    for steepness in _STEEPNESS:
        z = np.log(19) + steepness * (amounts[None, :] - places[:, None])
        likelihood = -hits * np.logaddexp(0, -z) - (trials - hits) * np.logaddexp(0, z)
        best = np.maximum(best, np.sum(likelihood, axis=1))
    return best


def _step(points: Sequence[Point]) -> float | None:
    """The smallest amount from which on every level was found in 95 % of trials and more."""
    reached = None
    for point in reversed(points):
        if point.rate.share < 0.95:
            break
        reached = point.amount
    return reached
