"""The engine refuses what AWS refuses. The source of each refusal is in its patch."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from porewatch.adapters.objects import Objects
from porewatch.domain.errors import ConfigurationRefused, NotFound
from porewatch_local.embedded.capacity_limits import (
    FULL,
    NOT_OFFERED,
    Scarce,
    scarce,
    throttled,
)
from porewatch_local.embedded.clients import client
from porewatch_local.paths import REGION, Credentials
from tests.cloud.conftest import Cloud
from tests.cloud.making import allow, bucket, named, user, wait_for

pytestmark = pytest.mark.cloud


def template(cloud: Cloud, **data: Any) -> str:
    """A launch template; its id."""
    made = cloud.client("ec2").create_launch_template(
        LaunchTemplateName=named("lt"), LaunchTemplateData={"ImageId": "ami-12345678", **data}
    )
    return str(made["LaunchTemplate"]["LaunchTemplateId"])


def fleet(
    of: str, purchase: str = "spot", *pools: dict[str, Any], tags: dict[str, str] | None = None
) -> dict[str, Any]:
    """An instant fleet of one machine."""
    tag_list = [{"Key": key, "Value": value} for key, value in (tags or {}).items()]
    config: dict[str, Any] = {
        "LaunchTemplateSpecification": {"LaunchTemplateId": of, "Version": "$Latest"}
    }
    return {
        "Type": "instant",
        "LaunchTemplateConfigs": [config | ({"Overrides": list(pools)} if pools else {})],
        "TargetCapacitySpecification": {
            "TotalTargetCapacity": 1,
            "DefaultTargetCapacityType": purchase,
        },
        **(
            {"TagSpecifications": [{"ResourceType": "instance", "Tags": tag_list}]}
            if tag_list
            else {}
        ),
    }


@pytest.fixture
def ec2(cloud: Cloud) -> Any:
    return cloud.client("ec2")


def launched_and_refused(
    ec2: Any, request: dict[str, Any]
) -> tuple[list[str], list[tuple[str, str]]]:
    """The types that were launched (and are ended here), and what was refused: code, type."""
    answer = ec2.create_fleet(**request)
    for group in answer["Instances"]:
        ec2.terminate_instances(InstanceIds=group["InstanceIds"])
    refused = [
        (error["ErrorCode"], error["LaunchTemplateAndOverrides"]["Overrides"]["InstanceType"])
        for error in answer["Errors"]
    ]
    return [group["InstanceType"] for group in answer["Instances"]], refused


SPOT_TAG = [{"ResourceType": "spot-instances-request", "Tags": [{"Key": "a", "Value": "b"}]}]


def test_a_tag_on_a_spot_request_that_there_is_not(cloud: Cloud, ec2: Any) -> None:
    tagging = template(cloud, TagSpecifications=SPOT_TAG)
    assert launched_and_refused(ec2, fleet(tagging, "on-demand")) == (
        [],
        [("InvalidParameterValue", "t2.micro")],
    )
    assert launched_and_refused(ec2, fleet(tagging, "spot")) == (["t2.micro"], [])


@pytest.mark.parametrize(("gib", "there"), [(59, False), (60, True)])
def test_a_disk_that_is_smaller_than_its_image(
    cloud: Cloud, ec2: Any, gib: int, there: bool
) -> None:
    root = {"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 60}}
    image = ec2.register_image(
        Name=named("image"), RootDeviceName="/dev/xvda", BlockDeviceMappings=[root]
    )["ImageId"]
    disk = {"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": gib}}
    pool = {"InstanceType": "m5.large", "BlockDeviceMappings": [disk]}
    launched, refused = launched_and_refused(
        ec2, fleet(template(cloud, ImageId=image), "spot", pool)
    )
    assert launched == ["m5.large"] * there
    assert refused == [("InvalidBlockDeviceMapping", "m5.large")] * (not there)


def test_a_zone_without_the_type_and_a_pool_without_machines(cloud: Cloud, ec2: Any) -> None:
    pools = [{"InstanceType": kind} for kind in ("m5.large", "m6i.large", "m7i.large")]
    run = named("run")
    request = fleet(template(cloud), "spot", *pools, tags={"porewatch-run": run})
    rules = (
        Scarce(pool="m5.large@*", run=run, code=NOT_OFFERED),
        Scarce(purchase="spot", pool="m6i.*", run=run),
        Scarce(purchase="on-demand", pool="m7i.*", run=run),
    )
    with scarce(cloud.home, *rules):
        assert launched_and_refused(ec2, request) == (
            ["m7i.large"], [(NOT_OFFERED, "m5.large"), (FULL, "m6i.large")]
        )  # fmt: skip
    assert launched_and_refused(ec2, request) == (["m5.large"], [])


@pytest.mark.parametrize("how", ["request", "template"])
def test_a_launch_that_tags_without_the_right_to(cloud: Cloud, ec2: Any, how: str) -> None:
    tags = {"ResourceType": "volume", "Tags": [{"Key": "a", "Value": "b"}]}
    of = template(cloud, **({"TagSpecifications": [tags]} if how == "template" else {}))
    request = fleet(of, tags={"a": "b"} if how == "request" else None)
    launch = allow("ec2:CreateFleet", "ec2:RunInstances")
    tag = {**allow("ec2:CreateTags"), "Condition": {"StringEquals": MADE_BY_A_LAUNCH}}
    with pytest.raises(ClientError, match=r"ec2:CreateTags|UnauthorizedOperation"):
        client(cloud.local, "ec2", user(cloud, launch)).create_fleet(**request)
    made = client(cloud.local, "ec2", user(cloud, launch, tag)).create_fleet(**request)
    ec2.terminate_instances(InstanceIds=made["Instances"][0]["InstanceIds"])


MADE_BY_A_LAUNCH = {"ec2:CreateAction": ["CreateFleet", "RunInstances"]}


class Unfollowed(urllib.request.HTTPRedirectHandler):
    """A redirection is shown, not followed: its host is on the internet."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def answered(cloud: Cloud, link: str) -> tuple[int, str]:
    """The status and the place it points to, of a request under the link's own host."""
    host, _, path = link.partition("//")[2].partition("/")
    request = urllib.request.Request(f"{cloud.local.endpoint}/{path}", headers={"Host": host})
    try:
        with urllib.request.build_opener(Unfollowed).open(request, timeout=10) as reply:
            return reply.status, ""
    except urllib.error.HTTPError as error:
        return error.code, error.headers.get("Location", "")


