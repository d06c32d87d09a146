"""Leftovers on the embedded AWS, ended with no more than the deployed reaper's own rights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from porewatch.adapters.expiries import Expiries
from porewatch.adapters.ledger.stages import StageLedger
from porewatch.adapters.ledger.terminations import Kills
from porewatch.adapters.orphans import Leftovers
from porewatch.adapters.s3.uploads import Uploads
from porewatch.adapters.table import Table
from porewatch.compute.ec2_fleet import Ec2Fleet
from porewatch.compute.executors import Executors
from porewatch.domain.base import now
from porewatch.domain.rules import stage_lifecycle
from porewatch.domain.rules.orphan_cleanup import (
    Reap,
    Reaped,
)
from porewatch.domain.stage.instances import Owner
from porewatch.domain.stage.record import Progress, StageKey
from porewatch.domain.stage.spec import Phase, StageSpec
from porewatch.usecases.monitoring.clean_up_orphan import CleanupContext
from porewatch.usecases.monitoring.clean_up_orphans import (
    OrphanSweep,
    reap,
)
from porewatch_local.embedded.clients import client
from tests.cloud.conftest import Cloud
from tests.cloud.making import named, user, wait_for
from tests.cloud.test_instance_host import STAYS, _launch, _state
from tests.cloud.test_permissions import _statements

pytestmark = pytest.mark.cloud
SPEC = StageSpec(name="screen", phases=(Phase.QUALITY_CONTROL,), instance_types=("m5.large",))


@dataclass
class Yard:
    """The things of a stack of one test's own, beside the deployed one."""

    cloud: Cloud
    name: str
    rights: Any

    def client(self, service: str) -> Any:
        return client(self.cloud.local, service, self.rights)

    @property
    def stages(self) -> StageLedger:
        table = Table(self.cloud.outputs["LedgerTable"], self.cloud.client("dynamodb"))
        return StageLedger(table)

    def reaper(self, at: datetime) -> OrphanSweep:
        ec2, table = (
            self.client("ec2"),
            Table(self.cloud.outputs["LedgerTable"], self.client("dynamodb")),
        )
        machines = Executors(Ec2Fleet(self.name, client=ec2), None, "ec2")
        hands = CleanupContext(self.name, StageLedger(table), machines, Kills(table), at)
        uploads = Uploads(self.name, (self.cloud.outputs["RawBucketName"],), self.client("s3"))
        return OrphanSweep(hands, Leftovers(self.name, "", ec2), uploads)

    def look(self, at: datetime) -> dict[str, str]:
        return {found.name: found.action for found in reap(self.reaper(at))}

    def owner(self, run: str) -> Owner:
        return Owner(stack=self.name, run_id=run, revision=0, stage="screen", epoch=1)

    def tags(self, sort: str) -> list[dict[str, Any]]:
        return [{"ResourceType": sort, "Tags": [{"Key": "porewatch-stack", "Value": self.name}]}]

    def machine(self, run: str) -> str:
        tags = {name.replace("-", "_"): value for name, value in self.owner(run).tags().items()}
        return _launch(self.cloud, STAYS, **tags)


@pytest.fixture
def yard(stack: Cloud) -> Iterator[Yard]:
    deployed = f"{stack.local.stack_name}-leftover-reaper"
    role = stack.client("lambda").get_function(FunctionName=deployed)["Configuration"]["Role"]
    rights = user(stack, *_statements(stack, role.rsplit("/", 1)[-1]))
    made = Yard(stack, named("yard"), rights)
    yield made
    for machine in Ec2Fleet(made.name, client=stack.client("ec2")).inventory():
        stack.client("ec2").terminate_instances(InstanceIds=[machine.instance_id])


