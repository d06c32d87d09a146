"""Jobs of AWS Batch wait in their queue until a host runs them, and end as it reports.

Why: the engine calls every job done at once, knows neither filters of ListJobs nor TerminateJob,
accepts a job for a queue or definition that does not exist, sends no event of a job's changes, and
takes permissions on single queues and jobs for permissions on nothing. Here a job is RUNNABLE with
the container its definition and overrides make; the instance host calls as the ECS agent of a
host does on AWS (SubmitTaskStateChange, with the job's id for the task), and each change sends
"Batch Job State Change" of `aws.batch`.
Delete when: the engine runs jobs itself, or lets somebody else run them.
"""

from __future__ import annotations

import copy
import json
from typing import Any

from ministack.core import iam_actions
from ministack.core.responses import (
    error_response_json,
    get_account_id,
    get_region,
)
from ministack.services import batch, ecs, eventbridge

from ..rewriting import rewrite

_NOT_BEGUN = ("SUBMITTED", "PENDING", "RUNNABLE", "STARTING")
_OVER = ("SUCCEEDED", "FAILED")


def definition_of(reference: str) -> dict[str, Any] | None:
    """The definition that `name`, `name:revision` or an ARN means; the latest without revision."""
    name, _, revision = reference.rsplit("/", 1)[-1].partition(":")
    for made in reversed(batch._job_definitions.get(name, [])):
        if made["status"] == "ACTIVE" and revision in ("", str(made["revision"])):
            return dict(made)
    return None


def queue_of(reference: str) -> dict[str, Any] | None:
    found = batch._job_queues.get(reference.rsplit("/", 1)[-1])
    return dict(found) if found else None


def refused(request: dict[str, Any]) -> Any:
    """AWS's answer to a job that cannot be: None when it can."""
    queue = queue_of(request.get("jobQueue", ""))
    if queue is None or queue["state"] != "ENABLED":
        why = f"JobQueue {request.get('jobQueue')} not found or not enabled"
        return error_response_json("ClientException", why, 400)
    if definition_of(request.get("jobDefinition", "")) is None:
        why = f"JobDefinition {request.get('jobDefinition')} not found"
        return error_response_json("ClientException", why, 400)
    return None


def waiting(request: dict[str, Any]) -> dict[str, Any]:
    """What a job that was just submitted has beside its names."""
    definition = definition_of(request["jobDefinition"]) or {}
    queue = queue_of(request["jobQueue"]) or {}
    return {
        "status": "RUNNABLE",
        "statusReason": "",
        "jobQueue": queue["jobQueueArn"],
        "jobDefinition": definition["jobDefinitionArn"],
        "container": _container(definition, request.get("containerOverrides", {})),
        "timeout": request.get("timeout") or definition.get("timeout", {}),
        "retryStrategy": request.get("retryStrategy", {"attempts": 1}),
        "propagateTags": request.get("propagateTags", False),
        "isTerminated": False,
    }


def _container(definition: dict[str, Any], overrides: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = copy.deepcopy(definition["containerProperties"])
    for field, key in (("environment", "name"), ("resourceRequirements", "type")):
        merged = {entry[key]: entry for entry in made.get(field, [])}
        merged |= {entry[key]: entry for entry in overrides.get(field, [])}
        made[field] = list(merged.values())
    return {**made, "command": overrides.get("command") or made.get("command", [])}


def named(job: dict[str, Any], filters: list[dict[str, Any]] | None) -> bool:
    """Whether the filter by name lets the job through; names are compared without their case."""
    for wanted in filters or []:
        if wanted.get("name") != "JOB_NAME":
            continue
        name, values = job["jobName"].lower(), [v.lower() for v in wanted["values"]]
        if not any(name.startswith(v[:-1]) if v.endswith("*") else name == v for v in values):
            return False
    return True


def terminate_job(request: dict[str, Any]) -> Any:
    """Mark a job on a host as terminated; a waiting one ends at once, one that is over stays so."""
    job = batch._jobs.get(request.get("jobId", ""))
    if job is None:
        return error_response_json("ClientException", "Job not found", 400)
    if job["status"] not in _OVER:
        job["isTerminated"], job["statusReason"] = True, request.get("reason", "")
        if job["status"] in _NOT_BEGUN:
            _move(job, "FAILED", stoppedAt=batch._now_ms())
    return batch._json(200, {})


def record_agent_state(change: dict[str, Any]) -> None:
    """Record the container state that the host reports: PENDING, RUNNING or STOPPED."""
    job = batch._jobs.get(change.get("task", ""))
    if job is None or job["status"] in _OVER:
        return
    if change["status"] == "PENDING":
        cluster = change.get("cluster", "")
        arn = f"arn:aws:ecs:{get_region()}:{get_account_id()}:task/{cluster}/{change['task']}"
        job["container"]["taskArn"] = arn
        _move(job, "STARTING")
    elif change["status"] == "RUNNING":
        job["container"]["containerInstanceArn"] = change.get("cluster", "")
        _move(job, "RUNNING", startedAt=batch._now_ms())
    elif change["status"] == "STOPPED":
        _stopped(job, change)


def _stopped(job: dict[str, Any], change: dict[str, Any]) -> None:
    exits = [one["exitCode"] for one in change.get("containers", []) if "exitCode" in one]
    if exits:
        job["container"]["exitCode"] = exits[0]
    well = exits == [0] and not job["isTerminated"]
    why = change.get("reason") or "Essential container in task exited"
    job["statusReason"] = job["statusReason"] if job["isTerminated"] else why
    _move(job, "SUCCEEDED" if well else "FAILED", stoppedAt=batch._now_ms())


def _move(job: dict[str, Any], status: str, **times: int) -> None:
    job.update(times, status=status)
    announce(job)


def announce(job: dict[str, Any]) -> None:
    """The event AWS sends at every change of a job."""
    entry = {
        "Source": "aws.batch",
        "DetailType": "Batch Job State Change",
        "Detail": json.dumps(job),
        "Resources": [job["jobArn"]],
    }
    eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)


