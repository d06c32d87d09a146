"""Instances from AWS Batch: one job per instance, found again by its name and its tags.

SubmitJob has no client token. So a job has a name that follows from its owner; the queues are
searched for that name before a submission, and twice more when its answer was lost; and the client
never retries a submission by itself. Should two jobs start all the same, the claim on the epoch
lets one worker work, and the other exits at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from porewatch.adapters import clients
from porewatch.adapters.batches import batches
from porewatch.adapters.faults import translated
from porewatch.compute.adopt import living, look_again
from porewatch.compute.batch_rungs import JobPlaces, batch_rungs, share_in
from porewatch.compute.batch_wire import (
    job_name,
    job_request,
    machine_of,
    moment,
    name_prefix,
    submitted,
)
from porewatch.compute.price_table import price_list
from porewatch.domain.base import now
from porewatch.domain.errors import ConfigurationRefused, Throttled, Unavailable
from porewatch.domain.stage.instances import (
    LaunchSpec,
    Machine,
    Owner,
    Purchase,
)
from porewatch.domain.stage.spec import LaunchRequest

SHOWN = timedelta(hours=1)
"""The inventory shows ended jobs for so long, as EC2 shows ended machines. Batch itself remembers a
week, and so does `find`: a duplicate that ended by itself is paid when its epoch ends."""
DESCRIBED_AT_ONCE = 100


class BatchJobs:
    """The jobs of `stack`, in its two queues (names or ARNs)."""

    def __init__(self, stack: str, places: JobPlaces, *, client: Any = None) -> None:
        self._stack = stack
        self._places = places
        self._client = client or clients.batch()
        self._submitter = client or clients.batch(attempts=1)

    def prepare(self, request: LaunchRequest, first: int = 0) -> tuple[LaunchSpec, ...]:
        """See `Source.prepare` and `batch_rungs`."""
        return batch_rungs(request, places=self._places, first=first)

    def launch(self, spec: LaunchSpec) -> Machine:
        """See `Source.launch`. A queue always accepts: a lack of capacity shows later, as a job
        that waits beyond the boot deadline (`domain.rules.liveness`)."""
        return living(self, spec.owner) or self._submit(spec)

    def observe(self, instance_ids: Iterable[str]) -> dict[str, Machine]:
        """See `Source.observe`."""
        return {job.instance_id: job for job in self._described(instance_ids)}

    def find(self, owner: Owner) -> list[Machine]:
        """See `Source.find`."""
        named = self._described(self._listed(job_name(owner)))
        return [machine for machine in named if machine.owner == owner]

    def inventory(self) -> list[Machine]:
        """See `Source.inventory`."""
        since = now() - SHOWN
        ours = self._described(self._listed(f"{name_prefix(self._stack)}*", since))
        return [job for job in ours if job.owner is not None and job.owner.stack == self._stack]

    def console(self, instance_id: str) -> str:
        """See `Source.console`."""
        return ""

    def terminate(self, instance_id: str) -> None:
        """See `Source.terminate`. A queued job ends at once; a running one gets SIGTERM, and
        SIGKILL half a minute later."""
        try:
            with translated(f"terminate job {instance_id}"):
                self._client.terminate_job(jobId=instance_id, reason="no longer needed")
        except ConfigurationRefused:
            if self.observe([instance_id]):
                raise

    def interrupt(self, instance_id: str) -> None:
        """See `Source.interrupt`."""
        self.terminate(instance_id)

    def price(
        self, instance_type: str, purchase: Purchase, seconds: float, disk_gib: int = 0
    ) -> float:
        """See `Source.price`. The disk is that of the host and counts as if the job used it alone.
        A job that never started costs nothing."""
        if seconds <= 0:
            return 0.0
        share, name = share_in(instance_type)
        prices = price_list(self._client.meta.region_name)
        disk = prices.disk_usd(disk_gib, seconds) if disk_gib else 0.0
        return round(share * prices.usd(name, purchase, seconds) + disk, 6)

    def _submit(self, spec: LaunchSpec) -> Machine:
        try:
            with translated(f"submit the job of {spec.owner.run_id} {spec.owner.stage}"):
                answer = self._submitter.submit_job(**job_request(spec, now()))
        except Throttled:
            raise
        except Unavailable as error:
            return look_again(self, spec, "a job was submitted", error)
        job = submitted(answer["jobId"], spec)
        return self.observe([job.instance_id]).get(job.instance_id, job)

    def _listed(self, name: str, since: datetime | None = None) -> Iterator[str]:
        """Ids of jobs with this name (a trailing `*` matches a prefix), without those that ended
        before `since`."""
        pages = self._client.get_paginator("list_jobs")
        filters = [{"name": "JOB_NAME", "values": [name]}]
        for queue in dict.fromkeys((self._places.spot_queue, self._places.on_demand_queue)):
            with translated("look at the jobs"):
                for page in pages.paginate(jobQueue=queue, filters=filters):
                    for job in page["jobSummaryList"]:
                        ended = moment(job.get("stoppedAt"))
                        if ended is None or since is None or ended > since:
                            yield job["jobId"]

    def _described(self, job_ids: Iterable[str]) -> Iterator[Machine]:
        for some in batches(list(job_ids), DESCRIBED_AT_ONCE):
            with translated("look at the jobs"):
                found = self._client.describe_jobs(jobs=some)["jobs"]
            yield from map(machine_of, found)
