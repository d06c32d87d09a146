from __future__ import annotations

import pytest

from porewatch.compute.price import price_list
from porewatch.compute.profiles import profile, profiles
from porewatch.domain.errors import ManifestRefused
from porewatch.domain.phases import Phase, Profile


@pytest.mark.parametrize("one", profiles().values(), ids=lambda p: p.name)
def test_every_profile_runs_all_phases_in_order(one: Profile) -> None:
    assert [phase for stage in one.stages for phase in stage.phases] == list(Phase)
    assert len({stage.name for stage in one.stages}) == len(one.stages)


@pytest.mark.parametrize("one", profiles().values(), ids=lambda p: p.name)
def test_every_stage_is_flexible_and_every_type_has_a_price(one: Profile) -> None:
    for stage in one.stages:
        assert len(set(stage.instance_types)) >= 10
        for name in stage.instance_types:
            prices = price_list()
            assert name in prices.types
            assert 0 < prices.hourly(name, "spot") < prices.hourly(name, "on-demand")


def test_only_stages_that_basecall_ask_for_a_gpu() -> None:
    for one in profiles().values():
        for stage in one.stages:
            assert stage.gpu == (Phase.BASECALLING in stage.phases)


def test_an_unknown_profile_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(ManifestRefused, match="default, one-instance-per-phase"):
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
