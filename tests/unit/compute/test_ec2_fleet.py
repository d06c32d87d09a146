"""The fleet against moto, which ignores client tokens: what keeps us safe there is the look at the
tags before each launch. What moto cannot do (full pools, lost answers) the test's client does."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from botocore.stub import Stubber

from porewatch.compute import adopt
from porewatch.compute.ec2_fleet import Ec2Fleet
from porewatch.compute.ec2_wire import fleet_request
from porewatch.domain.errors import (
    CapacityUnavailable,
    ConfigurationRefused,
    LaunchUnknown,
    NotShownYet,
    QuotaExceeded,
    Throttled,
)
from porewatch.domain.stage.instances import (
    LaunchSpec,
    MachineState,
    Owner,
)
from porewatch.domain.stage.message_proofs import SECRET_TAG
from porewatch.domain.stage.spec import LaunchRequest, Phase, StageSpec

AT = datetime(2026, 11, 21, tzinfo=UTC)
STAGE = StageSpec(
    name="screen",
    phases=(Phase.QUALITY_CONTROL,),
    instance_types=("m5.2xlarge", "r5.2xlarge"),
)


def owner(epoch: int = 1, run: str = "run-1") -> Owner:
    return Owner(stack="s", run_id=run, revision=1, stage="screen", epoch=epoch)


@pytest.fixture
def fleet(aws: None) -> Ec2Fleet:
    ec2 = boto3.client("ec2")
    template = ec2.create_launch_template(
        LaunchTemplateName="worker", LaunchTemplateData={"ImageId": "ami-1"}
    )["LaunchTemplate"]["LaunchTemplateId"]
    subnets = tuple(s["SubnetId"] for s in ec2.describe_subnets()["Subnets"])
    return Ec2Fleet("s", launch_template_id=template, subnet_ids=subnets)


def specs(fleet: Ec2Fleet, who: Owner, avoid: tuple[str, ...] = ()) -> tuple[LaunchSpec, ...]:
    return fleet.prepare(LaunchRequest(owner=who, stage=STAGE, at=AT, avoid=avoid))


class Failing:
    """The real client, but CreateFleet follows a script, after or instead of launching."""

    def __init__(self, real: Any, outcome: Any, launches: bool = False) -> None:
        self._real, self._outcome, self._launches = real, outcome, launches

    def create_fleet(self, **request: Any) -> Any:
        if self._launches:
            self._real.create_fleet(**request)
        if isinstance(self._outcome, Exception):
            raise self._outcome
        return self._outcome

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


def failing(fleet: Ec2Fleet, outcome: Any, launches: bool = False) -> Ec2Fleet:
    fleet._client = Failing(boto3.client("ec2"), outcome, launches)  # type: ignore[assignment]
    return fleet


def refused(code: str, status: int = 400) -> ClientError:
    reply: Any = {
        "Error": {"Code": code, "Message": "message"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(reply, "CreateFleet")


def test_launching_twice_for_one_epoch_leaves_one_machine(fleet: Ec2Fleet) -> None:
    spec = specs(fleet, owner())[0]
    first, second = fleet.launch(spec), fleet.launch(spec)
    assert first.instance_id == second.instance_id
    assert len(fleet.inventory()) == 1


def test_another_epoch_gets_a_machine_of_its_own(fleet: Ec2Fleet) -> None:
    one = fleet.launch(specs(fleet, owner(1))[0])
    two = fleet.launch(specs(fleet, owner(2))[0])
    assert one.instance_id != two.instance_id
    assert [m.instance_id for m in fleet.find(owner(2))] == [two.instance_id]


def test_a_machine_says_whose_it_is_how_it_was_bought_and_until_when(fleet: Ec2Fleet) -> None:
    spec = specs(fleet, owner())[0]
    (machine,) = fleet.observe([fleet.launch(spec).instance_id]).values()
    assert machine.owner == owner()
    assert machine.purchase == "spot"
    assert machine.expires_at == spec.expires_at
    assert machine.state is MachineState.RUNNING
    assert machine.instance_type in STAGE.instance_types


def test_an_ended_machine_is_shown_as_ended_with_its_time_and_ending_it_again_is_fine(
    fleet: Ec2Fleet,
) -> None:
    machine = fleet.launch(specs(fleet, owner())[0])
    fleet.terminate(machine.instance_id)
    fleet.terminate(machine.instance_id)
    (ended,) = fleet.observe([machine.instance_id]).values()
    assert ended.state is MachineState.GONE
    assert ended.ended_at is not None
    assert ended.why_ended == "Client.UserInitiatedShutdown"


def test_ending_a_machine_nobody_knows_is_fine(fleet: Ec2Fleet) -> None:
    fleet.terminate("i-0123456789abcdef0")
    assert fleet.observe(["i-0123456789abcdef0"]) == {}


def test_a_lost_answer_is_looked_up_and_the_machine_adopted(
    fleet: Ec2Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adopt, "LOOK_AGAIN_SECONDS", (0.0,))
    lost = failing(fleet, ReadTimeoutError(endpoint_url="ec2"), launches=True)
    machine = lost.launch(specs(fleet, owner())[0])
    assert machine.owner == owner()
    assert len(fleet.inventory()) == 1


@pytest.mark.parametrize(
    "outcome", [ReadTimeoutError(endpoint_url="ec2"), refused("InternalError", 500)]
)
def test_when_nothing_is_found_after_a_lost_answer_nobody_guesses(
    fleet: Ec2Fleet, outcome: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adopt, "LOOK_AGAIN_SECONDS", (0.0,))
    with pytest.raises(LaunchUnknown, match="run-1 screen epoch 1"):
        failing(fleet, outcome).launch(specs(fleet, owner())[0])


@pytest.mark.parametrize(
    ("code", "ours"),
    [
        ("InsufficientInstanceCapacity", CapacityUnavailable),
        ("MaxSpotInstanceCountExceeded", QuotaExceeded),
        ("RequestLimitExceeded", Throttled),
        ("UnauthorizedOperation", ConfigurationRefused),
        ("InvalidLaunchTemplateId.NotFound", NotShownYet),
        ("InvalidLaunchTemplateId.NotFoundException", NotShownYet),
        ("InvalidLaunchTemplateName.NotFoundException", NotShownYet),
        ("InvalidLaunchTemplateId.VersionNotFound", NotShownYet),
        ("InvalidLaunchTemplateId.Malformed", ConfigurationRefused),
        ("InvalidSubnetID.NotFound", NotShownYet),
        ("InvalidGroup.NotFound", NotShownYet),
        ("InvalidAMIID.NotFound", NotShownYet),
        ("IdempotentParameterMismatch", ConfigurationRefused),
    ],
)
def test_the_same_code_means_the_same_as_an_exception_and_in_the_list(
    fleet: Ec2Fleet, code: str, ours: type[Exception]
) -> None:
    spec = specs(fleet, owner())[0]
    listed = {"Instances": [], "Errors": [{"ErrorCode": code, "ErrorMessage": "message"}]}
    for outcome in (refused(code), listed):
        with pytest.raises(ours, match=code) as raised:
            failing(fleet, outcome).launch(spec)
        assert type(raised.value) is ours


def test_a_full_pool_counts_more_than_a_zone_without_the_type(fleet: Ec2Fleet) -> None:
    codes = ["InvalidFleetConfiguration", "InsufficientInstanceCapacity"]
    errors = [{"ErrorCode": code, "ErrorMessage": "message"} for code in codes]
    with pytest.raises(CapacityUnavailable, match="2 pools asked"):
        failing(fleet, {"Instances": [], "Errors": errors}).launch(specs(fleet, owner())[0])


def test_a_refusal_names_the_pools_that_have_nothing_and_no_others(fleet: Ec2Fleet) -> None:
    subnet = boto3.client("ec2").describe_subnets()["Subnets"][0]
    zoned = Ec2Fleet("s", subnet_ids=(subnet["SubnetId"],), zones=(subnet["AvailabilityZone"],))
    errors = [
        {
            "ErrorCode": code,
            "ErrorMessage": "message",
            "LaunchTemplateAndOverrides": {
                "Overrides": {"InstanceType": name, "SubnetId": subnet["SubnetId"]}
            },
        }
        for code, name in (
            ("InsufficientInstanceCapacity", "m5.2xlarge"),
            ("MaxSpotInstanceCountExceeded", "r5.2xlarge"),
        )
    ]
    with pytest.raises(CapacityUnavailable) as raised:
        failing(zoned, {"Instances": [], "Errors": errors}).launch(specs(fleet, owner())[0])
    assert raised.value.pools == (f"m5.2xlarge@{subnet['AvailabilityZone']}",)


def test_the_operators_order_of_types_becomes_priorities(fleet: Ec2Fleet) -> None:
    spot, dear = (
        fleet_request(spec.model_copy(update={"prioritized": True}))
        for spec in specs(fleet, owner())
    )
    assert spot["SpotOptions"]["AllocationStrategy"] == "capacity-optimized-prioritized"
    assert dear["OnDemandOptions"]["AllocationStrategy"] == "prioritized"
    overrides = spot["LaunchTemplateConfigs"][0]["Overrides"]
    assert {o["InstanceType"]: o["Priority"] for o in overrides} == {
        name: float(place) for place, name in enumerate(STAGE.instance_types)
    }


def test_a_secret_goes_to_the_machine_and_is_no_part_of_what_is_written_down(
    fleet: Ec2Fleet,
) -> None:
    plain = specs(fleet, owner())[0]
    secretive = plain.model_copy(update={"secret": "5" * 64})
    of = {one["ResourceType"]: one["Tags"] for one in fleet_request(secretive)["TagSpecifications"]}
    assert {"Key": SECRET_TAG, "Value": "5" * 64} in of["instance"]
    assert "5" * 64 not in str(of["fleet"])
    assert "5" * 64 not in secretive.canonical_json() + repr(secretive)
    assert secretive.client_token() == plain.client_token()


def test_a_machine_gets_the_disk_its_stage_needs_encrypted(fleet: Ec2Fleet) -> None:
    spec = specs(fleet, owner())[0].model_copy(update={"disk_gib": 321})
    for override in fleet_request(spec)["LaunchTemplateConfigs"][0]["Overrides"]:
        (disk,) = override["BlockDeviceMappings"]
        assert disk["Ebs"] == {
            "VolumeSize": 321,
            "VolumeType": "gp3",
            "Encrypted": True,
            "DeleteOnTermination": True,
        }


def test_tokens_differ_by_everything_that_makes_a_request_and_by_nothing_else(
    fleet: Ec2Fleet,
) -> None:
    spot, dear = specs(fleet, owner())
    others = [dear, specs(fleet, owner(2))[0], specs(fleet, owner(run="run-2"))[0]]
    tokens = [spec.client_token() for spec in (spot, *others)]
    assert len(set(tokens)) == 4
    assert all(len(token) == 64 for token in tokens)
    again = LaunchSpec.model_validate_json(spot.canonical_json())
    assert fleet_request(again) == fleet_request(spot)


def test_the_request_spreads_over_every_type_and_subnet(fleet: Ec2Fleet) -> None:
    spot, dear = (fleet_request(spec) for spec in specs(fleet, owner()))
    subnets = boto3.client("ec2").describe_subnets()["Subnets"]
    overrides = spot["LaunchTemplateConfigs"][0]["Overrides"]
    assert len(overrides) == 2 * len(subnets)
    assert spot["SpotOptions"]["AllocationStrategy"] == "price-capacity-optimized"
    assert "SpotOptions" not in dear
    assert dear["TargetCapacitySpecification"]["DefaultTargetCapacityType"] == "on-demand"


class Counting(Failing):
    """The real client, which refuses long filters as EC2 does and moto does not."""

    def get_paginator(self, call: str) -> Any:
        real = self._real.get_paginator(call)

        class Pages:
            def paginate(self, **request: Any) -> Any:
                if sum(len(wanted["Values"]) for wanted in request["Filters"]) > 200:
                    raise refused("FilterLimitExceeded")
                return real.paginate(**request)

        return Pages()


def test_hundreds_of_machines_are_observed_within_the_longest_filter(fleet: Ec2Fleet) -> None:
    machine = fleet.launch(specs(fleet, owner())[0])
    fleet._client = Counting(boto3.client("ec2"), None)  # type: ignore[assignment]
    unknown = [f"i-{n:017x}" for n in range(450)]
    assert set(fleet.observe([*unknown, machine.instance_id])) == {machine.instance_id}


def test_a_new_machine_that_does_not_show_yet_has_the_zone_of_its_subnet(fleet: Ec2Fleet) -> None:
    """Or the pool it came from could not be avoided once it is reclaimed."""
    zoned = Ec2Fleet("s", subnet_ids=("subnet-a", "subnet-b"), zones=("z-a", "z-b"))
    overrides = {"InstanceType": "m5.2xlarge", "SubnetId": "subnet-b"}
    group = {
        "InstanceIds": ["i-0123456789abcdef0"],
        "InstanceType": "m5.2xlarge",
        "LaunchTemplateAndOverrides": {"Overrides": overrides},
    }
    machine = failing(zoned, {"Instances": [group]}).launch(specs(fleet, owner())[0])
    assert machine.pool == "m5.2xlarge@z-b"


LATEST, KEPT = ({"InstanceId": "i-1", "Latest": latest} for latest in (True, False))


def console(*answers: dict[str, str] | str) -> str:
    """What is read when EC2 answers so, in order; a str is the code of a refusal."""
    client = boto3.client("ec2", region_name="eu-west-1")
    with Stubber(client) as ec2:
        for answer, expected in zip(answers, (LATEST, KEPT), strict=False):
            if isinstance(answer, str):
                ec2.add_client_error(
                    "get_console_output", answer, http_status_code=400, expected_params=expected
                )
            else:
                ec2.add_response("get_console_output", answer, expected)
        read = Ec2Fleet("s", client=client).console("i-1")
        ec2.assert_no_pending_responses()
        return read


def printed(text: bytes) -> dict[str, str]:
    return {"InstanceId": "i-1", "Output": base64.b64encode(text).decode()}


@pytest.mark.parametrize(
    ("answers", "read"),
    [
        ([printed(b"mount: \xff timed out")], "mount: \ufffd timed out"),
        (["UnsupportedOperation", printed(b"kernel")], "kernel"),  # no Nitro
        ([{"InstanceId": "i-1"}, printed(b"kernel")], "kernel"),
        ([{"InstanceId": "i-1"}, {"InstanceId": "i-1"}], ""),
        (["InvalidInstanceID.NotFound", "InvalidInstanceID.NotFound"], ""),
    ],
)
def test_the_console_of_a_machine_is_read_as_ec2_keeps_it(
    aws: None, answers: list[dict[str, str] | str], read: str
) -> None:
    assert console(*answers) == read


def test_a_console_that_may_not_be_read_is_no_empty_one(aws: None) -> None:
    with pytest.raises(ConfigurationRefused):
        console("UnauthorizedOperation")
