"""Carbon beside the bill: sums that hold for every bill, and what is not known is not made up."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as some
from pydantic import ValidationError

from porewatch.compute.carbon import carbon_factors, carbon_table
from porewatch.compute.price_table import price_list
from porewatch.domain.money.carbon import (
    Carbon,
    Grams,
    Watts,
)
from porewatch.domain.money.cost import (
    FILES,
    CostLine,
    make_bill,
)
from porewatch.domain.reasons.reason import verbatim

AT = datetime(2026, 11, 21, 9, tzinfo=UTC)
HOME = carbon_factors("us-east-1")
covered = some.sampled_from(("m5.2xlarge", "r7i.large", "g4dn.xlarge", "0.50 x m6i.2xlarge"))
seconds = some.floats(0, 1e6)


def a_line(kind: str, boot: float, useful: float, wasted: float) -> CostLine:
    whole = boot + useful + wasted
    parts = {"boot_seconds": boot, "useful_seconds": useful, "wasted_seconds": wasted}
    return CostLine(
        what="machine", instance_type=kind, seconds=whole, usd=0.1, gib_hours=whole / 36, **parts
    )


machines = some.builds(a_line, covered, seconds, seconds, seconds)


def estimate(*lines: CostLine, region: str = "us-east-1", load: float | None = None) -> Carbon:
    factors = carbon_factors(region)
    factors = factors if load is None else factors.at_load(load)
    bill = make_bill(lines, prices=verbatim("p"), as_of=AT, factors=factors)
    assert bill.carbon is not None
    return bill.carbon


def total(*lines: CostLine, **how: float) -> Grams:
    result = estimate(*lines, load=how.get("load")).total
    assert result is not None
    return result


def three(grams: Grams | None) -> tuple[float, float, float]:
    assert grams is not None
    return grams.low, grams.middle, grams.high


def test_an_hour_of_a_machine_reckoned_by_hand() -> None:
    """m5.2xlarge: 8 vCPUs, 32 GiB; 100 GiB of disk for the hour."""
    line = a_line("m5.2xlarge", 0, 3600, 0)
    around = 32 * 0.392 + 100 * 1.2 * 2 / 1000
    by_hand = [(8 * w + around) * 1.135 * 0.379069 for w in (0.74, (0.74 + 3.5) / 2, 3.5)]
    assert three(total(line)) == pytest.approx(by_hand, abs=1e-5)


def test_an_accelerator_counts_from_idle_to_full() -> None:
    bare = (4 * 0.74 + 16 * 0.392, 4 * 3.5 + 16 * 0.392)
    line = a_line("g4dn.xlarge", 0, 3600, 0).model_copy(update={"gib_hours": None})
    by_hand = [(w + t4) * 1.135 * 0.379069 for w, t4 in zip(bare, (8, 71), strict=True)]
    result = total(line)
    assert (result.low, result.high) == pytest.approx(by_hand, abs=1e-5)


@given(machines, some.floats(0, 1))
def test_the_interval_holds_the_middle_at_any_load(line: CostLine, load: float) -> None:
    result = total(line, load=load)
    assert 0 <= result.low <= result.middle <= result.high


@given(machines, some.floats(0, 1), some.floats(0, 1))
def test_more_load_is_never_less(line: CostLine, one: float, other: float) -> None:
    less, more = sorted((one, other))
    assert total(line, load=less).middle <= total(line, load=more).middle
    assert total(line, load=less).low == total(line, load=more).low


@given(covered, seconds, seconds)
def test_a_longer_life_is_never_less(kind: str, one: float, other: float) -> None:
    less, more = (three(total(a_line(kind, 0, s, 0))) for s in sorted((one, other)))
    assert all(a <= b for a, b in zip(less, more, strict=True))


@given(some.lists(machines, max_size=6))
def test_machines_add_up(lines: list[CostLine]) -> None:
    each = [three(total(line)) for line in lines]
    sums = [sum(one[i] for one in each) for i in range(3)]
    assert three(total(*lines)) == pytest.approx(sums, abs=1e-5, rel=1e-9)


@given(some.lists(machines, max_size=6), some.floats(0, 1e4))
def test_useful_wasted_boot_and_files_are_the_total(lines: list[CostLine], kept: float) -> None:
    files = CostLine(what=FILES, usd=0.1, gib_hours=kept)
    result = estimate(*lines, files)
    parts = [three(part) for part in (result.useful, result.wasted, result.boot, result.files)]
    sums = [sum(part[i] for part in parts) for i in range(3)]
    assert three(result.total) == pytest.approx(sums, abs=1e-4, rel=1e-9)


def test_a_machine_that_was_lost_is_waste_in_grams_as_in_money() -> None:
    kept, lost = a_line("m5.2xlarge", 0, 3600, 0), a_line("m5.2xlarge", 60, 0, 3540)
    bill = make_bill([kept, lost], prices=verbatim("p"), as_of=AT, factors=HOME)
    result = bill.carbon
    assert result is not None and result.total is not None and result.wasted is not None
    assert bill.wasted_usd is not None
    share = result.wasted.middle / result.total.middle
    assert share == pytest.approx(bill.wasted_usd / bill.total_usd, rel=1e-5)
    assert share == pytest.approx(0.5 * 3540 / 3600)


def test_a_region_whose_electricity_is_not_known_gets_no_number() -> None:
    result = estimate(a_line("m5.2xlarge", 0, 3600, 0), region="mx-central-1")
    assert (result.total, result.wasted, result.lines, result.kg_per_kwh) == (None, None, (), None)
    assert result.reason == (
        "No estimate: the electricity of region mx-central-1 is not in the table."
    )


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("g6.xlarge", "the watts of NVIDIA L4 (g6.xlarge) are not known"),
        ("g4dn.12xlarge", "machine type g4dn.12xlarge is not in the table"),
        ("x9.large", "machine type x9.large is not in the table"),
        ("", "machine type ? is not in the table"),
    ],
)
def test_a_machine_whose_watts_are_not_known_is_not_counted_and_named(kind: str, why: str) -> None:
    odd, known = a_line(kind, 0, 3600, 0), a_line("m5.2xlarge", 0, 3600, 0)
    alone = estimate(odd)
    assert (alone.total, alone.useful, alone.uncovered) == (None, None, 1)
    both = estimate(odd, known)
    assert (both.total, both.uncovered) == (total(known), 1)
    assert both.reason == f"Not covered: {why}."
    assert both.lines[0].grams is None and both.lines[0].reason == why


def test_seconds_that_do_not_split_leave_the_total_standing() -> None:
    line = a_line("m5.2xlarge", 0, 3600, 0).model_copy(update={"useful_seconds": None})
    result = estimate(line)
    assert (result.useful, result.wasted, result.boot) == (None, None, None)
    assert result.total == total(a_line("m5.2xlarge", 0, 3600, 0))


def test_a_share_of_a_host_is_that_share_of_it() -> None:
    half, whole = (
        estimate(a_line(name, 0, 3600, 0).model_copy(update={"gib_hours": 0.0})).total
        for name in ("0.50 x m6i.2xlarge", "m6i.2xlarge")
    )
    assert three(half) == pytest.approx([g / 2 for g in three(whole)], abs=2e-6)


def test_files_that_are_kept_draw_at_any_load_the_same() -> None:
    """10 GiB for 30 days on hard disks, three copies: 0.65 W a TB each."""
    result = estimate(CostLine(what=FILES, usd=0.1, gib_hours=7200.0))
    grams = 7200 * 0.65 * 3 / 1000 * 1.135 * 0.379069
    assert three(result.files) == pytest.approx([grams] * 3, abs=1e-5)
    assert result.total == result.files


def test_a_bill_without_factors_has_no_estimate() -> None:
    assert make_bill([], prices=verbatim("p"), as_of=AT).carbon is None


def test_every_machine_that_has_a_price_is_in_the_table() -> None:
    table = carbon_table()
    for name in price_list().types:
        family, _, size = name.partition(".")
        assert family in table.families and size in table.sizes, name


def test_every_region_says_of_what_year_and_by_whom() -> None:
    table = carbon_table()
    assert {"us-east-1", "eu-central-1", "ap-northeast-1"} <= table.grid.keys()
    for region, grid in table.grid.items():
        assert 2015 < grid.year <= table.taken_at.year and grid.source and grid.place, region
        assert 0 < grid.kg_per_kwh < 1.2, region


def test_a_table_in_which_full_load_draws_less_is_refused() -> None:
    with pytest.raises(ValidationError, match="less than none"):
        Watts(idle_w=2, full_w=1)
    bad = carbon_table().model_dump() | {"vcpu_full_w": 0.1}
    with pytest.raises(ValidationError, match="less than none"):
        type(carbon_table()).model_validate(bad)
