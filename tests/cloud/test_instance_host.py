"""Machines of the embedded AWS: what is launched runs here, under its role, and ends."""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import psutil
import pytest
from botocore.exceptions import ClientError

from porewatch_local.embedded.instance_host_process import (
    instances,
    interrupt,
    kill,
    rebalance,
)
from porewatch_local.embedded.up import up
from porewatch_local.instance_host.config import EVENT_SOURCE
from porewatch_local.paths import LocalProblem
from porewatch_local.processes import wait_until_ended
from tests.cloud.conftest import QUICK, Cloud
from tests.cloud.making import allow, bucket, events_queue, named, received, role, wait_for

pytestmark = pytest.mark.cloud

STAYS = "#!/bin/bash\nsleep 600 & echo child $!\nwait\n"


def _template(cloud: Cloud, user_data: str, *statements: dict[str, Any]) -> str:
    """A launch template as the product's: profile with one role, marker tag, user-data."""
    iam, name = cloud.client("iam"), named("profile")
    profile = iam.create_instance_profile(InstanceProfileName=name)["InstanceProfile"]["Arn"]
    worker = role(cloud, "ec2.amazonaws.com", *statements).rsplit("/", 1)[-1]
    iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=worker)
    made = cloud.client("ec2").create_launch_template(
        LaunchTemplateName=named("lt"),
        LaunchTemplateData={
            "ImageId": "ami-12345678",
            "InstanceType": "c7g.large",
            "IamInstanceProfile": {"Arn": profile},
            "UserData": base64.b64encode(user_data.encode()).decode(),
            "TagSpecifications": [
                {
                    "ResourceType": "instance",
                    "Tags": [{"Key": "porewatch-stack", "Value": "test"}],
                }
            ],
        },
    )
    return str(made["LaunchTemplate"]["LaunchTemplateId"])


def _launch(cloud: Cloud, user_data: str, *statements: dict[str, Any], **tags: str) -> str:
    """Launch one spot instance with CreateFleet; its id, once it runs here."""
    template = _template(cloud, user_data, *statements)
    answer = cloud.client("ec2").create_fleet(
        Type="instant",
        LaunchTemplateConfigs=[
            {"LaunchTemplateSpecification": {"LaunchTemplateId": template, "Version": "$Latest"}}
        ],
        TargetCapacitySpecification={
            "TotalTargetCapacity": 1,
            "DefaultTargetCapacityType": "spot",
        },
        TagSpecifications=[
            {
                "ResourceType": "instance",
                "Tags": [{"Key": k.replace("_", "-"), "Value": v} for k, v in tags.items()],
            }
        ],
    )
    launched = str(answer["Instances"][0]["InstanceIds"][0])
    wait_for(lambda: _record(cloud, launched), what="the boot")
    return launched


def _record(cloud: Cloud, instance: str) -> dict[str, Any] | None:
    path = cloud.home.instances / instance / "machine.json"
    return json.loads(path.read_text()) if path.exists() else None


def _console(cloud: Cloud, instance: str) -> str:
    path = cloud.home.instances / instance / "console.log"
    return path.read_text() if path.exists() else ""


def _state(cloud: Cloud, instance: str) -> str:
    try:
        found = cloud.client("ec2").describe_instances(InstanceIds=[instance])["Reservations"]
    except ClientError:
        return "terminated"  # the engine forgets what has ended
    return str(found[0]["Instances"][0]["State"]["Name"])


def _gone(cloud: Cloud, instance: str) -> bool:
    record = _record(cloud, instance) or {}
    return record.get("ended_at") is not None and _state(cloud, instance) == "terminated"


def _request(
    cloud: Cloud, instance: str, path: str, *, method: str = "GET", **headers: str
) -> tuple[int, str]:
    assert cloud.local.control
    request = urllib.request.Request(
        f"{cloud.local.control.url}/{instance}/latest/{path}",
        method=method,
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )
    try:
        with urllib.request.urlopen(request) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, ""


