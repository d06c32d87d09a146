"""AWS Batch on this machine: what a job is to run, with what in its environment, and how it ended.

The host is what the ECS agent is on AWS: it starts the container's command, hands it the job's role
by the container credentials endpoint, and reports PENDING, RUNNING and STOPPED. There is no
container: the image is not looked at, and the command runs with the rights of whoever started the
host. A small shell around the command writes down its exit code.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from porewatch_local.instance_host.machine import Machine

KILLED = 137
_EXIT_CODE = "exit-code"
# The shell lets SIGTERM pass (the group gets it, the command with it) and waits for the command.
_SHELL = ["/bin/sh", "-c", f'trap : TERM; "$@"; echo $? > {_EXIT_CODE}', "job"]


def machine_of(job: dict[str, Any], region: str, account: str) -> Machine:
    """The record of a job that is about to start."""
    digest = hashlib.sha256(job["jobId"].encode()).hexdigest()
    queue = job["jobQueue"].rsplit("/", 1)[-1]
    return Machine(
        instance_id=job["jobId"],
        host_id=f"i-{digest[:17]}",
        instance_type="batch",
        zone=queue,
        region=region,
        account=account,
        lifecycle="spot" if "spot" in queue.lower() else "on-demand",
        image=job["container"].get("image", ""),
        tags=job["tags"],
        role=job["container"].get("jobRoleArn"),
        launched_at=datetime.now(UTC),
    )


def command_of(job: dict[str, Any]) -> Sequence[str]:
    """Raises LookupError when the definition names no command: no image could have one."""
    command = job["container"].get("command")
    if not command:
        raise LookupError("the job definition names no command")
    return [*_SHELL, *command]


def environment_of(job: dict[str, Any], credentials: str, token: str) -> dict[str, str]:
    """Variables of the definition and the submission, and those that Batch and ECS add.
    `credentials` is the address of the role's credentials, `token` what authorizes a call of it."""
    defined = {one["name"]: one["value"] for one in job["container"].get("environment", [])}
    return {
        **defined,
        "AWS_BATCH_JOB_ID": job["jobId"],
        "AWS_BATCH_JOB_ATTEMPT": "1",
        "AWS_BATCH_JQ_NAME": job["jobQueue"].rsplit("/", 1)[-1],
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": credentials,
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": token,
    }


def exit_code(folder: Path, machine: Machine) -> int:
    """Of a job's command; as for SIGKILL when nothing was left to write it down."""
    written = folder / machine.instance_id / _EXIT_CODE
    try:
        return int(written.read_text())
    except (FileNotFoundError, ValueError):
        return KILLED


def reason(machine: Machine) -> str:
    """AWS's status reason when the host of a job was terminated under it; empty otherwise."""
    taken = machine.notice_until is not None and datetime.now(UTC) >= machine.notice_until
    return f"Host EC2 (instance {machine.host_id}) terminated." if taken else ""
