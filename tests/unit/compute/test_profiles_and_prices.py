from __future__ import annotations

import pytest

from porewatch.compute.layouts import (
    layouts,
    profile,
)
from porewatch.compute.price_table import (
    price_list,
    snapshot,
)
from porewatch.domain.errors import ManifestRefused
from porewatch.domain.stage.spec import Phase, Profile


@pytest.mark.parametrize("one", layouts().values(), ids=lambda p: p.name)
def test_every_profile_runs_all_phases_in_order(one: Profile) -> None:
    assert [phase for stage in one.stages for phase in stage.phases] == list(Phase)
    assert len({stage.name for stage in one.stages}) == len(one.stages)


@pytest.mark.parametrize("one", layouts().values(), ids=lambda p: p.name)
def test_every_stage_is_flexible_and_every_type_has_a_price(one: Profile) -> None:
    for stage in one.stages:
        assert len(set(stage.instance_types)) >= 10
        for name in stage.instance_types:
            prices = price_list()
            assert name in prices.types
            assert 0 < prices.hourly(name, "spot") < prices.hourly(name, "on-demand")


def test_only_stages_that_basecall_need_a_gpu() -> None:
    for one in layouts().values():
        for stage in one.stages:
            assert stage.gpu == (Phase.BASECALLING in stage.phases)


def test_every_profile_is_there_for_batch_too_with_the_same_stages() -> None:
    for name in ("default", "one-instance-per-phase"):
        stages, jobs = profile(name).stages, profile(f"{name}-on-batch").stages
        assert {stage.executor for stage in stages} == {"ec2"}
        assert {job.executor for job in jobs} == {"batch"}
        assert tuple(j.model_copy(update={"executor": "ec2"}) for j in jobs) == stages


def test_an_unknown_profile_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(ManifestRefused, match="default, default-on-batch, one-instance-per-phase"):
        profile("fast")


def test_seconds_are_billed_but_never_less_than_a_minute() -> None:
    prices = price_list()
    hour = prices.usd("m5.2xlarge", "on-demand", 3600)
    assert hour == pytest.approx(0.384)
    assert prices.usd("m5.2xlarge", "on-demand", 1) == pytest.approx(hour / 60)
    assert prices.usd("m5.2xlarge", "on-demand", 25 * 3600) == pytest.approx(25 * hour)


def test_a_type_without_a_price_costs_as_much_as_the_dearest() -> None:
    prices = price_list()
    dearest = max(prices.types, key=lambda name: prices.hourly(name, "on-demand"))
    assert prices.hourly("x99.metal", "on-demand") == prices.hourly(dearest, "on-demand")


def test_the_snapshot_says_that_nobody_verified_it() -> None:
    assert price_list().verified is False
    assert "unverified" in price_list().snapshot


def test_a_disk_is_paid_by_the_second_too() -> None:
    month = price_list().disk_usd(100, 30 * 24 * 3600)
    assert month == pytest.approx(8.0)
    assert price_list().disk_usd(100, 3600) == pytest.approx(month / 720, abs=1e-6)


def test_a_region_that_is_not_known_is_taken_as_dearer_and_says_so() -> None:
    known, guessed = price_list("us-east-1"), price_list("eu-west-9")
    assert "eu-west-9 (taken as 1.25 x us-east-1)" in guessed.snapshot
    assert guessed.verified is False
    assert guessed.hourly("m5.2xlarge", "spot") == pytest.approx(
        1.25 * known.hourly("m5.2xlarge", "spot")
    )


def test_fresh_prices_take_the_place_of_old_ones_and_of_no_others() -> None:
    fresh = price_list().model_copy(update={"region": "eu-west-1", "verified": True})
    both = snapshot().replaced(fresh)
    again = both.replaced(fresh.model_copy(update={"remark": "later"}))
    assert [one.region for one in both.regions] == ["us-east-1", "eu-west-1"]
    assert both.of("eu-west-1").verified and not both.of("us-east-1").verified
    assert again.of("eu-west-1").remark == "later" and len(again.regions) == 2