def _read(cloud: Cloud, instance: str, path: str) -> tuple[int, str]:
    ttl = {"X_aws_ec2_metadata_token_ttl_seconds": "60"}
    _, token = _request(cloud, instance, "api/token", method="PUT", **ttl)
    return _request(cloud, instance, path, X_aws_ec2_metadata_token=token)


WORKER = """#!/usr/bin/env python
import os, urllib.request
import boto3
from botocore.exceptions import ClientError
base = os.environ["AWS_EC2_METADATA_SERVICE_ENDPOINT"] + "/latest/"
def get(path, method="GET", **headers):
    request = urllib.request.Request(base + path, method=method, headers=headers)
    return urllib.request.urlopen(request).read().decode()
token = get("api/token", "PUT", **{"X-aws-ec2-metadata-token-ttl-seconds": "60"})
run = get("meta-data/tags/instance/porewatch-run", **{"X-aws-ec2-metadata-token": token})
s3 = boto3.client("s3")
s3.put_object(Bucket="ROOM", Key="runs/" + run, Body=os.environ["REFERENCES_PATH"].encode())
try:
    s3.put_object(Bucket="ROOM", Key="elsewhere", Body=b"")
except ClientError as denied:
    print("denied:", denied.response["Error"]["Code"])
os.system("mount -t efs fs-1 /mnt/references && shutdown -h now")
"""


def test_user_data_runs_under_the_role_of_the_instance_and_then_it_ends(cloud: Cloud) -> None:
    room = bucket(cloud)
    may = allow("s3:PutObject", on=f"arn:aws:s3:::{room}/runs/*")
    launched = _launch(cloud, WORKER.replace("ROOM", room), may, porewatch_run="run-7")
    wait_for(lambda: _gone(cloud, launched), what="the end of the instance")
    written = cloud.client("s3").get_object(Bucket=room, Key="runs/run-7")["Body"].read()
    assert written.decode() == str(cloud.home.references)
    console = _console(cloud, launched)
    assert "denied: AccessDenied" in console
    assert "not done here: mount -t efs fs-1 /mnt/references" in console
    assert "not done here: shutdown -h now" in console


def test_metadata_needs_a_token_of_this_instance(cloud: Cloud) -> None:
    launched = _launch(cloud, STAYS)
    assert _request(cloud, launched, "meta-data/instance-id")[0] == 401
    assert _request(cloud, launched, "api/token", method="PUT")[0] == 400
    forged = {"X_aws_ec2_metadata_token": "9999999999." + "0" * 64}
    assert _request(cloud, launched, "meta-data/instance-id", **forged)[0] == 401
    assert _read(cloud, launched, "meta-data/instance-id") == (200, launched)
    assert _read(cloud, launched, "meta-data/instance-life-cycle") == (200, "spot")
    assert _read(cloud, launched, "meta-data/nothing")[0] == 404
    document = json.loads(_read(cloud, launched, "dynamic/instance-identity/document")[1])
    assert document["instanceType"] == "c7g.large"
    names = _read(cloud, launched, "meta-data/tags/instance")[1].splitlines()
    assert "porewatch-stack" in names
    assert cloud.local.control
    kill(cloud.local.control, launched)


def test_an_interruption_is_announced_and_then_it_comes(cloud: Cloud) -> None:
    queue = events_queue(cloud, {"source": [EVENT_SOURCE]})
    launched = _launch(cloud, STAYS)
    assert _read(cloud, launched, "meta-data/spot/instance-action")[0] == 404
    assert cloud.local.control
    interrupt(cloud.local.control, launched, 1.5)
    status, notice = _read(cloud, launched, "meta-data/spot/instance-action")
    assert (status, json.loads(notice)["action"]) == (200, "terminate")
    assert _state(cloud, launched) == "running"
    wait_for(lambda: _gone(cloud, launched), what="the interruption")
    events: list[dict[str, Any]] = []

    def all_received() -> bool:
        events.extend(m for m in received(cloud, queue) if m["detail"]["instance-id"] == launched)
        return any(m["detail"].get("state") == "terminated" for m in events)

    wait_for(all_received, what="the events")
    kinds = [(m["detail-type"], m["detail"].get("state")) for m in events]
    assert ("EC2 Instance State-change Notification", "running") in kinds
    assert ("EC2 Spot Instance Interruption Warning", None) in kinds
    assert ("EC2 Instance State-change Notification", "shutting-down") in kinds


