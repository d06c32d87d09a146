"""The rungs of a launch: their order, what each leaves out, and when spot is not tried at all."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from porewatch.compute.ec2_wire import fleet_request
from porewatch.compute.ladder import rungs
from porewatch.compute.layouts import layouts
from porewatch.domain.reasons.reason import Reason, RunCode, because
from porewatch.domain.stage.instances import (
    LaunchSpec,
    Owner,
)
from porewatch.domain.stage.spec import LaunchRequest, Phase, StageSpec

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
OWNER = Owner(stack="s", run_id="run-1", revision=1, stage="screen", epoch=1)
STAGE = StageSpec(
    name="screen",
    phases=(Phase.HOST_REMOVAL,),
    instance_types=("m5.2xlarge", "r5.2xlarge"),
    wider_types=("m5.4xlarge",),
)
SUBNETS, ZONES = ("subnet-a", "subnet-b"), ("eu-1a", "eu-1b")


def ladder(
    *avoid: str, why: Reason | None = None, zones: tuple[str, ...] = ZONES
) -> list[LaunchSpec]:
    return list(
        rungs(
            LaunchRequest(owner=OWNER, stage=STAGE, at=AT, avoid=avoid, why=why),
            launch_template_id="lt",
            subnet_ids=SUBNETS,
            zones=zones,
        )
    )


def pools_of(spec: LaunchSpec) -> set[str]:
    overrides = fleet_request(spec)["LaunchTemplateConfigs"][0]["Overrides"]
    zone_of = dict(zip(SUBNETS, ZONES, strict=True))
    return {f"{o['InstanceType']}@{zone_of[o['SubnetId']]}" for o in overrides}


def test_spot_then_wider_spot_then_on_demand_each_with_its_reason() -> None:
    assert [(s.rung, s.purchase, s.instance_types, s.reason) for s in ladder()] == [
        (0, "spot", STAGE.instance_types, "spot"),
        (1, "spot", STAGE.wider_types, "spot, more and larger types"),
        (2, "on-demand", STAGE.instance_types, "on-demand"),
    ]


def test_only_the_pool_that_gave_none_is_left_out_not_its_type() -> None:
    spot, wide, dear = ladder("m5.2xlarge@eu-1a")
    assert pools_of(spot) == {"m5.2xlarge@eu-1b", "r5.2xlarge@eu-1a", "r5.2xlarge@eu-1b"}
    assert pools_of(wide) == {"m5.4xlarge@eu-1a", "m5.4xlarge@eu-1b"}
    assert len(pools_of(dear)) == 4


def test_where_zones_are_not_known_a_shunned_type_is_left_out_everywhere() -> None:
    spot, *_ = ladder("m5.2xlarge@eu-1a", zones=())
    assert spot.instance_types == ("r5.2xlarge",)


def test_a_rung_without_any_pool_left_is_not_tried_and_the_others_keep_their_numbers() -> None:
    every = [f"{t}@{z}" for t in STAGE.instance_types for z in ZONES]
    assert [spec.rung for spec in ladder(*every)] == [1, 2]


def test_a_reason_against_spot_leaves_on_demand_only_and_is_recorded() -> None:
    (dear,) = ladder(why=because(RunCode.OFTEN_INTERRUPTED, n=2))
    assert (dear.rung, dear.purchase) == (2, "on-demand")
    assert dear.reason == "on-demand, because spot took 2 machines of this stage back"


@given(st.sets(st.sampled_from([f"{t}@{z}" for t in STAGE.instance_types for z in ZONES])))
def test_no_shunned_pool_is_tried_on_spot_and_no_other_is_forgotten(avoid: set[str]) -> None:
    every = {f"{t}@{z}" for t in STAGE.instance_types for z in ZONES}
    first = next((pools_of(spec) for spec in ladder(*avoid) if spec.rung == 0), set())
    assert first == every - avoid


@pytest.mark.parametrize("name", sorted(layouts()))
def test_every_stage_has_at_least_ten_types_on_spot_and_wider_ones(name: str) -> None:
    for stage in layouts()[name].stages:
        assert len(set(stage.instance_types)) >= 10
        assert stage.wider_types
        assert not set(stage.wider_types) & set(stage.instance_types)
