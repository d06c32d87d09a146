"""`porewatch validate` at small size: its requirements hold, its numbers and its page are right."""

from __future__ import annotations

import math

import pytest

from porewatch.domain.calls.findings import Call
from porewatch_worker.simulate.errors import R10
from porewatch_worker.validation.pack import false_calls, validate
from porewatch_worker.validation.page import POOLED, limit_text, pooled, render_page
from porewatch_worker.validation.requirements import requirements
from porewatch_worker.validation.result import Point, Validation
from porewatch_worker.validation.score import limit, series, share
from porewatch_worker.validation.screened import ScreenedSample
from porewatch_worker.validation.sets import ABOUT, MadeRun, Tube

pytestmark = pytest.mark.xdist_group("validate")  # the pack is screened once


@pytest.fixture(scope="module")
def result() -> Validation:
    return validate("small")


@pytest.mark.slow
def test_every_requirement_holds_at_small_size(result: Validation) -> None:
    assert [r.says for r in result.requirements if not r.holds] == []


@pytest.mark.slow
def test_every_set_was_made_and_the_series_rises_in_every_class(result: Validation) -> None:
    assert [s.name for s in result.sets] == list(ABOUT)
    assert all(s.samples for s in result.sets)
    for each in result.classes:
        assert each.series[-1].rate.share >= max(0.5, each.series[0].rate.share)


@pytest.mark.slow
def test_the_page_stands_alone_and_says_that_everything_is_simulated(result: Validation) -> None:
    page = render_page(result)
    assert result.reads_told[:40] in page
    assert page.index(">Research use<") < page.index("<table")
    assert page.count("<svg") == len(result.classes) + 1
    plain = page.replace("http://www.w3.org/2000/svg", "")
    plain = plain.replace('<link rel="icon" href="data:,">', "")
    assert not [mark for mark in ("http:", "https:", "<script", "<link") if mark in plain]


@pytest.mark.parametrize(
    ("hits", "trials", "low", "high"),
    [(0, 10, 0.0, 0.3085), (9, 10, 0.5550, 0.9975), (10, 10, 0.6915, 1.0)],
)
def test_shares_have_the_exact_interval(hits: int, trials: int, low: float, high: float) -> None:
    found = share(hits, trials)
    assert found is not None
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-4)


def test_the_fitted_limit_is_that_of_the_curve_that_made_the_series() -> None:
    points = []
    for amount in (1, 3, 10, 30, 100):
        chance = 1 / (1 + math.exp(-(math.log(19) + 4 * (math.log10(amount) - math.log10(20)))))
        found = share(round(1000 * chance), 1000)
        assert found
        points.append(Point(amount=amount, rate=found))
    fitted = limit(points, "copies")
    assert fitted is not None
    assert fitted.value == pytest.approx(20, rel=0.1)
    assert fitted.low < 20 < fitted.high
    assert fitted.step == 30


def test_without_a_miss_or_without_a_hit_there_is_no_limit() -> None:
    for hit in (True, False):
        assert limit(series([(1.0, hit), (10.0, hit)]), "copies") is None


def test_one_false_call_or_too_few_hits_fail_a_requirement() -> None:
    low, good = share(94, 100), share(1000, 1000)
    held = [r.holds for r in requirements(low, good, good, (), 7.2)]
    assert held == [False, True, True, True, True]
    run = MadeRun("host only", (Tube("host"),), R10, 1)
    seen = ScreenedSample(
        run, run.tubes[0], {"CSFV": Call.DETECTED}, {"CSFV": 3}, recombinant=False
    )
    assert false_calls(seen, ("CSFV", "JEV")) == ["CSFV"]


def test_a_curve_of_many_amounts_is_pooled_and_loses_no_trial() -> None:
    observed = [(1.3**i, i > 20) for i in range(50) for _ in range(2)]
    points = series(observed)
    few = pooled(points)
    assert (len(points), len(few)) == (50, POOLED)
    for what in ("hits", "trials"):
        assert sum(getattr(p.rate, what) for p in few) == sum(getattr(p.rate, what) for p in points)
    amounts = [p.amount for p in few]
    assert amounts == sorted(amounts)
    assert points[0].amount < amounts[0] and amounts[-1] < points[-1].amount
    assert pooled(points[:POOLED]) == points[:POOLED]
    assert len(pooled([points[0]] * (POOLED + 1))) == 1, "of one amount alone"


def test_a_bound_that_few_trials_cannot_show_says_so() -> None:
    three, many = share(3, 3), share(3000, 3000)
    few, _, enough, *_ = requirements(three, many, many, (), 7.2)
    assert (few.holds, few.shown, few.trials) == (True, False, 3)
    assert (enough.holds, enough.shown) == (True, True)


def test_without_a_limit_the_page_says_what_was_missed() -> None:
    found, lost = (series([(1.0, hit), (100.0, hit)]) for hit in (True, False))
    assert limit_text(None, found, "copies") == "below 1 copies: nothing was missed"
    assert limit_text(None, lost, "copies") == "above 100 copies: nothing was found"
    assert limit_text(None, (), "copies") == "not measured"
