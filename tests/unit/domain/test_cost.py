"""Where the money of a run went: the parts always add up to the whole."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from porewatch.compute.carbon import carbon_factors
from porewatch.domain.money.carbon_estimate import carbon_estimate
from porewatch.domain.money.cost import (
    FILES,
    ORCHESTRATION,
    CostLine,
    make_bill,
    split_seconds,
)
from porewatch.domain.reasons.reason import verbatim

AT = datetime(2026, 11, 21, 9, tzinfo=UTC)
seconds = some.floats(0, 100_000, allow_nan=False)


def later(**more: float) -> datetime:
    return AT + timedelta(**more)


def test_a_machine_that_published_wasted_nothing() -> None:
    split = split_seconds(
        AT, later(minutes=60), claimed_at=later(minutes=2), kept_until=None, published=True
    )
    assert split == (120, 3480, 0)


def test_a_machine_that_was_lost_wasted_what_came_after_its_last_checkpoint() -> None:
    split = split_seconds(
        AT,
        later(minutes=60),
        claimed_at=later(minutes=2),
        kept_until=later(minutes=50),
        published=False,
    )
    assert split == (120, 2880, 600)


def test_a_machine_without_a_checkpoint_wasted_all_but_its_start() -> None:
    split = split_seconds(
        AT, later(minutes=10), claimed_at=later(minutes=2), kept_until=None, published=False
    )
    assert split == (120, 0, 480)


def test_a_checkpoint_of_an_earlier_machine_is_not_this_ones_merit() -> None:
    split = split_seconds(
        AT,
        later(minutes=10),
        claimed_at=later(minutes=2),
        kept_until=later(minutes=-30),
        published=False,
    )
    assert split == (120, 0, 480)


def test_a_machine_that_never_began_was_for_nothing() -> None:
    split = split_seconds(AT, later(minutes=9), claimed_at=None, kept_until=None, published=True)
    assert split == (0, 0, 540)


@given(
    life=seconds,
    claimed=some.none() | some.floats(-100, 100_000),
    kept=some.none() | some.floats(-1000, 200_000),
    published=some.booleans(),
)
def test_whatever_the_clocks_say_the_parts_of_a_life_add_up(
    life: float, claimed: float | None, kept: float | None, published: bool
) -> None:
    split = split_seconds(
        AT,
        later(seconds=life),
        claimed_at=None if claimed is None else later(seconds=claimed),
        kept_until=None if kept is None else later(seconds=kept),
        published=published,
    )
    assert all(part >= 0 for part in split)
    assert sum(split) == pytest.approx(life, abs=1e-4)


def a_line(boot: float, useful: float, wasted: float, usd: float) -> CostLine:
    return CostLine(
        what="machine",
        seconds=boot + useful + wasted,
        boot_seconds=boot,
        useful_seconds=useful,
        wasted_seconds=wasted,
        usd=round(usd, 6),
        on_demand_usd=round(2.5 * usd, 6),
    )


lines = some.builds(a_line, seconds, seconds, seconds, some.floats(0, 50))
others = some.builds(
    CostLine, what=some.sampled_from((ORCHESTRATION, FILES)), usd=some.floats(0, 1)
)


@given(some.lists(lines, max_size=8), some.lists(others, max_size=2))
def test_the_parts_of_every_bill_add_up_to_its_total(
    machines: list[CostLine], rest: list[CostLine]
) -> None:
    bill = make_bill([*machines, *rest], prices=verbatim("p"), as_of=AT)
    parts = (
        bill.useful_usd,
        bill.wasted_usd,
        bill.boot_usd,
        bill.orchestration_usd,
        bill.files_usd,
    )
    assert sum(round((part or 0) * 1e6) for part in parts) == round(bill.total_usd * 1e6)
    assert all((part or 0) >= 0 for part in parts)


def test_a_bill_with_a_machine_that_cannot_be_split_says_so_by_silence() -> None:
    old = CostLine(what="machine", seconds=60, usd=0.01)
    bill = make_bill([a_line(1, 2, 3, 0.5), old], prices=verbatim("p"), as_of=AT)
    assert bill.prices == verbatim("p")
    assert (bill.total_usd, bill.useful_usd, bill.boot_usd) == (0.51, None, None)


def test_the_money_of_a_split_follows_its_seconds() -> None:
    bill = make_bill([a_line(100, 700, 200, 1.0)], prices=verbatim("p"), as_of=AT, interruptions=2)
    assert (bill.boot_usd, bill.useful_usd, bill.wasted_usd) == (0.1, 0.7, 0.2)
    assert (bill.saved_usd, bill.interruptions) == (1.5, 2)


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        (a_line(0, 500, 500, 1.0), (0.0, 0.5, 0.5)),
        (a_line(100, 900, 0, 1.0), (0.1, 0.9, 0.0)),
        (a_line(0, 0, 1000, 1.0), (0.0, 0.0, 1.0)),
        (a_line(500, 0, 500, 1.0), (0.5, 0.0, 0.5)),
        (a_line(0, 0, 0, 1.0), (1.0, 0.0, 0.0)),
        (a_line(0, 1, 1, 0.000003), (0.0, 0.000001, 0.000002)),  # both halves are rounded up
    ],
)
def test_a_part_without_seconds_costs_nothing(line: CostLine, parts: tuple[float, ...]) -> None:
    bill = make_bill([line], prices=verbatim("p"), as_of=AT)
    assert (bill.boot_usd, bill.useful_usd, bill.wasted_usd) == parts


def test_what_is_not_on_the_bill_is_unknown_and_what_was_not_stated_is_empty() -> None:
    bill = make_bill([a_line(1, 1, 1, 0.3)], prices=verbatim("p"), as_of=AT)
    assert (bill.orchestration_usd, bill.files_usd, bill.carbon) == (None, None, None)
    assert (bill.interruptions, bill.remark) == (0, "")
    assert make_bill([], prices=verbatim("p"), as_of=AT, remarks=verbatim("r")).remark == "r"


def test_a_machine_that_would_have_been_free_saves_less_than_nothing() -> None:
    line = a_line(1, 1, 1, 0.3).model_copy(update={"on_demand_usd": 0.0})
    assert make_bill([line], prices=verbatim("p"), as_of=AT).saved_usd == -0.3


def test_a_bill_has_the_carbon_of_its_machines_and_files() -> None:
    factors = carbon_factors("eu-west-1")
    machine, files = a_line(1, 1, 1, 0.3), CostLine(what=FILES, usd=0.1, gib_hours=5.0)
    rest = CostLine(what=ORCHESTRATION, usd=0.1)
    bill = make_bill([machine, files, rest], prices=verbatim("p"), as_of=AT, factors=factors)
    assert bill.carbon is not None
    assert bill.carbon == carbon_estimate([machine], [files], factors)


def test_a_claim_before_the_launch_leaves_nothing_for_the_start() -> None:
    """Clocks differ."""
    split = split_seconds(
        AT, later(minutes=9), claimed_at=later(seconds=-5), kept_until=None, published=True
    )
    assert split == (0, 540, 0)