def test_a_link_without_its_region_while_the_bucket_is_young(cloud: Cloud) -> None:
    """W1 of the rehearsal. The regional link works at once; the other one leads to a host that its
    signature does not cover. `s3.localhost` is the engine's global address."""
    away, name = cloud.local.model_copy(update={"region": "eu-west-1"}), named("bucket")
    there, port = client(away, "s3"), urlsplit(away.endpoint).port
    there.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    there.put_object(Bucket=name, Key="k", Body=b"x")

    def link(address: str) -> str:
        signer = boto3.client(
            "s3",
            endpoint_url=f"http://{address}:{port}",
            region_name="eu-west-1",
            aws_access_key_id=away.credentials.access_key_id,
            aws_secret_access_key=away.credentials.secret_access_key,
            config=Config(signature_version="s3v4", s3={"addressing_style": "virtual"}),
        )
        return str(signer.generate_presigned_url("get_object", {"Bucket": name, "Key": "k"}))

    assert answered(cloud, link("s3.eu-west-1.localhost")) == (200, "")
    status, place = answered(cloud, link("s3.localhost"))
    assert status == 307
    assert place.startswith(f"//{name}.s3.eu-west-1.localhost:{port}/k?")
    assert answered(cloud, place)[0] == 403


def code_of(call: Any, **request: Any) -> str:
    with pytest.raises(ClientError) as refused:
        call(**request)
    return str(refused.value.response["Error"]["Code"])


def test_more_requests_than_the_control_plane_takes(cloud: Cloud, ec2: Any) -> None:
    """Fifty changes at once, of an action that nobody else uses meanwhile; others go on."""
    key = cloud.local.credentials
    hurried = boto3.client(
        "ec2",
        endpoint_url=cloud.local.endpoint,
        region_name=REGION,
        aws_access_key_id=key.access_key_id,
        aws_secret_access_key=key.secret_access_key,
        config=Config(retries={"total_max_attempts": 1}),
    )
    codes = set()
    for _ in range(90):
        codes.add(code_of(hurried.delete_network_acl, NetworkAclId="acl-0"))
        if "RequestLimitExceeded" in codes:
            break
    assert codes == {"InvalidNetworkAclID.NotFound", "RequestLimitExceeded"}
    assert ec2.describe_instances(MaxResults=5)["Reservations"] is not None


