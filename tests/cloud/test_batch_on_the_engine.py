"""AWS Batch on the embedded AWS: a job waits, runs here under its own role, and ends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from porewatch_local.embedded.clients import client
from porewatch_local.embedded.instance_host_process import (
    interrupt,
    kill,
)
from tests.cloud.conftest import Cloud
from tests.cloud.making import (
    allow,
    bucket,
    events_queue,
    named,
    received,
    role,
    user,
    wait_for,
)

pytestmark = pytest.mark.cloud
STAYS = ["/bin/sh", "-c", "echo begun; sleep 600 & wait"]
DEAF = ["/bin/sh", "-c", "trap '' TERM; echo begun; while :; do sleep 0.2; done"]


@pytest.fixture(scope="module")
def places(cloud: Cloud) -> Iterator[dict[str, str]]:
    """A compute environment, a queue and a definition, made by CloudFormation; their ARNs."""
    stacks, name = cloud.client("cloudformation"), named("batch")
    stacks.create_stack(StackName=name, TemplateBody=json.dumps(_template()))
    stacks.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    outputs = stacks.describe_stacks(StackName=name)["Stacks"][0]["Outputs"]
    yield {o["OutputKey"]: o["OutputValue"] for o in outputs} | {"Stack": name}
    stacks.delete_stack(StackName=name)


def _template(memory: str = "512") -> dict[str, Any]:
    compute = {"Type": "SPOT", "MaxvCpus": 8, "Subnets": ["subnet-1"], "InstanceTypes": ["m6i"]}
    needs = [{"Type": "VCPU", "Value": "1"}, {"Type": "MEMORY", "Value": memory}]
    container = {
        "Image": "worker@sha256:0",
        "Command": ["/bin/true"],
        "Environment": [{"Name": "FROM", "Value": "definition"}, {"Name": "KEPT", "Value": "yes"}],
        "ResourceRequirements": needs,
    }
    order = [{"Order": 1, "ComputeEnvironment": {"Ref": "Hosts"}}]
    return {
        "Resources": {
            "Hosts": {
                "Type": "AWS::Batch::ComputeEnvironment",
                "Properties": {"Type": "MANAGED", "ComputeResources": compute},
            },
            "SpotQueue": {
                "Type": "AWS::Batch::JobQueue",
                "Properties": {"Priority": 1, "ComputeEnvironmentOrder": order},
            },
            "Job": {
                "Type": "AWS::Batch::JobDefinition",
                "Properties": {"Type": "container", "ContainerProperties": container},
            },
        },
        "Outputs": {name: {"Value": {"Ref": name}} for name in ("Hosts", "SpotQueue", "Job")},
    }


def _submit(cloud: Cloud, places: dict[str, str], **more: Any) -> str:
    request = {
        "jobName": named("job"),
        "jobQueue": places["SpotQueue"],
        "jobDefinition": places["Job"],
        "tags": {"porewatch-stack": "test"},
        **more,
    }
    return str(cloud.client("batch").submit_job(**request)["jobId"])


def _staying(cloud: Cloud, places: dict[str, str], command: list[str] = STAYS) -> str:
    job = _submit(cloud, places, containerOverrides={"command": command})
    wait_for(lambda: "begun" in _console(cloud, job), what="the begin of the job")
    assert _job(cloud, job)["status"] == "RUNNING"
    return job


def _job(cloud: Cloud, job: str) -> dict[str, Any]:
    (found,) = cloud.client("batch").describe_jobs(jobs=[job])["jobs"]
    return dict(found)


def _over(cloud: Cloud, job: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        found = _job(cloud, job)
        return found if found["status"] in ("SUCCEEDED", "FAILED") else None

    return wait_for(look, what="the end of the job") or {}


def _console(cloud: Cloud, job: str) -> str:
    path = cloud.home.instances / job / "console.log"
    return path.read_text() if path.exists() else ""


WORK = """
import os, boto3
from botocore.exceptions import ClientError
s3 = boto3.client("s3")
text = " ".join(os.environ[n] for n in ("FROM", "KEPT", "AWS_BATCH_JOB_ID", "AWS_BATCH_JQ_NAME"))
s3.put_object(Bucket="ROOM", Key="runs/1", Body=text.encode())
try:
    s3.put_object(Bucket="ROOM", Key="elsewhere", Body=b"")