def resource_of(path: str, body: bytes, region: str, account: str) -> str:
    """The queue or the job that a request is about, for policies; `*` for all other requests."""
    request = json.loads(body or b"{}")
    of_kind = {"submitjob": ("job-queue", "jobQueue"), "terminatejob": ("job", "jobId")}
    kind, field = of_kind.get(path.strip("/").rsplit("/", 1)[-1].lower(), ("", ""))
    name = str(request.get(field, "")).rsplit("/", 1)[-1]
    return f"arn:aws:batch:{region}:{account}:{kind}/{name}" if kind else "*"


def apply() -> None:
    rewrite(
        batch,
        "_submit_job",
        (
            "    job_id = new_uuid()\n",
            "    if _porewatch_refused(p):\n        return _porewatch_refused(p)\n"
            "    job_id = new_uuid()\n",
        ),
        (
            '        "status": "SUCCEEDED",\n'
            '        "statusReason": "Stub job completed immediately",\n'
            '        "createdAt": now,\n'
            '        "startedAt": now,\n'
            '        "stoppedAt": now,\n'
            '        "container": {"exitCode": 0},\n'
            '        "tags": p.get("tags", {}),\n'
            "    }\n"
            "    _jobs[job_id] = rec\n",
            '        "createdAt": now,\n'
            '        "tags": p.get("tags", {}),\n'
            "        **_porewatch_waiting(p),\n"
            "    }\n"
            "    _jobs[job_id] = rec\n"
            "    _porewatch_announce(rec)\n",
        ),
        _porewatch_refused=refused,
        _porewatch_waiting=waiting,
        _porewatch_announce=announce,
    )
    rewrite(
        batch,
        "_list_jobs",
        (
            '    status_filter = p.get("jobStatus")\n',
            '    status_filter = None if p.get("filters") else p.get("jobStatus", "RUNNING")\n',
        ),
        (
            '        if status_filter and j.get("status") != status_filter:\n',
            '        if not _porewatch_named(j, p.get("filters")):\n            continue\n'
            '        if status_filter and j.get("status") != status_filter:\n',
        ),
        (
            '"status": j["status"], "createdAt": j["createdAt"],\n',
            '"status": j["status"], "createdAt": j["createdAt"],\n'
            "            **{k: j[k] for k in _porewatch_shown if k in j},\n",
        ),
        _porewatch_named=named,
        _porewatch_shown=("startedAt", "stoppedAt", "statusReason"),
    )
    batch._DISPATCH["/v1/terminatejob"] = terminate_job
    rewrite(
        ecs,
        "_submit_task_state_change",
        ("    return json_response(", "    _porewatch_job(data)\n    return json_response("),
        _porewatch_job=record_agent_state,
    )
    rewrite(
        iam_actions,
        "extract_resource_arn",
        (
            '    if service == "apigateway":\n        # Management ARNs',
            '    if service == "batch":\n'
            "        return _porewatch_batch(path, body, region, account_id)\n"
            '    if service == "apigateway":\n        # Management ARNs',
        ),
        _porewatch_batch=resource_of,
    )
