"""A facility's rates and what a month comes to by them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from porewatch.domain.money.charges import (
    Charge,
    ProjectMonth,
    Rates,
    Statement,
    is_over,
    items_of,
    price_of,
    rates_of,
    statement,
)

AT = datetime(2026, 4, 1, 1, tzinfo=UTC)
MILLION = 1_000_000


def charge(usd: float = 0.0, reports: int = 0, samples: int = 0, bases: int = 0) -> Charge:
    return Charge(
        run_id="r", cost=round(usd * MILLION), reports=reports, samples=samples, bases=bases
    )


def a_statement(*charges: Charge, rates: Rates, month: str = "2026-03") -> Statement:
    return statement(ProjectMonth("default", "Pigs", month), charges, {}, rates, AT)


@pytest.mark.parametrize(
    ("rates", "what", "cents"),
    [
        ({}, charge(usd=1.234), 123),
        ({}, charge(usd=0.005), 1),
        ({"markup_percent": 15}, charge(usd=2), 230),
        ({"markup_percent": 0.1}, charge(usd=10), 1001),
        ({"report_usd": 120.5}, charge(reports=2), 24_100),
        ({"sample_usd": 35}, charge(samples=12), 42_000),
        ({"gigabase_usd": 4}, charge(bases=2_500_000_000), 1_000),
        (
            {"markup_percent": 50, "report_usd": 1, "sample_usd": 2, "gigabase_usd": 3},
            charge(usd=4, reports=1, samples=2, bases=10**9),
            600 + 100 + 400 + 300,
        ),
    ],
)
def test_price(rates: dict[str, float], what: Charge, cents: int) -> None:
    items = items_of(what, Rates(from_month="2026-01", **rates))
    assert round(price_of(items) * 100) == cents


def test_items_are_what_has_a_rate() -> None:
    rates = Rates(from_month="2026-01", markup_percent=20, sample_usd=35)
    items = items_of(charge(usd=1.5, reports=2, samples=4, bases=10**9), rates)
    assert [(one.what, one.quantity, one.unit_usd, one.usd) for one in items] == [
        ("machines", 1.5, 1.2, 1.8),
        ("samples", 4, 35, 140),
    ]


def test_rates_hold_from_their_month_on() -> None:
    known = [
        Rates(from_month=month, sample_usd=n) for n, month in enumerate(("2026-05", "2026-03"))
    ]
    assert rates_of(known, "2026-04").sample_usd == 1
    assert rates_of(known, "2026-05").sample_usd == 0
    assert rates_of(known, "2026-02") == Rates(from_month="2000-01"), "at cost"


@given(
    st.lists(
        st.builds(
            charge,
            st.floats(0, 1000, allow_nan=False),
            st.integers(0, 9),
            st.integers(0, 99),
            st.integers(0, 10**12),
        ),
        max_size=9,
    ),
    st.floats(0, 300, allow_nan=False),
)
def test_a_statement_adds_up(charges: list[Charge], markup: float) -> None:
    rates = Rates(from_month="2026-01", markup_percent=markup, gigabase_usd=0.37)
    made = a_statement(*charges, rates=rates)
    assert round(made.usd * 100) == sum(round(item.usd * 100) for item in made.items)
    quantities = {item.what: item.quantity for item in made.items}
    assert quantities["machines"] == pytest.approx(sum(run.cost_usd for run in made.runs))
    assert quantities["gigabases"] == sum(run.bases for run in made.runs) / 10**9


def test_a_month_is_final_when_no_function_of_it_runs_any_more() -> None:
    at_cost = Rates(from_month="2026-01")
    assert a_statement(rates=at_cost).final
    assert not a_statement(rates=at_cost, month="2026-04").final
    assert not is_over("2026-03", AT.replace(hour=0, minute=15) - timedelta(seconds=1))
    assert is_over("2026-03", AT.replace(hour=0, minute=15))
