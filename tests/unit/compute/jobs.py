"""AWS Batch as its client shows it: two queues whose jobs wait until the test lets them begin.

moto runs jobs in docker, so it cannot be used. What the real control plane does beyond this is
proven on the embedded AWS (tests/cloud/test_batch_on_the_engine.py)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError

REGION = "us-east-1"


def refused(code: str, operation: str = "SubmitJob", status: int = 400) -> ClientError:
    reply: Any = {
        "Error": {"Code": code, "Message": "message"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(reply, operation)


class Jobs:
    """`answer`: raised instead of answering SubmitJob; when `loses_answers`, after submitting.
    `down`: Batch answers nothing else either."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self.jobs: dict[str, dict[str, Any]] = {}
        self.submitted: list[dict[str, Any]] = []
        self.answer: Exception | None = None
        self.loses_answers = False
        self.down = False
        self.meta = SimpleNamespace(region_name=REGION)

    def submit_job(self, **request: Any) -> dict[str, Any]:
        if self.answer is not None and not self.loses_answers:
            raise self.answer
        self.submitted.append(request)
        name = f"0000-{len(self.submitted)}"
        self.jobs[name] = {
            "jobId": name,
            "jobName": request["jobName"],
            "jobQueue": f"arn:aws:batch:{REGION}:1:job-queue/{request['jobQueue']}",
            "status": "RUNNABLE",
            "createdAt": self._milliseconds(),
            "container": request["containerOverrides"],
            "tags": request["tags"],
        }
        if self.answer is not None:
            raise self.answer
        return {"jobId": name}

    def get_paginator(self, name: str) -> Any:
        assert name == "list_jobs"
        return SimpleNamespace(paginate=self._pages)

    def _pages(self, *, jobQueue: str, filters: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:  # noqa: N803
        self._answers()
        (wanted,) = filters[0]["values"]
        for job in self.jobs.values():
            name = job["jobName"].lower()
            begins = name.startswith(wanted.rstrip("*").lower())
            hit = begins and (wanted[-1] == "*" or name == wanted.lower())
            if hit and job["jobQueue"].endswith(f"/{jobQueue}"):
                yield {"jobSummaryList": [job]}  # one to a page

    def describe_jobs(self, *, jobs: list[str]) -> dict[str, Any]:
        assert len(jobs) <= 100
        self._answers()
        return {"jobs": [self.jobs[name] for name in jobs if name in self.jobs]}

    def terminate_job(self, *, jobId: str, reason: str) -> dict[str, Any]:  # noqa: N803
        self._answers()
        if jobId not in self.jobs:
            raise refused("ClientException", "TerminateJob")
        if self.jobs[jobId]["status"] == "RUNNABLE":
            self.end(jobId, reason)
        self.jobs[jobId]["isTerminated"] = True
        return {}

    def _answers(self) -> None:
        if self.down:
            raise refused("ServerException", "Any", status=503)

    def begin(self, job: str, *, at: float | None = None) -> None:
        self.jobs[job].update(status="RUNNING", startedAt=self._milliseconds(at))

    def end(self, job: str, why: str, *, at: float | None = None) -> None:
        self.jobs[job].update(status="FAILED", statusReason=why, stoppedAt=self._milliseconds(at))

    def _milliseconds(self, at: float | None = None) -> int:
        return round((self._clock() if at is None else at) * 1000)
