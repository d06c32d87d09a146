"""Amounts against simulated truth, at small size: intervals hold, LOD95 is within a factor 2.

The full tables: `python -m validation.interval_pack`, `python -m validation.lod_pack`.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from validation.interval_pack import CASES as INTERVALS
from validation.interval_pack import Case as IntervalCase
from validation.interval_pack import coverage
from validation.lod_pack import CASES as LODS
from validation.lod_pack import Case as LodCase
from validation.lod_pack import detected, predicted

SAMPLES = 300
LOADS = 60


@pytest.mark.parametrize("case", INTERVALS, ids=lambda case: case.name)
def test_the_interval_of_copies_holds_the_truth_90_to_98_times_of_100(case: IntervalCase) -> None:
    held, trials = coverage(case, SAMPLES, 11)
    assert trials > 0.95 * SAMPLES
    assert 0.90 <= held / trials <= 0.98


@pytest.mark.parametrize(
    ("name", "left_out"),
    [
        ("many reads: bench alone", {"extraction_cv": 0.001}),
        ("poor bench: 30 % and 50 %", {"spike_cv": 0.1, "extraction_cv": 0.2}),
        ("by yield, 500 reads", {"mass_cv": 0.05}),
    ],
)
def test_an_uncertainty_that_is_left_out_is_missed(name: str, left_out: dict[str, float]) -> None:
    case = next(c for c in INTERVALS if c.name == name)
    held, trials = coverage(case, SAMPLES, 11, stated=replace(case, **left_out))
    assert held / trials < 0.85


@pytest.mark.parametrize("case", LODS, ids=lambda case: case.name)
def test_the_true_lod95_is_within_a_factor_2_of_the_predicted(case: LodCase) -> None:
    lod = predicted(case)
    assert detected(case, 2 * lod, LOADS, 1) >= 0.95
    assert detected(case, lod / 2, LOADS, 2) < 0.95


def test_a_target_that_is_in_another_barcode_needs_more_and_the_limit_says_so() -> None:
    alone = LodCase("alone", 15_000)
    beside = LodCase("beside", 15_000, beside=20_000)
    assert predicted(beside) > 5 * predicted(alone)
    # without the crossover budget the limit would promise what the rule refuses
    assert detected(beside, 2 * predicted(alone), LOADS, 3) < 0.5