def test_a_rebalance_recommendation_is_visible_and_ends_nothing(cloud: Cloud) -> None:
    launched = _launch(cloud, STAYS)
    path = "meta-data/events/recommendations/rebalance"
    assert _read(cloud, launched, path)[0] == 404
    assert cloud.local.control
    rebalance(cloud.local.control, launched)
    status, text = _read(cloud, launched, path)
    assert (status, list(json.loads(text))) == (200, ["noticeTime"])
    assert _state(cloud, launched) == "running"
    kill(cloud.local.control, launched)


DEAF = """#!/bin/bash
trap '' TERM
sleep 600 & echo child $!
wait
"""


@pytest.mark.parametrize("user_data", [STAYS, DEAF], ids=["obedient", "deaf"])
def test_terminating_an_instance_ends_its_whole_process_group(cloud: Cloud, user_data: str) -> None:
    launched = _launch(cloud, user_data)
    wait_for(lambda: "child" in _console(cloud, launched))
    child = psutil.Process(int(_console(cloud, launched).split("child ")[1].split()[0]))
    assert child.is_running()
    cloud.client("ec2").terminate_instances(InstanceIds=[launched])
    wait_for(lambda: _gone(cloud, launched), what="the end of the instance")
    wait_for(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


def test_a_power_cut_gives_no_notice(cloud: Cloud) -> None:
    launched = _launch(cloud, "#!/bin/bash\ntrap 'echo goodbye' TERM EXIT\nsleep 600 & wait\n")
    assert cloud.local.control
    kill(cloud.local.control, launched)
    wait_for(lambda: _gone(cloud, launched), what="the end of the instance")
    assert "goodbye" not in _console(cloud, launched)


def test_a_template_without_user_data_ends_its_instance_and_says_why(cloud: Cloud) -> None:
    ec2 = cloud.client("ec2")
    launched = ec2.run_instances(
        ImageId="ami-12345678",
        MinCount=1,
        MaxCount=1,
        TagSpecifications=[
            {"ResourceType": "instance", "Tags": [{"Key": "porewatch-stack", "Value": "x"}]}
        ],
    )["Instances"][0]["InstanceId"]
    wait_for(lambda: _state(cloud, launched) == "terminated", what="the end of the instance")
    assert "cannot boot: the instance names no launch template" in _console(cloud, launched)


def test_control_needs_the_token_of_this_home(cloud: Cloud) -> None:
    assert cloud.local.control
    stranger = cloud.local.control.model_copy(update={"token": "guess"})
    with pytest.raises(LocalProblem, match="token is missing or wrong"):
        instances(stranger)
    with pytest.raises(LocalProblem, match="i-none does not run here"):
        interrupt(cloud.local.control, "i-none")


def test_a_new_host_adopts_what_a_crashed_one_left(cloud: Cloud) -> None:
    launched = _launch(cloud, STAYS)
    before = _record(cloud, launched)
    assert before and cloud.local.control
    ttl = {"X_aws_ec2_metadata_token_ttl_seconds": "60"}
    _, token = _request(cloud, launched, "api/token", method="PUT", **ttl)
    crashed = json.loads((cloud.home.state / "host.json").read_text())["pid"]
    host = psutil.Process(crashed)
    host.kill()
    assert wait_until_ended([host], 10)
    again = up(Path(cloud.home.root), deploy=False, **QUICK)
    assert again.pids["host"] != crashed
    assert again.control == cloud.local.control
    assert launched in {m["instance_id"] for m in instances(cloud.local.control)}
    after = _record(cloud, launched)
    assert after and after["pid"] == before["pid"]
    assert _request(cloud, launched, "meta-data/instance-id", X_aws_ec2_metadata_token=token) == (
        200,
        launched,
    )
    cloud.client("ec2").terminate_instances(InstanceIds=[launched])
    wait_for(lambda: _gone(cloud, launched), what="the end of the adopted instance")
