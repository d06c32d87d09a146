"""What EC2 and S3 keep for a stack: found by tag, only when unused, and ended for good."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from porewatch.adapters.expiries import Expiries
from porewatch.adapters.ledger.terminations import Kills
from porewatch.adapters.orphans import FLEET_TAG, VERSIONS_KEPT, Leftovers
from porewatch.adapters.s3.uploads import Uploads
from porewatch.adapters.table import Table
from porewatch.domain.errors import ConfigurationRefused
from porewatch.domain.reasons.reason import Code, because
from porewatch.domain.rules.orphans import Orphan, What
from tests.mocked import REGION, mocked_aws

ZONE = f"{REGION}a"
AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
PART = b"x" * (5 << 20)


@pytest.fixture
def ec2() -> Iterator[Any]:
    with mocked_aws():
        yield boto3.client("ec2")


def tags(sort: str, stack: str = "s") -> list[dict[str, Any]]:
    return [{"ResourceType": sort, "Tags": [{"Key": "porewatch-stack", "Value": stack}]}]


def names(found: Iterator[Orphan]) -> list[str]:
    return [thing.name for thing in found]


def test_volumes_of_ours_that_are_attached_to_nothing_are_found_and_ended(ec2: Any) -> None:
    def made(stack: str) -> str:
        volume = ec2.create_volume(
            AvailabilityZone=ZONE, Size=8, TagSpecifications=tags("volume", stack)
        )
        return str(volume["VolumeId"])

    ours, _, attached = made("s"), made("other"), made("s")
    image = ec2.describe_images(Owners=["amazon"])["Images"]
    machine = ec2.run_instances(
        ImageId=image[0]["ImageId"] if image else "ami-1", MinCount=1, MaxCount=1
    )["Instances"][0]["InstanceId"]
    ec2.attach_volume(VolumeId=attached, InstanceId=machine, Device="/dev/sdh")
    shelf = Leftovers("s", "")
    (thing,) = shelf.volumes()
    assert (thing.name, thing.stack, thing.owner) == (ours, "s", None)
    assert thing.since is not None
    shelf.end(thing)
    shelf.end(thing)
    assert names(shelf.volumes()) == []


def test_interfaces_of_ours_that_are_attached_to_nothing_are_found_and_ended(ec2: Any) -> None:
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    for stack in ("s", "other"):
        ec2.create_network_interface(
            SubnetId=subnet, TagSpecifications=tags("network-interface", stack)
        )
    shelf = Leftovers("s", "")
    (thing,) = shelf.interfaces()
    assert thing.since is None
    shelf.end(thing)
    shelf.end(thing)
    assert names(shelf.interfaces()) == []


def answers(
    *exchanges: tuple[str, dict[str, Any], dict[str, Any] | None],
) -> tuple[Leftovers, Stubber]:
    """A shelf whose EC2 answers these calls, in order; moto plays none of them as AWS does."""
    client = boto3.client("ec2", region_name=REGION)
    stub = Stubber(client)
    for call, answer, expected in exchanges:
        stub.add_response(call, answer, expected)
    stub.activate()
    return Leftovers("s", "lt-1", client), stub


def machine(name: str, state: str, fleet: str) -> dict[str, Any]:
    return {
        "InstanceId": name,
        "State": {"Name": state},
        "Tags": [{"Key": FLEET_TAG, "Value": fleet}],
    }


def test_an_instant_fleet_is_found_by_its_machines_and_only_when_all_are_gone() -> None:
    machines = [
        machine("i-1", "terminated", "fleet-old"),
        machine("i-2", "terminated", "fleet-half"),
        machine("i-3", "shutting-down", "fleet-half"),
        machine("i-4", "running", "fleet-new"),
    ]
    fleet = {
        "FleetId": "fleet-old",
        "FleetState": "active",
        "CreateTime": AT,
        "Tags": tags("x")[0]["Tags"],
    }
    shelf, stub = answers(
        ("describe_instances", {"Reservations": [{"Instances": machines}]}, None),
        ("describe_fleets", {"Fleets": [fleet]}, {"FleetIds": ["fleet-old"]}),
        ("delete_fleets", {}, {"FleetIds": ["fleet-old"], "TerminateInstances": True}),
    )
    (thing,) = shelf.fleets()
    assert (thing.what, thing.name, thing.stack) == (What.FLEET, "fleet-old", "s")
    shelf.end(thing)
    stub.assert_no_pending_responses()


@pytest.mark.parametrize("state", ["deleted", "deleted_running"])
def test_a_fleet_that_was_deleted_is_not_deleted_again(state: str) -> None:
    gone = [machine("i-1", "terminated", "fleet-1")]
    fleet = {"FleetId": "fleet-1", "FleetState": state, "CreateTime": AT}
    shelf, _ = answers(
        ("describe_instances", {"Reservations": [{"Instances": gone}]}, None),
        ("describe_fleets", {"Fleets": [fleet]}, None),
    )
    assert names(shelf.fleets()) == []


def test_a_fleet_nobody_remembers_is_no_trouble() -> None:
    gone = [machine("i-1", "terminated", "fleet-1")]
    shelf, stub = answers(("describe_instances", {"Reservations": [{"Instances": gone}]}, None))
    stub.add_client_error("describe_fleets", "InvalidFleetId.NotFound", http_status_code=400)
    assert names(shelf.fleets()) == []


def version(number: int, *, default: bool = False) -> dict[str, Any]:
    return {"VersionNumber": number, "DefaultVersion": default, "CreateTime": AT}


def test_of_the_launch_template_the_newest_and_the_default_stay() -> None:
    versions = [version(n, default=n == 1) for n in range(1, VERSIONS_KEPT + 4)]
    request = {"LaunchTemplateId": "lt-1"}
    shelf, stub = answers(
        ("describe_launch_template_versions", {"LaunchTemplateVersions": versions}, request),
        ("delete_launch_template_versions", {}, {**request, "Versions": ["3"]}),
    )
    found = list(shelf.template_versions())
    assert [thing.name for thing in found] == ["lt-1:3", "lt-1:2"]
    shelf.end(found[0])
    stub.assert_no_pending_responses()


def test_an_orphan_that_may_not_be_ended_raises() -> None:
    shelf, stub = answers()
    stub.add_client_error("delete_volume", "UnauthorizedOperation", "no", 403)
    volume = Orphan(what=What.VOLUME, name="vol-1", unused=because(Code.UNATTACHED))
    with pytest.raises(ConfigurationRefused, match="end volume vol-1: UnauthorizedOperation"):
        shelf.end(volume)


def test_an_error_inside_of_a_success_raises() -> None:
    error = {"Code": "fleetIdDoesNotExist", "Message": "no"}
    refused = {"UnsuccessfulFleetDeletions": [{"FleetId": "fleet-1", "Error": error}]}
    shelf, _ = answers(("delete_fleets", refused, None))
    with pytest.raises(ConfigurationRefused, match="could not delete fleet-1: "):
        shelf.end(Orphan(what=What.FLEET, name="fleet-1", unused=because(Code.UNATTACHED)))


@pytest.fixture
def upload(buckets: None) -> str:
    """An upload into the raw bucket of which one part came."""
    s3 = boto3.client("s3")
    begun = s3.create_multipart_upload(Bucket="raw", Key="runs/r1/fastq/a?b.fastq.gz")
    where = {"Bucket": "raw", "Key": begun["Key"], "UploadId": begun["UploadId"]}
    s3.upload_part(**where, PartNumber=1, Body=PART)
    return str(begun["UploadId"])


def test_an_upload_is_left_when_nothing_came_for_a_day(upload: str) -> None:
    boto3.client("s3").create_multipart_upload(Bucket="raw", Key="inbox/other.tar")
    shelf, now = Uploads("s", ("raw", "results")), datetime.now(UTC)
    assert names(shelf.left(now + timedelta(hours=23))) == []
    (thing,) = shelf.left(now + timedelta(hours=25))
    assert thing.name == f"raw/runs/r1/fastq/a?b.fastq.gz?uploadId={upload}"
    assert thing.unused.text().startswith("its last part came ")
    shelf.end(thing)
    shelf.end(thing)
    assert names(shelf.left(now + timedelta(days=9))) == []


def test_an_upload_that_goes_on_slowly_is_left_alone(
    upload: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = datetime.now(UTC) + timedelta(days=3)
    shelf = Uploads("s", ("raw",))
    monkeypatch.setattr(shelf, "_last_part", lambda *_: later - timedelta(hours=2))
    assert names(shelf.left(later)) == []


def test_a_sight_is_forgotten_when_it_was_not_repeated(ledger: Table) -> None:
    kills, thing = (
        Kills(ledger),
        Orphan(what=What.VOLUME, name="vol-1", unused=because(Code.UNATTACHED)),
    )
    assert kills.first_seen(thing, AT) is None
    assert kills.note(thing, AT) == AT
    soon = AT + timedelta(minutes=29)
    assert kills.note(thing, soon) == AT
    assert kills.first_seen(thing, soon + timedelta(minutes=29)) == AT
    late = soon + timedelta(minutes=31)
    assert kills.first_seen(thing, late) is None
    assert kills.note(thing, late) == late


def test_an_expiry_is_laid_down_once_and_calls_the_reaper() -> None:
    with mocked_aws():
        client = boto3.client("scheduler")
        client.create_schedule_group(Name="expiries")
        expiries = Expiries("expiries", "arn:aws:lambda:r:1:function:f", "arn:aws:iam::1:role/r")
        for _ in range(2):
            expiries.set("i-1", AT)
        (one,) = client.list_schedules(GroupName="expiries")["Schedules"]
        schedule = client.get_schedule(GroupName="expiries", Name=one["Name"])
    assert schedule["ScheduleExpression"] == "at(2026-11-21T12:00:00)"
    assert schedule["ActionAfterCompletion"] == "DELETE"
    assert '"instance_id": "i-1"' in schedule["Target"]["Input"]
