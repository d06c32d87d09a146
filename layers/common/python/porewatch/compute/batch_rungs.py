"""The rungs that AWS Batch adds to a launch, and how a job is billed. Pure.

A job is billed as the requested share of a reference machine (`REFERENCE`): Batch packs jobs onto
hosts and does not report the cost of each. The line of the bill names share and machine.
"""

from __future__ import annotations

import re
from datetime import timedelta

from porewatch.compute.ladder import GRACE, PURCHASES
from porewatch.domain.base import Model
from porewatch.domain.reasons.reason import Reason, RunCode, because
from porewatch.domain.stage.instances import (
    LaunchSpec,
    Purchase,
)
from porewatch.domain.stage.spec import LaunchRequest, StageSpec


class Reference(Model):
    """The machine by whose price a job is billed, by share."""

    name: str
    vcpus: int
    memory_mib: int


_SHARE = re.compile(r"(\d+\.\d\d) x (\S+)")
REFERENCE = Reference(name="m6i.2xlarge", vcpus=8, memory_mib=32768)
GPU_REFERENCE = Reference(name="g4dn.xlarge", vcpus=4, memory_mib=16384)


class JobPlaces(Model):
    """Queues and job definitions of this stack. Without a definition, such stages cannot run on
    Batch."""

    spot_queue: str
    on_demand_queue: str
    definition: str = ""
    gpu_definition: str = ""

    def queue(self, purchase: Purchase) -> str:
        return self.spot_queue if purchase == "spot" else self.on_demand_queue


def batch_rungs(
    request: LaunchRequest, *, places: JobPlaces, first: int = 0
) -> tuple[LaunchSpec, ...]:
    """The spot queue, then the on-demand queue, as rungs from `first` on. A spot queue to avoid is
    left out. None when the stack has no job definition for
    such a stage."""
    stage, why = request.stage, request.why
    definition = places.gpu_definition if stage.gpu else places.definition
    if not definition:
        return ()
    lasts = timedelta(seconds=stage.boot_deadline_s * 2 + stage.phase_deadline_s) + GRACE
    shunned = {pool.rsplit("@", maxsplit=1)[-1] for pool in request.avoid}
    spot_is_shunned = name_in(places.spot_queue) in shunned
    chosen = PURCHASES[1:] if why or spot_is_shunned else PURCHASES
    return tuple(
        LaunchSpec(
            owner=request.owner,
            rung=first + number,
            purchase=bought,
            instance_types=(share_of(stage),),
            subnet_ids=(),
            launch_template_id="",
            expires_at=request.at + lasts,
            executor="batch",
            reason=_queue(bought, why).text(),
            why=_queue(bought, why),
            disk_gib=max(8, stage.disk_gib),
            job_queue=places.queue(bought),
            job_definition=definition,
            vcpus=stage.vcpus,
            memory_mib=stage.memory_mib,
        )
        for number, bought in enumerate(chosen)
    )


def _queue(bought: Purchase, why: Reason | None) -> Reason:
    if why is None:
        return because(RunCode.BATCH_QUEUE, bought=bought)
    return because(RunCode.BATCH_QUEUE_BECAUSE, bought=bought, why=why)


def share_of(stage: StageSpec) -> str:
    """The billed machine of such a stage: "0.50 x m6i.2xlarge"."""
    return job_share(stage.vcpus, stage.memory_mib, gpus=int(stage.gpu))


def is_share(machine: str) -> bool:
    """Whether this is a `share_of`, and not an instance type."""
    return _SHARE.fullmatch(machine) is not None


def share_in(machine: str) -> tuple[float, str]:
    """(share, machine) of a `share_of`; any other name is a whole machine."""
    found = _SHARE.fullmatch(machine)
    return (float(found[1]), found[2]) if found else (1.0, machine)


def job_share(vcpus: float, memory_mib: float, gpus: float) -> str:
    whole = GPU_REFERENCE if gpus else REFERENCE
    share = max(vcpus / whole.vcpus, memory_mib / whole.memory_mib, gpus)
    return f"{share:.2f} x {whole.name}"


def name_in(arn: str) -> str:
    return arn.rsplit("/", maxsplit=1)[-1]
