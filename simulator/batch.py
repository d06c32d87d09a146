"""AWS Batch: two queues, jobs that wait for a host, run, and end. It knows no client tokens: who
submits twice has two jobs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from itertools import count
from typing import Any

from porewatch.domain.stage.message_proofs import SECRET_TAG
from simulator.ec2 import Instance
from simulator.faults import refusal
from simulator.scheduler import START

QUEUES = ("spot-queue", "on-demand-queue")
RECLAIMED = "Host EC2 (instance i-0123456789abcdef0) terminated."
STATUS = {"pending": "RUNNABLE", "running": "RUNNING", "shutting-down": "RUNNING"}


@dataclass
class Job(Instance):
    """A job is a machine as far as its worker is concerned."""

    job_name: str = ""
    queue: str = ""
    container: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Hosts:
    """What the world decides: `begun` gets new jobs, `ending` those that are ended."""

    now: Callable[[], float]
    shows_late: Callable[[], float]
    begun: Callable[[Job], None]
    ending: Callable[[Job, str], None]


class Batch:
    """The jobs of the account."""

    def __init__(self, hosts: Hosts) -> None:
        self._hosts = hosts
        self._numbers = count(1)
        self.jobs: dict[str, Job] = {}

    def submit_job(self, **request: Any) -> dict[str, Any]:
        if request["jobQueue"] not in QUEUES:
            raise refusal("ClientException", f"no queue {request['jobQueue']}")
        now = self._hosts.now()
        job = Job(
            name=f"job-{next(self._numbers):04d}",
            type="job",
            zone=request["jobQueue"],
            spot=request["jobQueue"] == "spot-queue",
            tags={**request["tags"], SECRET_TAG: _variables(request)["POREWATCH_SECRET"]},
            launched_at=START,
            shows_at=now + self._hosts.shows_late(),
            history=[(now, "pending", "")],
            job_name=request["jobName"],
            queue=request["jobQueue"],
            container=request["containerOverrides"],
        )
        self.jobs[job.name] = job
        self._hosts.begun(job)
        return {"jobId": job.name, "jobName": job.job_name}

    def list_jobs(self, *, jobQueue: str, filters: list[Any], **_: Any) -> dict[str, Any]:
        (wanted,) = filters[0]["values"]
        found = [
            job
            for job in self.jobs.values()
            if job.queue == jobQueue
            and job.shows_at <= self._hosts.now()
            and fnmatchcase(job.job_name.lower(), wanted.lower())
        ]
        return {"jobSummaryList": [{"jobId": job.name, **_times(job)} for job in found]}

    def describe_jobs(self, *, jobs: list[str]) -> dict[str, Any]:
        there = [self.jobs[name] for name in jobs if name in self.jobs]
        return {"jobs": [self._described(job) for job in there]}

    def terminate_job(self, *, jobId: str, reason: str) -> dict[str, Any]:
        job = self.jobs.get(jobId)
        if job is not None and job.living:
            self._hosts.ending(job, reason)
        return {}

    def _described(self, job: Job) -> dict[str, Any]:
        why = job.history[-1][2]
        ended = "SUCCEEDED" if why == "Client.InstanceInitiatedShutdown" else "FAILED"
        return {
            "jobId": job.name,
            "jobName": job.job_name,
            "jobQueue": f"arn:aws:batch:eu-central-1:1:job-queue/{job.queue}",
            "status": STATUS.get(job.state, ended),
            "statusReason": why,
            "isTerminated": job.state == "shutting-down",
            "tags": job.tags,
            "container": {
                "resourceRequirements": job.container["resourceRequirements"],
                "taskArn": f"arn:aws:ecs:eu-central-1:1:task/c/{job.name}",
            },
            **_times(job),
        }


def _variables(request: dict[str, Any]) -> dict[str, str]:
    """The environment of a job's container; its worker reads it as if it were tags."""
    return {one["name"]: one["value"] for one in request["containerOverrides"]["environment"]}


def _times(job: Job) -> dict[str, int]:
    """In milliseconds: when it was submitted, began and ended, as far as it has."""
    names = {"pending": "createdAt", "running": "startedAt", "terminated": "stoppedAt"}
    began = START.timestamp()
    return {names[s]: round((began + at) * 1000) for at, s, _ in job.history if s in names}