def test_a_cluster_that_is_protected(cloud: Cloud) -> None:
    """W2 of the rehearsal; aws-cloudformation-resource-providers-rds, the delete handler."""
    rds, name = cloud.client("rds"), named("cluster")
    rds.create_db_cluster(
        DBClusterIdentifier=name,
        Engine="aurora-postgresql",
        MasterUsername="someone",
        MasterUserPassword="long-enough-0",
        DeletionProtection=True,
    )
    request = {"DBClusterIdentifier": name, "SkipFinalSnapshot": True}
    assert code_of(rds.delete_db_cluster, **request) == "InvalidParameterCombination"
    rds.modify_db_cluster(DBClusterIdentifier=name, DeletionProtection=False)
    rds.delete_db_cluster(**request)


def test_a_missing_object_to_who_may_list_nothing_or_only_a_prefix(cloud: Cloud) -> None:
    """S3 says 403 of it, as the request for an object has no prefix; a listing tells."""
    bucket = named("hidden").lower()
    cloud.client("s3").create_bucket(Bucket=bucket)
    arn = f"arn:aws:s3:::{bucket}"
    reads = allow("s3:GetObject", on=f"{arn}/*")
    below = {"StringLike": {"s3:prefix": "runs/a/*"}}
    listed = {**allow("s3:ListBucket", on=arn), "Condition": below}
    asked = {"Bucket": bucket, "Key": "runs/a/missing"}
    for rights in ([reads], [reads, listed]):
        s3 = client(cloud.local, "s3", user(cloud, *rights))
        with pytest.raises(ClientError) as refused:
            s3.get_object(**asked)
        assert refused.value.response["Error"]["Code"] == "AccessDenied"
        with pytest.raises(ClientError) as refused:
            s3.head_object(**asked)
        assert refused.value.response["Error"]["Code"] == "403"
    objects = Objects(bucket, s3)
    assert objects.head("runs/a/missing") is None
    with pytest.raises(NotFound):
        objects.get("runs/a/missing")
    with pytest.raises(ConfigurationRefused):
        objects.get("runs/b/missing")
    s3 = client(cloud.local, "s3", user(cloud, reads, allow("s3:ListBucket", on=arn)))
    with pytest.raises(ClientError) as absent:
        s3.get_object(**asked)
    assert absent.value.response["Error"]["Code"] == "NoSuchKey"


def test_a_restore_takes_longer_at_a_cheaper_tier(cloud: Cloud) -> None:
    s3, name = cloud.client("s3"), bucket(cloud)
    tiers, ready = ("Expedited", "Standard", "Bulk"), dict[str, float]()
    for tier in tiers:
        s3.put_object(Bucket=name, Key=tier, Body=b"x", StorageClass="GLACIER")
        asked = {"Days": 1, "GlacierJobParameters": {"Tier": tier}}
        s3.restore_object(Bucket=name, Key=tier, RestoreRequest=asked)
    began = time.monotonic()

    def all_back() -> bool:
        for tier in set(tiers) - set(ready):
            if 'ongoing-request="false"' in s3.head_object(Bucket=name, Key=tier)["Restore"]:
                ready[tier] = time.monotonic() - began
        return len(ready) == len(tiers)

    wait_for(all_back, 60, "the restores")
    assert list(ready) == list(tiers)


def test_who_is_throttled_is_refused_and_nobody_else(cloud: Cloud) -> None:
    name = bucket(cloud)
    granted = (allow("s3:*", "dynamodb:*", "sqs:*"),)
    theirs, others = user(cloud, *granted), user(cloud, *granted)
    once = Config(retries={"total_max_attempts": 1})

    def code(key: Credentials) -> str:
        made = boto3.client(
            "s3",
            endpoint_url=cloud.local.endpoint,
            region_name=REGION,
            aws_access_key_id=key.access_key_id,
            aws_secret_access_key=key.secret_access_key,
            config=once,
        )
        try:
            made.list_objects_v2(Bucket=name)
        except ClientError as refused:
            return str(refused.response["Error"]["Code"])
        return ""

    arn = client(cloud.local, "sts", theirs).get_caller_identity()["Arn"]
    with throttled(cloud.home, arn, 1.0):
        wait_for(lambda: code(theirs) == "SlowDown", 10)
        assert code(others) == ""
        dynamodb = client(cloud.local, "dynamodb", theirs)
        assert code_of(dynamodb.list_tables) == "ThrottlingException"
        assert code_of(client(cloud.local, "sqs", theirs).list_queues) == "RequestThrottled"
    wait_for(lambda: code(theirs) == "", 10)