@pytest.fixture
def healthy(yard: Yard) -> Iterator[str]:
    """A machine whose stage is claimed and goes on."""
    run = named("healthy")
    name, key = yard.machine(run), StageKey(run, 0, "screen")
    machine = Ec2Fleet(yard.name, client=yard.cloud.client("ec2")).observe([name])[name]
    yard.stages.open_stage(key, SPEC, now())
    yard.stages.apply(key, stage_lifecycle.launched, 1, machine, now())
    yard.stages.apply(key, stage_lifecycle.claim, 1, name, now())
    yield name
    table = yard.cloud.outputs["LedgerTable"]
    place = {"pk": {"S": f"RUN#{run}"}, "sk": {"S": "STAGE#0000#screen"}}
    yard.cloud.client("dynamodb").delete_item(TableName=table, Key=place)


def goes_on(yard: Yard, machine: str, at: datetime) -> None:
    found = Ec2Fleet(yard.name, client=yard.cloud.client("ec2")).observe([machine])[machine]
    assert found.owner is not None
    key = StageKey(found.owner.run_id, 0, "screen")
    progress = Progress(phase=Phase.QUALITY_CONTROL, units_done=int(at.timestamp()))
    yard.stages.apply(key, stage_lifecycle.beat, 1, machine, progress, at)


def test_an_orphan_and_its_volume_end_at_second_sight_and_a_healthy_run_goes_on(
    yard: Yard, healthy: str
) -> None:
    orphan = yard.machine(named("ghost"))
    ec2 = yard.cloud.client("ec2")
    made = ec2.create_volume(
        AvailabilityZone="us-east-1a", Size=8, TagSpecifications=yard.tags("volume")
    )
    volume, start = made["VolumeId"], now()
    assert yard.look(start) == {}
    for minutes, action in ((11, "noted"), (14, "noted"), (16, "ended")):
        at = start + timedelta(minutes=minutes)
        goes_on(yard, healthy, at)
        done = {name: did for name, did in yard.look(at).items() if not name.startswith("fleet")}
        assert done == {orphan: action, volume: action}
    wait_for(lambda: _state(yard.cloud, orphan) in ("shutting-down", "terminated"))
    shown = ec2.describe_volumes(Filters=[{"Name": "volume-id", "Values": [volume]}])
    assert shown["Volumes"] == []
    assert _state(yard.cloud, healthy) == "running"
    kills = {kill.name: kill for kill in yard.reaper(start).context.kills.all()}
    assert {kills[name].outcome for name in (orphan, volume)} == {"ended"}
    assert healthy not in kills


def test_a_fleet_goes_when_its_machine_is_gone(yard: Yard) -> None:
    ec2, tag = yard.cloud.client("ec2"), yard.tags("instance") + yard.tags("fleet")
    template = {"LaunchTemplateId": yard.cloud.outputs["LaunchTemplateId"], "Version": "$Latest"}
    fleet = ec2.create_fleet(
        Type="instant",
        LaunchTemplateConfigs=[{"LaunchTemplateSpecification": template}],
        TargetCapacitySpecification={
            "TotalTargetCapacity": 1,
            "DefaultTargetCapacityType": "on-demand",
        },
        TagSpecifications=tag,
    )
    machine, name = fleet["Instances"][0]["InstanceIds"][0], fleet["FleetId"]
    start = now()
    assert name not in yard.look(start + timedelta(minutes=11))  # its machine lives
    ec2.terminate_instances(InstanceIds=[machine])
    wait_for(lambda: _state(yard.cloud, machine) == "terminated", 40)
    assert yard.look(start + timedelta(minutes=11))[name] == "noted"
    assert yard.look(start + timedelta(minutes=16))[name] == "ended"
    assert ec2.describe_fleets(FleetIds=[name])["Fleets"][0]["FleetState"] == "deleted"
    assert yard.look(start + timedelta(minutes=21)) == {}