except ClientError as denied:
    print("denied:", denied.response["Error"]["Code"])
"""


def test_a_job_runs_under_its_own_role_with_what_it_was_submitted_with(
    cloud: Cloud, places: dict[str, str]
) -> None:
    room = bucket(cloud)
    may = allow("s3:PutObject", on=f"arn:aws:s3:::{room}/runs/*")
    batch = cloud.client("batch")
    definition = batch.register_job_definition(
        jobDefinitionName=named("job"),
        type="container",
        containerProperties={
            "image": "worker@sha256:0",
            "jobRoleArn": role(cloud, "ecs-tasks.amazonaws.com", may),
            "command": ["python", "-c", WORK.replace("ROOM", room)],
            "environment": [{"name": "FROM", "value": "definition"}],
        },
    )["jobDefinitionArn"]
    variables = [{"name": "FROM", "value": "submission"}, {"name": "KEPT", "value": "yes"}]
    job = _submit(
        cloud, places, jobDefinition=definition, containerOverrides={"environment": variables}
    )
    done = _over(cloud, job)
    assert (done["status"], done["container"]["exitCode"]) == ("SUCCEEDED", 0), _console(cloud, job)
    assert done["createdAt"] <= done["startedAt"] <= done["stoppedAt"]
    written = cloud.client("s3").get_object(Bucket=room, Key="runs/1")["Body"].read().decode()
    assert written == f"submission yes {job} {places['SpotQueue'].rsplit('/', 1)[-1]}"
    assert "denied: AccessDenied" in _console(cloud, job)


def test_a_job_without_our_tag_waits_for_somebody_else(
    cloud: Cloud, places: dict[str, str]
) -> None:
    """And one that waits ends at once when it is terminated."""
    stranger = _submit(cloud, places, tags={})
    _over(cloud, _submit(cloud, places))
    waiting = _job(cloud, stranger)
    assert waiting["status"] == "RUNNABLE"
    assert "startedAt" not in waiting
    cloud.client("batch").terminate_job(jobId=stranger, reason="not wanted")
    ended = _job(cloud, stranger)
    assert (ended["status"], ended["statusReason"]) == ("FAILED", "not wanted")
    assert "startedAt" not in ended


def test_jobs_are_listed_by_name_without_case_and_by_its_beginning(
    cloud: Cloud, places: dict[str, str]
) -> None:
    batch, name = cloud.client("batch"), named("Wanted")
    wanted = [_submit(cloud, places, jobName=f"{name}-{n}", tags={}) for n in (1, 2)]
    _submit(cloud, places, tags={})

    def listed(*names: str) -> list[str]:
        pages = batch.get_paginator("list_jobs").paginate(
            jobQueue=places["SpotQueue"], filters=[{"name": "JOB_NAME", "values": list(names)}]
        )
        return [job["jobId"] for page in pages for job in page["jobSummaryList"]]

    assert listed(f"{name}-1".upper()) == wanted[:1]
    assert sorted(listed(f"{name}*")) == sorted(wanted)
    assert listed(name) == []
    running = batch.list_jobs(jobQueue=places["SpotQueue"])["jobSummaryList"]
    assert not {job["jobId"] for job in running} & set(wanted)
    for job in wanted:
        batch.terminate_job(jobId=job, reason="done")


@pytest.mark.parametrize("command", [STAYS, DEAF], ids=["obedient", "deaf"])
def test_a_terminated_job_gets_sigterm_and_then_sigkill(
    cloud: Cloud, places: dict[str, str], command: list[str]
) -> None:
    job = _staying(cloud, places, command)
    cloud.client("batch").terminate_job(jobId=job, reason="enough")
    done = _over(cloud, job)
    assert (done["status"], done["statusReason"]) == ("FAILED", "enough")
    assert done["container"]["exitCode"] == (137 if command is DEAF else 143)
    assert ("SIGKILL" in _console(cloud, job)) is (command is DEAF)
    cloud.client("batch").terminate_job(jobId=job, reason="again")
    assert _job(cloud, job)["statusReason"] == "enough"


def test_a_job_whose_host_is_reclaimed_says_so(cloud: Cloud, places: dict[str, str]) -> None:
    job = _staying(cloud, places)
    assert cloud.local.control
    interrupt(cloud.local.control, job, 0.5)
    done = _over(cloud, job)
    assert done["status"] == "FAILED"
    assert done["statusReason"].startswith("Host EC2 (instance i-")
    assert done["statusReason"].endswith(") terminated.")


def test_a_killed_job_fails_with_the_exit_code_of_sigkill_and_sends_events(
    cloud: Cloud, places: dict[str, str]
) -> None:
    queue = events_queue(cloud, {"source": ["aws.batch"]})
    job = _staying(cloud, places)
    assert cloud.local.control
    kill(cloud.local.control, job)
    done = _over(cloud, job)
    assert (done["status"], done["container"]["exitCode"]) == ("FAILED", 137)
    assert done["statusReason"] == "Essential container in task exited"
    statuses: list[str] = []

    def all_received() -> bool:
        ours = [e for e in received(cloud, queue) if e["detail"]["jobId"] == job]
        assert all(e["detail-type"] == "Batch Job State Change" for e in ours)
        statuses.extend(e["detail"]["status"] for e in ours)
        return "FAILED" in statuses

    wait_for(all_received, what="the event of the end")
    assert set(statuses) == {"RUNNABLE", "STARTING", "RUNNING", "FAILED"}


def test_a_job_for_what_there_is_not_is_refused(cloud: Cloud, places: dict[str, str]) -> None:
    for wrong in ({"jobQueue": "nowhere"}, {"jobDefinition": "nothing:1"}):
        with pytest.raises(ClientError, match="not found") as refused:
            _submit(cloud, places, **wrong)
        assert refused.value.response["Error"]["Code"] == "ClientException"


def test_who_may_submit_to_one_queue_and_end_one_job_may_do_no_other(
    cloud: Cloud, places: dict[str, str]
) -> None:
    mine = _submit(cloud, places, tags={})
    job = places["SpotQueue"].replace("job-queue/", "job/").rsplit("/", 1)[0] + f"/{mine}"
    here = user(
        cloud,
        allow("batch:SubmitJob", on=places["SpotQueue"]),
        allow("batch:TerminateJob", on=job),
    )
    elsewhere = user(cloud, allow("batch:SubmitJob", on=places["SpotQueue"] + "-other"))
    request = {
        "jobName": named("job"),
        "jobQueue": places["SpotQueue"],
        "jobDefinition": places["Job"],
    }
    other = client(cloud.local, "batch", here).submit_job(**request)["jobId"]
    client(cloud.local, "batch", here).terminate_job(jobId=mine, reason="mine")
    for key, call in (
        (elsewhere, lambda batch: batch.submit_job(**request)),
        (here, lambda batch: batch.terminate_job(jobId=other, reason="not mine")),
    ):
        with pytest.raises(ClientError) as refused:
            call(client(cloud.local, "batch", key))
        assert refused.value.response["Error"]["Code"] == "AccessDeniedException"
    cloud.client("batch").terminate_job(jobId=other, reason="done")


def test_a_changed_definition_is_its_next_revision(cloud: Cloud, places: dict[str, str]) -> None:
    stacks = cloud.client("cloudformation")
    stacks.update_stack(StackName=places["Stack"], TemplateBody=json.dumps(_template("1024")))
    stacks.get_waiter("stack_update_complete").wait(
        StackName=places["Stack"], WaiterConfig={"Delay": 1}
    )
    found = stacks.describe_stacks(StackName=places["Stack"])["Stacks"][0]["Outputs"]
    after = {o["OutputKey"]: o["OutputValue"] for o in found}
    assert after["SpotQueue"] == places["SpotQueue"]
    assert after["Job"] == places["Job"].replace(":1", ":2")
    with pytest.raises(ClientError, match="not found"):
        _submit(cloud, places)
    places["Job"] = after["Job"]
    _over(cloud, _submit(cloud, places))
