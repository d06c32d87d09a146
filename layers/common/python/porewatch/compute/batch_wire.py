"""The wire format of AWS Batch: the name of a job, its request, and a job as an instance. Pure."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

from porewatch.compute.batch_rungs import GPU_REFERENCE, job_share, name_in, share_in
from porewatch.domain.base import now
from porewatch.domain.stage.instances import (
    EXPIRES_TAG,
    PURCHASE_TAG,
    LaunchSpec,
    Machine,
    MachineState,
    Owner,
    tagged_time,
)

SHORTEST_TIMEOUT = 60
WAITING = frozenset({"SUBMITTED", "PENDING", "RUNNABLE", "STARTING"})
OVER = frozenset({"SUCCEEDED", "FAILED"})


def job_name(owner: Owner) -> str:
    """At most 128 characters of letters, digits, `-` and `_`; unique per owner, also for Batch,
    which ignores case."""
    whole = hashlib.sha256(owner.canonical_json().encode()).hexdigest()[:12]
    readable = f"{owner.run_id}-r{owner.revision}-{owner.stage}-e{owner.epoch}"
    return f"{name_prefix(owner.stack)}{whole}-{readable}"[:128]


def name_prefix(stack: str) -> str:
    return f"{stack[:24]}-"


def job_request(spec: LaunchSpec, at: datetime) -> dict[str, Any]:
    """The whole SubmitJob request. One attempt: retries are decided by the control plane."""
    owner = spec.owner
    environment = {
        "POREWATCH_RUN": owner.run_id,
        "POREWATCH_REVISION": str(owner.revision),
        "POREWATCH_STAGE": owner.stage,
        "POREWATCH_EPOCH": str(owner.epoch),
        "POREWATCH_SECRET": spec.secret,
    }
    needs = [("VCPU", spec.vcpus), ("MEMORY", spec.memory_mib)]
    if share_in(spec.instance_types[0])[1] == GPU_REFERENCE.name:
        needs.append(("GPU", 1))  # undocumented whether the definition's is kept beside an override
    lasts = int((spec.expires_at - at).total_seconds())
    return {
        "jobName": job_name(owner),
        "jobQueue": spec.job_queue,
        "jobDefinition": spec.job_definition,
        "containerOverrides": {
            "environment": [{"name": name, "value": value} for name, value in environment.items()],
            "resourceRequirements": [{"type": t, "value": str(n)} for t, n in needs],
        },
        "retryStrategy": {"attempts": 1},
        "timeout": {"attemptDurationSeconds": max(SHORTEST_TIMEOUT, lasts)},
        "propagateTags": True,
        "tags": spec.tags(),
    }


def machine_of(job: Any) -> Machine:
    """A job of DescribeJobs. `launched_at` is the start of its container, for a queued job its
    submission; one that never started has no duration."""
    tags = job.get("tags", {})
    began, ended = moment(job.get("startedAt")), moment(job.get("stoppedAt"))
    stopping = job.get("isTerminated") or job.get("isCancelled")
    state = MachineState.ENDING if stopping else MachineState.RUNNING
    return Machine(
        instance_id=job["jobId"],
        state=MachineState.GONE if job["status"] in OVER else state,
        instance_type=_share_of_job(job.get("container", {})),
        purchase="spot" if tags.get(PURCHASE_TAG) == "spot" else "on-demand",
        availability_zone=name_in(job["jobQueue"]),
        launched_at=began or ended or moment(job["createdAt"]) or now(),
        owner=Owner.from_tags(tags),
        expires_at=tagged_time(tags.get(EXPIRES_TAG)),
        ended_at=ended,
        why_ended=job.get("statusReason", ""),
        executor="batch",
        waiting=job["status"] in WAITING,
        session=job.get("container", {}).get("taskArn", "").rsplit("/", 1)[-1],
    )


def submitted(job_id: str, spec: LaunchSpec) -> Machine:
    """The job that was just submitted. DescribeJobs may not show it yet."""
    return Machine(
        instance_id=job_id,
        state=MachineState.RUNNING,
        instance_type=spec.instance_types[0],
        purchase=spec.purchase,
        availability_zone=name_in(spec.job_queue),
        launched_at=now(),
        owner=spec.owner,
        expires_at=spec.expires_at,
        executor="batch",
        waiting=True,
    )


def _share_of_job(container: Any) -> str:
    needs = {n["type"]: float(n["value"]) for n in container.get("resourceRequirements", [])}
    return job_share(needs.get("VCPU", 0), needs.get("MEMORY", 0), gpus=needs.get("GPU", 0))


def moment(milliseconds: int | None) -> datetime | None:
    return datetime.fromtimestamp(milliseconds / 1000, UTC) if milliseconds else None