def test_an_upload_nobody_goes_on_with_ends_and_a_fresh_one_stays(yard: Yard) -> None:
    s3, bucket = yard.cloud.client("s3"), yard.cloud.outputs["RawBucketName"]
    key = f"runs/{named('ghost')}/fastq/a.fastq.gz"
    upload = s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
    where = {"Bucket": bucket, "Key": key, "UploadId": upload}
    s3.upload_part(**where, PartNumber=1, Body=b"x")
    name, start = f"{bucket}/{key}?uploadId={upload}", now()
    assert name not in yard.look(start + timedelta(hours=23))
    assert yard.look(start + timedelta(hours=25))[name] == "noted"
    assert yard.look(start + timedelta(hours=25, minutes=5))[name] == "ended"
    left = s3.list_multipart_uploads(Bucket=bucket, Prefix=key).get("Uploads", [])
    assert left == []


def reaped(stack: Cloud, order: Reap) -> Reaped:
    """What the deployed function answers."""
    name = f"{stack.local.stack_name}-leftover-reaper"
    payload = order.canonical_json().encode()
    answer = stack.client("lambda").invoke(FunctionName=name, Payload=payload)
    text = answer["Payload"].read()
    assert "FunctionError" not in answer, text
    return Reaped.model_validate_json(text)


def test_the_deployed_function_looks_notes_and_ends(stack: Cloud) -> None:
    """An interface, whose age nobody knows: only the two sights count. The first one is moved back,
    so that nobody has to wait."""
    ec2, ledger = stack.client("ec2"), stack.client("dynamodb")
    tag = {"Key": "porewatch-stack", "Value": stack.local.stack_name}
    made = ec2.create_network_interface(
        SubnetId=ec2.describe_subnets()["Subnets"][0]["SubnetId"],
        TagSpecifications=[{"ResourceType": "network-interface", "Tags": [tag]}],
    )
    name = made["NetworkInterface"]["NetworkInterfaceId"]

    def action(*, dry: bool) -> str:
        answer = reaped(stack, Reap(dry=dry, kills=10))
        assert name not in {kill.name for kill in answer.kills if kill.outcome != "ended"}
        return next((found.action for found in answer.found if found.name == name), "gone")

    assert [action(dry=True), action(dry=False), action(dry=False)] == ["noted", "noted", "noted"]
    place = {"pk": {"S": f"REAP#network interface#{name}"}, "sk": {"S": "SIGHT"}}
    earlier = str(int((now() - timedelta(minutes=6)).timestamp()))
    ledger.update_item(
        TableName=stack.outputs["LedgerTable"],
        Key=place,
        UpdateExpression="SET #f = :f",
        ExpressionAttributeNames={"#f": "first"},
        ExpressionAttributeValues={":f": {"N": earlier}},
    )
    assert [action(dry=True), action(dry=False), action(dry=False)] == [
        "would end",
        "ended",
        "gone",
    ]
    kills = [kill for kill in reaped(stack, Reap(dry=True, kills=50)).kills if kill.name == name]
    assert [(kill.outcome, len(kill.why)) for kill in kills] == [("ended", 2)]


def test_a_schedule_calls_the_reaper_at_an_expiry_and_goes(stack: Cloud) -> None:
    """As instance_launcher lays it down; its machine is gone by then, and nothing is to be done."""
    functions, name = stack.client("lambda"), stack.local.stack_name
    launcher = functions.get_function(FunctionName=f"{name}-instance-launcher")["Configuration"]
    variables, scheduler = launcher["Environment"]["Variables"], stack.client("scheduler")
    group = variables["EXPIRY_GROUP"]
    rights = user(stack, *_statements(stack, launcher["Role"].rsplit("/", 1)[-1]))
    own = client(stack.local, "scheduler", rights)
    machine = f"i-{named('gone')}"
    expiries = Expiries(group, variables["EXPIRY_TARGET_ARN"], variables["EXPIRY_ROLE_ARN"], own)
    expiries.set(machine, now() + timedelta(seconds=5))

    def waits() -> bool:
        listed = scheduler.list_schedules(GroupName=group)["Schedules"]
        return machine in {one["Name"] for one in listed}

    assert waits()
    wait_for(lambda: not waits(), 60, "the expiry")
