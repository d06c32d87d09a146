"""The host's calls of AWS: instances and jobs, their roles, and reports of their state."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
from botocore.config import Config

from porewatch_local.instance_host.config import HostConfig
from porewatch_local.instance_host.machine import Machine

_LIVE = ["pending", "running"]
_UNFINISHED = ("RUNNABLE", "STARTING", "RUNNING")
_RENEW_BEFORE = timedelta(minutes=15)


class Cloud:
    """The host's clients, under its own IAM user."""

    def __init__(self, config: HostConfig) -> None:
        self._config = config
        session = boto3.Session(
            aws_access_key_id=config.credentials.access_key_id,
            aws_secret_access_key=config.credentials.secret_access_key,
            region_name=config.region,
        )
        patient = Config(retries={"max_attempts": 3}, connect_timeout=3, read_timeout=20)
        for name in ("ec2", "events", "iam", "sts", "batch", "ecs"):
            client = session.client(name, endpoint_url=config.endpoint, config=patient)
            setattr(self, f"_{name}", client)
        self._roles: dict[str, dict[str, Any]] = {}

    _ec2: Any
    _events: Any
    _iam: Any
    _sts: Any
    _batch: Any
    _ecs: Any

    def instances(self) -> dict[str, dict[str, Any]]:
        """Pending and running instances that carry our tag, by id."""
        pages = self._ec2.get_paginator("describe_instances").paginate(
            Filters=[{"Name": "instance-state-name", "Values": _LIVE}]
        )
        found = (i for page in pages for r in page["Reservations"] for i in r["Instances"])
        return {i["InstanceId"]: i for i in found if self._config.marker_tag in tags_of(i)}

    def jobs(self) -> dict[str, dict[str, Any]]:
        """Jobs that are not over, carry our tag and are not terminated, by id."""
        queues = [q["jobQueueArn"] for q in self._batch.describe_job_queues()["jobQueues"]]
        listed = [j["jobId"] for queue in queues for j in self._unfinished(queue)]
        some = (listed[start : start + 100] for start in range(0, len(listed), 100))
        found = (j for ids in some for j in self._batch.describe_jobs(jobs=ids)["jobs"])
        mine = (j for j in found if self._config.marker_tag in j["tags"] and not j["isTerminated"])
        return {job["jobId"]: job for job in mine}

    def _unfinished(self, queue: str) -> list[dict[str, Any]]:
        every = [{"name": "JOB_NAME", "values": ["*"]}]
        found = self._batch.list_jobs(jobQueue=queue, filters=every)["jobSummaryList"]
        return [job for job in found if job["status"] in _UNFINISHED]

    def report(self, machine: Machine, status: str, reason: str = "", code: int = 0) -> None:
        """Report a job's container state, as the ECS agent does. `code` counts when it STOPPED."""
        stopped = {"containers": [{"containerName": "default", "exitCode": code}]}
        self._ecs.submit_task_state_change(
            cluster=machine.host_id,
            task=machine.instance_id,
            status=status,
            reason=reason,
            **(stopped if status == "STOPPED" else {}),
        )

    def user_data(self, instance: dict[str, Any]) -> tuple[bytes, str | None]:
        """(script, instance profile ARN or name) from the instance's launch template."""
        tags = tags_of(instance)
        wanted = tags.get("aws:ec2launchtemplate:id") or tags.get(self._config.template_tag)
        if not wanted:
            raise LookupError("the instance names no launch template")
        key = "LaunchTemplateId" if wanted.startswith("lt-") else "LaunchTemplateName"
        version = tags.get("aws:ec2launchtemplate:version", "$Default")
        answer = self._ec2.describe_launch_template_versions(**{key: wanted}, Versions=[version])
        data = answer["LaunchTemplateVersions"][0]["LaunchTemplateData"]
        profile = data.get("IamInstanceProfile", {})
        script = base64.b64decode(data.get("UserData", ""))
        if not script:
            raise LookupError(f"launch template {wanted} version {version} has no user-data")
        return script, profile.get("Arn") or profile.get("Name")

    def role_of(self, profile: str) -> str:
        """The ARN of the one role in an instance profile (given by ARN or name)."""
        answer = self._iam.get_instance_profile(InstanceProfileName=profile.rsplit("/", 1)[-1])
        return str(answer["InstanceProfile"]["Roles"][0]["Arn"])

    def credentials(self, role: str, instance_id: str) -> dict[str, Any]:
        """Temporary credentials of `role`, renewed well before they expire."""
        known = self._roles.get(instance_id)
        if known is None or known["Expiration"] - datetime.now(UTC) < _RENEW_BEFORE:
            known = self._sts.assume_role(RoleArn=role, RoleSessionName=instance_id)["Credentials"]
            self._roles[instance_id] = known
        return known

    def terminate(self, instance_id: str) -> None:
        self._ec2.terminate_instances(InstanceIds=[instance_id])

    def announce(self, machine: Machine, detail_type: str, **detail: str) -> None:
        """Put an EC2 event on the default bus, under our own source (`aws.ec2` is reserved)."""
        arn = f"arn:aws:ec2:{machine.region}:{machine.account}:instance/{machine.instance_id}"
        self._events.put_events(
            Entries=[
                {
                    "Source": self._config.event_source,
                    "DetailType": detail_type,
                    "Resources": [arn],
                    "Detail": json.dumps({"instance-id": machine.instance_id, **detail}),
                }
            ]
        )


def tags_of(instance: dict[str, Any]) -> dict[str, str]:
    """Tags of a DescribeInstances entry as a dictionary."""
    return {t["Key"]: t["Value"] for t in instance.get("Tags", [])}
